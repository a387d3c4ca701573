//! What reading and fuzzing found on the server's side: each was wrong once, and has its test here under a name that says what holds.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

mod common;

use common::*;
use sensock::device::Transmit;
use sensock::error::Peer;
use sensock::server::{self, Config, Event, Proposal};
use sensock::wire::alive;
use sensock::wire::cursor::Writer;
use sensock::wire::data::{self, LaneContext, ShapeIds};
use sensock::wire::header::Kind;
use sensock::wire::hello::Grant;
use sensock::{Lane, Micros, Position, StoreId, Tag, Tick};

const READINGS: Lane = Lane::Readings;

/// A server with a device at 1/0 in all lanes, confirmed and with the catalogue stored.
fn live(window: Grant) -> server::Session {
    proved(window, false)
}

/// The same, or one whose catalogue is not stored yet.
fn proved(window: Grant, want_catalog: bool) -> server::Session {
    let config = Config { window: [window; 3], ..Config::default() };
    let mut s = server::Session::new(config, Micros(0)).unwrap();
    let p = &mut Pair::new();
    p.dial();
    let mut buf = [0; 512];
    let Transmit::Frame(n) = p.device.poll_transmit(&p.outbox, Tick(0), &mut buf) else { panic!() };
    s.handle_frame(Micros(0), &mut buf[..n]).unwrap();
    let marks = [Position::boot_start(1).prev(); 3];
    s.welcome(Proposal {
        boot_shift: 0,
        tag: Tag(7),
        marks,
        want_catalog,
        pending: 0,
        store: StoreId(9),
        nonce: 5,
    })
    .unwrap();
    poll(&mut s);
    let n = alive::pong(5, Tick(0), &mut buf).unwrap();
    s.handle_frame(Micros(0), &mut buf[..n]).unwrap();
    s.confirm(marks);
    poll(&mut s);
    s
}

/// The kinds of the frames that are due.
fn poll(s: &mut server::Session) -> Vec<u8> {
    let (mut kinds, mut buf) = (vec![], [0; 256]);
    loop {
        match s.poll_transmit(Micros(0), &mut buf).unwrap() {
            0 => return kinds,
            _ => kinds.push(buf[0] & 31),
        }
    }
}

/// A Data frame of `count` records from 1/`n` on.
fn run(n: u32, count: usize, context: &mut LaneContext) -> Vec<u8> {
    let mut buf = [0; 64];
    let mut w = Writer::new(&mut buf);
    let mut shape = ShapeIds::default();
    assert!(shape.push(1));
    data::begin(&mut w, READINGS, Position::new(1, n));
    data::run_head(&mut w, context, count, Tick(1_000 + u64::from(n)), &shape, None, None);
    w.bytes(&[1, 2, 3]);
    let n = w.len();
    buf[..n].to_vec()
}

fn arrive(s: &mut server::Session, mut frame: Vec<u8>) -> Result<Option<u32>, Peer> {
    let event = s.handle_frame(Micros(0), &mut frame)?;
    Ok(event.map(|e| if let Event::Data(d) = e { d.records } else { panic!("{e:?}") }))
}

const WIDE: Grant = Grant { records: 4_096, bytes: 1 << 16 };

#[test]
fn records_that_end_a_rewind_are_counted_once() {
    let mut s = live(Grant { records: 100, bytes: 1 << 16 });
    let mut sent = 0;
    let mut n = 0;
    for _ in 0..20 {
        // A hole, then what the server asked for.
        assert_eq!(arrive(&mut s, run(n + 5, 10, &mut Default::default())), Ok(None));
        assert_eq!(arrive(&mut s, run(n, 10, &mut Default::default())), Ok(Some(10)));
        sent += 20;
        n += 10;
        s.committed(READINGS, Position::new(1, n - 1));
        s.release(READINGS, 10, run(n, 10, &mut Default::default()).len());
        poll(&mut s);
    }
    // Everything is released: one frame may come whatever the credit, and the credit covers what was thrown away.
    assert!(sent > 100);
    assert_eq!(arrive(&mut s, run(n, 10, &mut Default::default())), Ok(Some(10)));
    assert_eq!(
        arrive(&mut s, run(n + 10, 10, &mut Default::default())),
        Ok(Some(10)),
        "the credit leaked away"
    );
}

#[test]
fn two_frames_after_a_hole_still_bring_one_rewind() {
    let mut s = live(WIDE);
    for n in [5, 6, 7] {
        assert_eq!(arrive(&mut s, run(n, 1, &mut Default::default())), Ok(None));
    }
    assert_eq!(poll(&mut s), [Kind::Rewind as u8]);
    assert_eq!(arrive(&mut s, run(8, 1, &mut Default::default())), Ok(None));
    assert_eq!(poll(&mut s), [0; 0]);
}

#[test]
fn a_rewind_of_the_store_is_told_even_if_a_frame_arrives_first() {
    let mut s = live(WIDE);
    assert_eq!(arrive(&mut s, run(0, 4, &mut Default::default())), Ok(Some(4)));
    s.rewind(READINGS, Position::new(1, 2));
    assert_eq!(arrive(&mut s, run(4, 1, &mut Default::default())), Ok(None));
    assert_eq!(poll(&mut s), [Kind::Rewind as u8]);
}

#[test]
fn what_is_committed_is_never_asked_for_again() {
    let mut s = live(WIDE);
    s.committed(READINGS, Position::new(1, 7));
    s.rewind(READINGS, Position::new(1, 3));
    let mut buf = [0; 256];
    let n = s.poll_transmit(Micros(0), &mut buf).unwrap();
    assert_eq!(buf[0] & 31, Kind::Ack as u8, "{n} bytes");
    let n = s.poll_transmit(Micros(0), &mut buf).unwrap();
    assert_eq!(sensock::wire::flow::read_rewind(&buf[1..n]), Ok(Position::new(1, 8)));
}

