//! What reading and fuzzing found on the device's side: each was wrong once, and has its test here under a name that says what holds.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

mod common;

use std::cell::RefCell;

use common::*;
use sensock::device::{self, Node, Outbox, Policy, Share, Supply, Transmit};
use sensock::error::Peer;
use sensock::wire::data::Outcome;
use sensock::wire::flow;
use sensock::wire::header::Kind;
use sensock::wire::hello::{Account, Grant, VERSION, Welcome};
use sensock::{CommandId, DeviceId, Lane, Position, StoreId, Tag, Tick};

type Shared = RefCell<Outbox<2048>>;

const READINGS: Lane = Lane::Readings;

fn node() -> Node<'static> {
    Node { id: DeviceId::new("cellar-3").unwrap(), catalog: &CELLAR, max_frame: 512 }
}

fn welcome(shift: u32, marks: [Position; 3]) -> Welcome {
    Welcome {
        version: VERSION,
        features: 0,
        boot_shift: shift,
        tag: Tag(7),
        marks,
        credit: [Grant { records: 4_096, bytes: 1 << 16 }; 3],
        want_catalog: false,
        max_frame: 512,
        ping_interval_ms: 10_000,
        pending: 0,
        store: StoreId(9),
        nonce: 1,
    }
}

/// A device that was welcomed; its frames until then are gone.
fn connected<'b>(outbox: &Shared, scratch: &'b mut [u8], w: &Welcome) -> Result<device::Session<'b>, Peer> {
    let mut session = device::Session::new(node(), scratch).unwrap();
    session.start(Tick(1_000), Account::default(), Default::default());
    let mut buf = [0; 512];
    assert!(matches!(session.poll_transmit(outbox, Tick(1_000), &mut buf), Transmit::Frame(_)));
    let n = w.encode(&mut buf).unwrap();
    session.handle_frame(outbox, Tick(1_000), &mut buf[..n])?;
    Ok(session)
}

fn outbox(boot: Option<u32>) -> Shared {
    let outbox = RefCell::new(Outbox::new());
    outbox.with(|o: &mut device::OutboxMut<'_>| o.start(boot));
    outbox
}

fn record(outbox: &Shared, tick: u64) -> Position {
    outbox.with(|o| o.record(READINGS, Tick(tick), &[TEMPERATURE.is(1.0)])).unwrap()
}

/// All frames that are due, at most 50; the fetch that was asked for, if any.
fn frames(session: &mut device::Session<'_>, outbox: &Shared) -> (Vec<Vec<u8>>, Option<Position>) {
    let (mut frames, mut fetch, mut buf) = (vec![], None, [0; 512]);
    loop {
        assert!(frames.len() < 50, "it does not come to rest");
        match session.poll_transmit(outbox, Tick(2_000), &mut buf) {
            Transmit::Frame(n) => frames.push(buf[..n].to_vec()),
            Transmit::Fetch { from, .. } => fetch = Some(from),
            Transmit::Idle => return (frames, fetch),
        }
    }
}

fn is_data(frame: &[u8]) -> bool {
    frame[0] & 31 == Kind::Data as u8
}

#[test]
fn a_mark_beyond_what_was_ever_framed_is_refused_in_welcome() {
    let outbox = outbox(Some(3));
    record(&outbox, 1);
    for mark in [Position::new(3, 0), Position::new(3, 500), Position::new(4, 0)] {
        let got = connected(&outbox, &mut [0; 512], &welcome(0, [mark; 3])).map(|_| ());
        assert_eq!(got, Err(Peer::AckBeyondSent), "{mark}");
        assert!(!outbox.with(|o| o.is_drained(READINGS)), "nothing was freed");
    }
    let known = Position::boot_start(3).prev();
    connected(&outbox, &mut [0; 512], &welcome(0, [known; 3])).unwrap();
}

#[test]
fn a_shift_beyond_32_bits_is_refused_in_welcome() {
    let outbox = outbox(Some(3));
    let none = [Position::NONE; 3];
    let got = connected(&outbox, &mut [0; 512], &welcome(u32::MAX - 2, none)).map(|_| ());
    assert_eq!(got, Err(Peer::Limit));
    connected(&outbox, &mut [0; 512], &welcome(5, none)).unwrap();
    let got = connected(&outbox, &mut [0; 512], &welcome(u32::MAX - 7, none)).map(|_| ());
    assert_eq!(got, Err(Peer::Limit), "shifts add up");
}

#[test]
fn the_only_record_of_a_device_without_memory_is_freed_by_its_ack() {
    let outbox = outbox(None);
    record(&outbox, 1);
    let mut scratch = [0; 512];
    let before = Position::boot_start(8).prev();
    let mut session = connected(&outbox, &mut scratch, &welcome(8, [before; 3])).unwrap();
    assert!(frames(&mut session, &outbox).0.iter().any(|f| is_data(f)));
    let mut buf = [0; 20];
    let n = flow::ack(READINGS, before, Position::new(8, 0), &mut buf).unwrap();
    session.handle_frame(&outbox, Tick(2_000), &mut buf[..n]).unwrap();
    assert!(outbox.with(|o| o.is_drained(READINGS)));
}

#[test]
fn an_ack_of_a_record_that_was_never_framed_frees_nothing() {
    let outbox = outbox(None);
    let mut scratch = [0; 512];
    let before = Position::boot_start(8).prev();
    let mut session = connected(&outbox, &mut scratch, &welcome(8, [before; 3])).unwrap();
    frames(&mut session, &outbox);
    record(&outbox, 1);
    let mut buf = [0; 20];
    let n = flow::ack(READINGS, before, Position::new(8, 0), &mut buf).unwrap();
    let got = session.handle_frame(&outbox, Tick(2_000), &mut buf[..n]);
    assert_eq!(got, Err(Peer::AckBeyondSent));
    assert!(!outbox.with(|o| o.is_drained(READINGS)));
}

#[test]
fn a_handshake_of_half_an_eternity_does_not_overflow() {
    let outbox = outbox(Some(1));
    let mut scratch = [0; 512];
    let mut session = device::Session::new(node(), &mut scratch).unwrap();
    session.start(Tick(0), Account::default(), Default::default());
    let mut buf = [0; 512];
    session.poll_transmit(&outbox, Tick(0), &mut buf);
    let n = welcome(0, [Position::boot_start(1).prev(); 3]).encode(&mut buf).unwrap();
    session.handle_frame(&outbox, Tick(u64::MAX), &mut buf[..n]).unwrap();
    record(&outbox, 1);
    frames(&mut session, &outbox);
    assert_eq!(session.poll_timeout(), None, "what lies beyond the end of time is never due");
    session.handle_timeout(Tick(u64::MAX)).unwrap();
}

/// A device with flash: boot 2 left `0..n` there, and is in boot 3 now.
fn with_flash<'b>(scratch: &'b mut [u8], mark: Position) -> (Shared, device::Session<'b>) {
    let outbox = outbox(Some(3));
    outbox.with(|o| o.with_flash([None, None, Some(Position::new(2, 0))]));
    let marks = [Position::boot_start(3).prev(), Position::boot_start(3).prev(), mark];
    let session = connected(&outbox, scratch, &welcome(0, marks)).unwrap();
    (outbox, session)
}

