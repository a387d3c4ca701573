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
fn an_ack_puts_a_ping_off_but_clocks_are_compared_every_fourth_interval() {
    let interval = u64::from(PING_INTERVAL_MS);
    let mut p = Pair::new();
    p.dial();
    p.settle();
    assert_eq!(next_ping(&p), interval, "nothing else is said");
    for nth in 1..4 {
        p.now += interval - 1;
        assert_eq!(answer(&mut p), [Kind::Ack]);
        assert_eq!(next_ping(&p), (interval * 5 / 4).min(interval * (4 - nth) + nth), "{nth}");
    }
    p.now += interval - 1;
    assert_eq!(answer(&mut p), [Kind::Ack, Kind::Ping], "due in 4 ms: it goes with the ack");
    assert_eq!(next_ping(&p), interval);
    p.now += 1;
    assert_eq!(answer(&mut p), [Kind::Ack], "it left a moment ago");
    p.now += interval * 5 / 4;
    assert!(p.step(), "the ping, since nothing else was said");
    assert_eq!(next_ping(&p), interval);
}
