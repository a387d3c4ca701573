//! When a server pings.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

mod common;

use common::Pair;
use sensock::device::Transmit;
use sensock::limits::PING_INTERVAL_MS;
use sensock::wire::header::{Header, Kind};

/// A record goes up; what the server writes for it.
fn answer(p: &mut Pair) -> Vec<Kind> {
    p.record(20.0, 50.0);
    let mut buf = [0; 512];
    while let Transmit::Frame(n) = p.device.poll_transmit(&p.outbox, sensock::Tick(p.now), &mut buf) {
        p.up.push(buf[..n].to_vec());
    }
    let written = p.serve_all();
    p.settle();
    written.iter().map(|frame| Header::parse(frame[0]).unwrap().kind.unwrap()).collect()
}

/// In milliseconds from now.
fn next_ping(p: &Pair) -> u64 {
    p.server.poll_timeout().unwrap().since(p.micros()) / 1_000
}

#[test]
fn a_ping_that_is_nearly_due_goes_with_an_ack_and_never_later_than_its_interval() {
    let interval = u64::from(PING_INTERVAL_MS);
    let mut p = Pair::new();
    p.dial();
    p.settle();
    assert_eq!(next_ping(&p), interval);
    p.now += interval * 3 / 4 - 1;
    assert_eq!(answer(&mut p), [Kind::Ack], "more than a quarter is left");
    assert_eq!(next_ping(&p), interval / 4 + 1, "an ack does not put it off");
    p.now += 1;
    assert_eq!(answer(&mut p), [Kind::Ack, Kind::Ping]);
    assert_eq!(next_ping(&p), interval);
    p.now += 1;
    assert_eq!(answer(&mut p), [Kind::Ack], "it left a moment ago");
}