/// Items as the outbox makes them: `n` records from tick 10 on.
fn items(n: u64) -> Vec<u8> {
    let outbox = outbox(Some(9));
    outbox.with(|o| o.with_flash([None; 3]));
    for i in 0..n {
        record(&outbox, 10 + i);
    }
    let mut bytes = vec![];
    let mut item = [0; 256];
    while let Some(spill) = outbox.with(|o| o.next_spill(READINGS, &mut item)) {
        bytes.extend_from_slice(&item[..spill.len]);
        outbox.with(|o| o.persisted(READINGS, spill.next, None));
    }
    bytes
}

#[test]
fn flash_that_gives_noise_becomes_a_gap_and_the_lane_goes_on() {
    for noise in [
        &[][..],
        &[0],
        &[200, 1, 2],
        &[7, 0, 0, 0, 0, 0, 0, 0],
        &[4, 9, 9, 9, 9],
        &[5, 1, 0, 1, 0, 0],
        &[3, 0, 5, 0],
    ] {
        let mut scratch = [0; 512];
        let (outbox, mut session) = with_flash(&mut scratch, Position::new(1, 9));
        let here = record(&outbox, 50);
        outbox.with(|o| o.persisted(READINGS, here.next(), Some(Position::new(2, 0))));
        let (_, fetch) = frames(&mut session, &outbox);
        session.scratch_mut()[..noise.len()].copy_from_slice(noise);
        let supply = Supply { len: noise.len(), first: fetch.unwrap(), tick: Tick(0), complete: false };
        session.supply(READINGS, supply);
        let (sent, _) = frames(&mut session, &outbox);
        assert_eq!(sent.iter().filter(|f| is_data(f)).count(), 1, "{noise:?}: the record of this boot");
    }
}

#[test]
fn a_supply_that_was_not_asked_for_is_ignored() {
    let mut scratch = [0; 512];
    let (outbox, mut session) = with_flash(&mut scratch, Position::new(1, 9));
    let first = Position::new(2, 0);
    session.supply(READINGS, Supply { len: usize::MAX, first, tick: Tick(0), complete: true });
    let (_, fetch) = frames(&mut session, &outbox);
    assert_eq!(fetch, Some(first));
    session.supply(Lane::Alarm, Supply { len: 5, first, tick: Tick(0), complete: true });
    session.supply(READINGS, Supply { len: 513, first, tick: Tick(0), complete: true });
    session.supply(READINGS, Supply { len: 5, first: Position(u64::MAX), tick: Tick(0), complete: true });
    assert!(!frames(&mut session, &outbox).0.iter().any(|f| is_data(f)));
}

