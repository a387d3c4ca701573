//! What a person reads when the other end, or the application, does something wrong: what happened, and where the rule stands.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

mod common;

use common::*;
use sensock::catalog::{CatalogView, Fault};
use sensock::deframe::{Foreign, Length, PREFACE};
use sensock::device::{Share, Transmit};
use sensock::error::{Misuse, Peer};
use sensock::server::{self, Config};
use sensock::wire::hello::{Refusal, Refused, VERSION};
use sensock::{DeviceId, Lane, Micros, Tick};

fn server() -> server::Session {
    server::Session::new(Config::default(), Micros(0)).unwrap()
}

/// What a server says to a first frame.
fn first(frame: &[u8]) -> String {
    server().handle_frame(Micros(0), &mut frame.to_vec()).unwrap_err().to_string()
}

fn hello() -> Vec<u8> {
    let mut p = Pair::new();
    p.dial();
    let mut buf = [0; 512];
    let Transmit::Frame(n) = p.device.poll_transmit(&p.outbox, Tick(0), &mut buf) else { panic!() };
    buf[..n].to_vec()
}

#[test]
fn another_protocol_on_the_port_is_told_apart_by_its_first_bytes() {
    let mut buf = [0; 256];
    let streams: [(&[u8], &str); 6] = [
        (b"GET /metrics HTTP/1.1\r\n", "point browsers and health checks at another port"),
        (b"GET /socket.io/?EIO=3&transport=websocket HTTP/1.1\r\n", "a Socket.IO client with EIO=3 dialled"),
        (b"GET /socket.io/?EIO=4 HTTP/1.1\r\n", "a Socket.IO client dialled"),
        (&[0x16, 3, 1, 2, 0, 1], "dial it without TLS"),
        (b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", "an MQTT CONNECT came"),
        (&[0xde, 0xad, 0xbe, 0xef], "something else dialled this port"),
    ];
    for (bytes, words) in streams {
        let e = Length::new().feed(bytes, &mut buf).unwrap_err();
        assert_eq!(
            e.to_string(),
            "the peer does not speak sensock: its first bytes are not the preface (SPEC 1.1)"
        );
        assert!(Foreign::guess(bytes).words().contains(words), "{words}");
    }
}

#[test]
fn an_oversized_frame_is_refused_before_it_is_read() {
    let mut stream = PREFACE.to_vec();
    stream.extend([0x81, 0x02]);
    let e = Length::new().feed(&stream, &mut [0; 256]).unwrap_err();
    assert_eq!(e.to_string(), "the peer sent a frame longer than the announced limit (SPEC 1.3)");
    assert_eq!(first(&[1; 1_025]), e.to_string());
}

#[test]
fn an_unknown_frame_kind_is_refused_and_one_that_may_be_skipped_is_skipped() {
    let words =
        "a frame of an unknown kind that must be understood: one end is newer than the other (SPEC 1.5)";
    assert_eq!(first(&[0x13, 1, 2]), words);
    assert!(matches!(server().handle_frame(Micros(0), &mut [0x93, 1, 2]), Ok(None)));
    let mut p = Pair::new();
    p.dial();
    p.step();
    assert!(matches!(p.device.handle_frame(&p.outbox, Tick(1_000), &mut [0xff, 1, 2]), Ok(None)));
    let e = p.device.handle_frame(&p.outbox, Tick(1_000), &mut [0x18]).unwrap_err();
    assert_eq!(e.to_string(), words);
}

#[test]
fn versions_that_do_not_overlap_are_refused_with_the_range_that_is_spoken() {
    let mut frame = hello();
    frame[1..3].copy_from_slice(&[VERSION + 1, VERSION + 3]);
    let mut s = server();
    let e = s.handle_frame(Micros(0), &mut frame).unwrap_err();
    assert_eq!(e.to_string(), "the two ends share no protocol version (SPEC 4.2)");
    let mut out = [0; 256];
    let n =
        s.refuse(Refusal::Version, Refusal::Version.backoff_ms(), "this server speaks 1", &mut out).unwrap();
    let said = Refused::decode(&out[1..n]).unwrap();
    assert_eq!((said.versions, said.backoff_ms), ((VERSION, VERSION), 3_600_000));
    assert!(s.is_closed());
}

#[test]
fn a_frame_at_the_wrong_time_or_cut_short_says_so() {
    assert_eq!(first(&[4, 1]), "a frame came that makes no sense in this state (SPEC 4)");
    let whole = hello();
    let words =
        "a frame is malformed: a field is cut short, not canonical or followed by too much (SPEC 1.4)";
    for cut in [0, 1, 2, 5, whole.len() - 1] {
        assert_eq!(first(&whole[..cut]), words, "cut at {cut}");
    }
}

#[test]
fn a_catalogue_that_is_none_says_what_is_wrong() {
    let e = CatalogView::new(&[2]).unwrap_err().to_string();
    assert!(e.starts_with("these bytes are not a catalogue of this version: "), "{e}");
    let e = CatalogView::new(&[0; 8_193]).unwrap_err().to_string();
    assert!(e.ends_with("a count or size in a frame is outside of its limits (SPEC 1.3)"), "{e}");
}

#[test]
fn what_is_no_number_or_out_of_range_is_stored_as_a_fault_with_a_name() {
    let mut p = Pair::new();
    p.record(f32::NAN, f32::INFINITY);
    p.now += 1;
    p.record(f32::NEG_INFINITY, 1e30);
    p.dial();
    p.settle();
    let faults: Vec<&str> = p
        .rows
        .iter()
        .flat_map(|row| if let Row::Record(_, _, _, cells) = row { cells.clone() } else { vec![] })
        .map(|(_, cell)| match cell {
            sensock::batch::Cell::Fault(code) => Fault(code).words(),
            sensock::batch::Cell::Value(v) => panic!("stored as {v}"),
        })
        .collect();
    assert_eq!(faults, ["not a number", "above range", "below range", "above range"]);
}

#[test]
fn a_record_that_cannot_be_is_refused_where_it_is_made_and_nothing_accepted_is_lost() {
    let mut p = Pair::new();
    p.record(1.0, 2.0);
    let now = Tick(p.now);
    let record = |tick, readings: &[sensock::catalog::Reading]| {
        p.outbox.with(|o| o.record(Lane::Readings, tick, readings)).unwrap_err().to_string()
    };
    assert_eq!(record(now, &[]), "a record holds 1 to 16 readings, each of another quantity");
    assert_eq!(
        record(now, &[TEMPERATURE.is(1.0); 17]),
        "a record holds 1 to 16 readings, each of another quantity"
    );
    assert_eq!(
        record(now, &[TEMPERATURE.is(1.0); 2]),
        "a record holds 1 to 16 readings, each of another quantity"
    );
    let back = record(Tick(1), &[TEMPERATURE.is(1.0)]);
    assert_eq!(back, "the clock went backwards: a discontinuity of the clock is a new boot");
    p.dial();
    p.settle();
    assert_eq!(p.positions(Lane::Readings).len(), 1);
}

#[test]
fn every_word_of_the_errors_names_a_rule_or_a_remedy() {
    let peers = [
        Peer::Preface,
        Peer::Oversized,
        Peer::Malformed,
        Peer::UnknownKind,
        Peer::Unexpected,
        Peer::Version,
        Peer::AckBeyondSent,
        Peer::CreditOverrun,
        Peer::Hole,
        Peer::Limit,
        Peer::Silent,
    ];
    assert!(peers.iter().all(|e| e.to_string().contains("(SPEC ")));
    assert!(Misuse::Buffer.to_string().contains("256 bytes at least"));
    assert!(Misuse::Exhausted.to_string().contains("restart the device"));
    assert!(Misuse::Busy.to_string().contains("wait for one to end"));
    for (name, words) in
        [("", "is empty"), ("cellar 3", "other than letters"), (&"x".repeat(33), "longer than 32")]
    {
        let e = DeviceId::new(name).unwrap_err().to_string();
        assert!(e.contains(words), "{e}");
    }
}
