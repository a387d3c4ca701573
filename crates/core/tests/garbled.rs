//! Frames of a real conversation, garbled, cut short, out of order, twice, or from the wrong end: an error value, never a panic, and
//! nothing that was accepted is freed by it.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

mod common;

use common::*;
use std::sync::LazyLock;

use proptest::prelude::*;
use sensock::device::{Policy, Share, Transmit};
use sensock::{CommandId, Lane, Micros, Position, Tick};

type Frames = Vec<Vec<u8>>;

/// What was said both ways in a session with records of all lanes, a command, a floor and a nap.
fn conversation() -> (Frames, Frames) {
    let mut p = Pair::new();
    let (mut up, mut down, mut buf) = (vec![], vec![], [0; 4096]);
    p.known_catalog = false;
    p.policy(Policy::DropOldest);
    p.dial();
    for round in 0..60u64 {
        p.now += 10_000;
        // Sleep ends the boot: nothing is recorded after it.
        for i in (0..round).filter(|_| round <= 50) {
            p.record(i as f32, 50.0);
            p.outbox.with(|o| o.record(Lane::Alarm, Tick(p.now), &[TEMPERATURE.is(99.0)])).unwrap();
        }
        if round % 7 == 0 {
            p.outbox.with(|o| o.applied(1 + round as u32, None)).unwrap();
            p.outbox.with(|o| o.reply(CommandId(9), sensock::wire::data::Outcome::Done, &[1])).unwrap();
        }
        if round == 50 {
            p.device.sleep(1_000, true);
        }
        while let Transmit::Frame(n) = p.device.poll_transmit(&p.outbox, Tick(p.now), &mut buf) {
            p.up.push(buf[..n].to_vec());
        }
        up.extend(p.up.iter().cloned());
        let _ = p.device.handle_timeout(Tick(p.now));
        if round < 50 {
            down.extend(p.serve_all());
        }
    }
    assert!(up.len() > 60 && down.len() > 60, "{} {}", up.len(), down.len());
    (up, down)
}

#[derive(Clone, Debug)]
enum Harm {
    None,
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Add(Vec<u8>),
    Noise(Vec<u8>),
}

impl Harm {
    fn apply(&self, frame: &mut Vec<u8>) {
        match self {
            Harm::None => {}
            Harm::Flip(at, bit) => {
                let at = at.index(frame.len());
                frame[at] ^= 1 << (bit % 8);
            }
            Harm::Cut(at) => frame.truncate(at.index(frame.len())),
            Harm::Add(bytes) => frame.extend_from_slice(bytes),
            Harm::Noise(bytes) => frame.clone_from(bytes),
        }
    }
}

fn harm() -> impl Strategy<Value = Harm> {
    let bytes = |max| prop::collection::vec(any::<u8>(), 0..max);
    prop_oneof![
        4 => Just(Harm::None),
        4 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, bit)| Harm::Flip(at, bit)),
        1 => any::<prop::sample::Index>().prop_map(Harm::Cut),
        1 => bytes(5).prop_map(Harm::Add),
        1 => bytes(600).prop_map(Harm::Noise),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_garbled_conversation_is_an_error_value_on_both_ends(
        steps in prop::collection::vec((any::<bool>(), 0usize..40, harm(), 0u32..30_000), 1..200),
    ) {
        static SAID: LazyLock<(Frames, Frames)> = LazyLock::new(conversation);
        let (up, down) = &*SAID;
        let mut p = Pair::new();
        for i in 0..40 {
            p.now += 1_000;
            p.record(i as f32, 50.0);
        }
        p.dial();
        p.settle();
        for i in 0..40 {
            p.now += 1_000;
            p.record(i as f32, 50.0);
        }
        let held = p.outbox.with(|o| o.next(Lane::Readings).0 - o.acked(Lane::Readings).0);
        prop_assert_eq!(held, 41);
        let (mut device_at, mut server_at) = (0, 0);
        for (to_device, skip, harm, ms) in steps {
            p.now += u64::from(ms) / 100;
            let mut buf = [0; 4096];
            if to_device {
                device_at = (device_at + skip / 20 + 1) % down.len();
                let mut frame = down[device_at].clone();
                harm.apply(&mut frame);
                let got = p.device.handle_frame(&p.outbox, Tick(p.now), &mut frame).map(|_| ());
                if let Err(e) = got {
                    prop_assert!(e.to_string().len() > 20);
                    p.device.lost();
                    p.device.start(Tick(p.now), Default::default(), Default::default());
                }
                let mut written = 0;
                while let Transmit::Frame(n) = p.device.poll_transmit(&p.outbox, Tick(p.now), &mut buf) {
                    written += 1;
                    prop_assert!(n <= 4_096 && written < 100);
                }
            } else {
                server_at = (server_at + skip / 20 + 1) % up.len();
                let mut frame = up[server_at].clone();
                harm.apply(&mut frame);
                let now = p.micros();
                if let Err(e) = p.server.handle_frame(now, &mut frame).map(|_| ()) {
                    prop_assert!(e.to_string().len() > 20);
                }
                let mut written = 0;
                while p.server.poll_transmit(now, &mut buf).unwrap() > 0 {
                    written += 1;
                    prop_assert!(written < 20);
                }
            }
            let _ = (p.device.handle_timeout(Tick(p.now)), p.server.handle_timeout(Micros(p.now)));
        }
        // Whatever was said, an honest server takes the session up where the device stands, and gets all that is left.
        let acked = |lane| p.outbox.with(|o| o.wire(o.acked(lane).max(Position::boot_start(1).prev())));
        p.marks = Lane::ALL.map(acked);
        (p.known_catalog, p.rows) = (true, vec![]);
        p.dial();
        p.settle();
        prop_assert!(Lane::ALL.into_iter().all(|lane| p.outbox.with(|o| o.is_drained(lane))));
    }
}