#[test]
fn a_frame_that_leans_on_a_forgotten_context_is_asked_for_again() {
    let mut s = live(WIDE);
    let mut context = LaneContext::default();
    let sent: Vec<_> = [0, 4, 8].map(|n| run(n, 4, &mut context)).into();
    // The last connection's batch is committed late: the mark is 1/7 before the first of these arrives.
    s.committed(READINGS, Position::new(1, 7));
    assert_eq!(arrive(&mut s, sent[0].clone()), Ok(None));
    assert_eq!(arrive(&mut s, sent[1].clone()), Ok(None));
    assert_eq!(
        arrive(&mut s, sent[2].clone()),
        Ok(None),
        "its shape is that of a frame that was thrown away"
    );
    assert_eq!(poll(&mut s), [Kind::Ack as u8, Kind::Rewind as u8]);
    assert_eq!(arrive(&mut s, run(8, 4, &mut Default::default())), Ok(Some(4)));
    // Once the context is common again, leaning on nothing is malformed as ever.
    let mut none = [Kind::Data as u8 | 2 << 5, 12, 0x0a];
    assert_eq!(s.handle_frame(Micros(0), &mut none).map(|_| ()), Err(Peer::Malformed));
}

#[test]
fn a_mark_that_overtakes_a_rewind_is_followed_by_another_rewind() {
    let mut s = live(WIDE);
    assert_eq!(arrive(&mut s, run(3, 1, &mut Default::default())), Ok(None));
    assert_eq!(poll(&mut s), [Kind::Rewind as u8]);
    s.committed(READINGS, Position::new(1, 9));
    assert_eq!(arrive(&mut s, run(11, 1, &mut Default::default())), Ok(None));
    assert_eq!(poll(&mut s), [Kind::Ack as u8, Kind::Rewind as u8]);
}

#[test]
fn a_lane_that_never_finds_its_position_is_a_hole() {
    let mut s = live(WIDE);
    let mut last = Ok(None);
    for _ in 0..513 {
        last = arrive(&mut s, run(5, 1, &mut Default::default()));
    }
    assert_eq!(last, Err(Peer::Hole));
}

#[test]
fn data_without_any_credit_is_an_overrun() {
    let mut s = proved(WIDE, true);
    assert_eq!(arrive(&mut s, run(0, 1, &mut Default::default())), Err(Peer::CreditOverrun));
}

#[test]
fn a_window_without_bounds_does_not_overflow() {
    let all = Grant { records: u64::MAX, bytes: u64::MAX };
    let mut s = live(all);
    assert_eq!(arrive(&mut s, run(0, 4, &mut Default::default())), Ok(Some(4)));
    s.release(READINGS, u32::MAX, usize::MAX);
    s.window(READINGS, all);
    assert_eq!(arrive(&mut s, run(4, 4, &mut Default::default())), Ok(Some(4)));
}

#[test]
fn a_hello_may_be_longer_than_the_servers_frames_and_no_longer_than_1024_bytes() {
    let hello = |len: usize| {
        let mut p = Pair::new();
        p.dial();
        let mut buf = [0; 512];
        let Transmit::Frame(n) = p.device.poll_transmit(&p.outbox, Tick(0), &mut buf) else { panic!() };
        let mut frame = buf[..n].to_vec();
        // One extension fills the rest: tag 2, a length of two bytes.
        let rest = len - n - 3;
        frame.extend([2, rest as u8 | 0x80, (rest >> 7) as u8]);
        frame.resize(len, 0);
        frame
    };
    let config = Config { max_frame: 256, ..Config::default() };
    let judge = |len: usize| {
        let mut s = server::Session::new(config, Micros(0)).unwrap();
        s.handle_frame(Micros(0), &mut hello(len)).map(|_| ())
    };
    assert_eq!(judge(1_024), Ok(()));
    assert_eq!(judge(1_025), Err(Peer::Oversized));
}

#[test]
fn a_frame_that_was_thrown_away_takes_its_context_with_it() {
    let mut s = live(WIDE);
    let mut context = LaneContext::default();
    assert_eq!(arrive(&mut s, run(0, 4, &mut context)), Ok(Some(4)));
    // The device went back, framed the same records in other portions, and goes on from those: its tick counts from a frame that is thrown
    // away here, not from the one that was kept.
    let mut again = LaneContext::default();
    let portions: Vec<_> = [(0, 2), (2, 2), (4, 4)].map(|(n, count)| run(n, count, &mut again)).into();
    for frame in portions {
        assert_eq!(arrive(&mut s, frame), Ok(None));
    }
    assert_eq!(poll(&mut s), [Kind::Rewind as u8]);
    assert_eq!(arrive(&mut s, run(4, 4, &mut Default::default())), Ok(Some(4)));
}

#[test]
fn a_rewind_is_told_even_if_nothing_more_arrives_and_a_mark_overtakes_it() {
    let mut s = live(WIDE);
    assert_eq!(arrive(&mut s, run(0, 8, &mut Default::default())), Ok(Some(8)));
    s.rewind(READINGS, Position::new(1, 0));
    s.committed(READINGS, Position::new(1, 3));
    assert_eq!(poll(&mut s), [Kind::Ack as u8, Kind::Rewind as u8]);
    assert_eq!(arrive(&mut s, run(4, 4, &mut Default::default())), Ok(Some(4)));
}