#[test]
fn what_flash_gave_for_another_position_is_not_framed_after_a_rewind() {
    let mut scratch = [0; 512];
    let (outbox, mut session) = with_flash(&mut scratch, Position::new(1, 9));
    let records = items(10);
    let give = |session: &mut device::Session<'_>, first: Position, bytes: &[u8]| {
        session.scratch_mut()[..bytes.len()].copy_from_slice(bytes);
        session.supply(READINGS, Supply { len: bytes.len(), first, tick: Tick(0), complete: true });
    };
    assert_eq!(frames(&mut session, &outbox).1, Some(Position::new(2, 0)));
    give(&mut session, Position::new(2, 0), &records);
    let (sent, fetch) = frames(&mut session, &outbox);
    assert!(sent.iter().any(|f| is_data(f)));
    // It asks for 2/10 on; before flash answers, the server wants 2/4 again.
    assert_eq!(fetch, Some(Position::new(2, 10)));
    let mut buf = [0; 20];
    let n = flow::rewind(READINGS, Position::new(2, 4), &mut buf).unwrap();
    session.handle_frame(&outbox, Tick(2_000), &mut buf[..n]).unwrap();
    give(&mut session, Position::new(2, 10), &records);
    let (sent, fetch) = frames(&mut session, &outbox);
    assert!(
        !sent.iter().any(|f| is_data(f)),
        "2/4 to 2/9 are in flash: no gap, and no other record in their place"
    );
    assert_eq!(fetch, Some(Position::new(2, 4)));
}

#[test]
fn expired_records_are_explained_only_when_the_server_knows() {
    let outbox = outbox(Some(3));
    outbox.with(|o| o.policy(READINGS, Policy::DropOldest, 100));
    let last = record(&outbox, 1);
    outbox.with(|o| o.expire(Tick(2_000)));
    assert!(!outbox.with(|o| o.is_drained(READINGS)), "the record is gone, and nobody was told");
    let mut scratch = [0; 512];
    let before = Position::boot_start(3).prev();
    let mut session = connected(&outbox, &mut scratch, &welcome(0, [before, before, last])).unwrap();
    assert!(!outbox.with(|o| o.is_drained(READINGS)), "Welcome is a proposal");
    let mut buf = [0; 20];
    let n = flow::credit(Lane::Alarm, sensock::wire::hello::Grant { records: 9, bytes: 9_999 }, &mut buf)
        .unwrap();
    session.handle_frame(&outbox, Tick(2_000), &mut buf[..n]).unwrap();
    assert!(outbox.with(|o| o.is_drained(READINGS)), "a confirmed session's marks are written");
    assert!(!frames(&mut session, &outbox).0.iter().any(|f| is_data(f)));
}

#[test]
fn a_lane_that_leaves_flash_goes_on_with_memory_in_the_same_poll() {
    let mut scratch = [0; 512];
    let (outbox, mut session) = with_flash(&mut scratch, Position::new(1, 9));
    let here = record(&outbox, 50);
    outbox.with(|o| o.persisted(READINGS, here.next(), None));
    let (sent, fetch) = frames(&mut session, &outbox);
    assert_eq!((sent.iter().filter(|f| is_data(f)).count(), fetch), (1, None));
}

#[test]
fn a_refusal_without_a_code_is_given_one() {
    let mut p = Pair::new();
    p.dial();
    p.settle();
    p.outbox.with(|o| o.reply(CommandId(1), Outcome::Refused(0), &[])).unwrap();
    p.settle();
    assert!(p.outbox.with(|o| o.is_drained(Lane::Control)));
}

#[test]
fn flash_that_claims_positions_that_were_never_made_does_not_keep_the_session_busy() {
    let claims = [Position::new(3, 40), Position::new(4, 0), Position(u64::MAX)];
    for (claim, has_flash) in claims.into_iter().flat_map(|c| [(c, true), (c, false)]) {
        let outbox = outbox(Some(3));
        if has_flash {
            outbox.with(|o| o.with_flash([None; 3]));
        }
        let here = record(&outbox, 50);
        outbox.with(|o| o.persisted(READINGS, here.next(), Some(claim)));
        let mut scratch = [0; 512];
        let marks = [Position::boot_start(3).prev(); 3];
        let mut session = connected(&outbox, &mut scratch, &welcome(0, marks)).unwrap();
        let sent = frames(&mut session, &outbox).0;
        assert_eq!(sent.iter().filter(|f| is_data(f)).count(), 1, "{claim}: the record alone");
    }
}
