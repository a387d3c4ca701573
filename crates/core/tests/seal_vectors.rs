//! The byte vectors of sealed sessions (SPEC 14.11) under an implementation of Noise that is not ours. What they must refuse, and our own
//! ends, are tested where the pairs can be given: `src/seal/vectors.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use sensock::deframe::PREFACE;
use serde_json::Value;
use snow::{Builder, HandshakeState, StatelessTransportState};

type Vectors = BTreeMap<String, Value>;

fn vectors() -> Vectors {
    let list: Vec<Value> = serde_json::from_str(include_str!("../vectors/sealed/session.json")).unwrap();
    list.into_iter().map(|v| (v["name"].as_str().unwrap().to_owned(), v)).collect()
}

fn bytes(v: &Value) -> Vec<u8> {
    let hex = v.as_str().unwrap();
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

/// Both ends after the two messages of the handshake.
fn handshake(first: &Value, second: &Value) -> [StatelessTransportState; 2] {
    let (key, message) = (bytes(&first["key"]), bytes(&first["hex"]));
    let key: [u8; 32] = key.try_into().unwrap();
    let prologue = [&PREFACE, &message[..10]].concat();
    let private = [first, second].map(|v| bytes(&v["private"]));
    let end = |private| {
        Builder::new("Noise_NNpsk0_25519_ChaChaPoly_SHA256".parse().unwrap())
            .prologue(&prologue)
            .unwrap()
            .psk(0, &key)
            .unwrap()
            .fixed_ephemeral_key_for_testing_only(private)
    };
    let mut device = end(&private[0]).build_initiator().unwrap();
    let mut server = end(&private[1]).build_responder().unwrap();
    message_of(first, 10, &mut device, &mut server);
    message_of(second, 1, &mut server, &mut device);
    [device, server].map(|end| end.into_stateless_transport_mode().unwrap())
}

fn message_of(v: &Value, clear: usize, from: &mut HandshakeState, to: &mut HandshakeState) {
    let (frame, message, mut buf) = (bytes(&v["frame"]), bytes(&v["hex"]), [0; 1024]);
    let n = from.write_message(&frame, &mut buf).unwrap();
    assert_eq!(buf[..n], message[clear..], "{}", v["name"]);
    let n = to.read_message(&message[clear..], &mut buf).unwrap();
    assert_eq!(buf[..n], frame);
}

/// The frame of a vector is the message of this number between two ends.
fn frame_of(v: &Value, number: u64, [from, to]: [&StatelessTransportState; 2]) {
    let (frame, message, mut buf) = (bytes(&v["frame"]), bytes(&v["hex"]), [0; 1024]);
    let n = from.write_message(number, &frame, &mut buf).unwrap();
    assert_eq!(buf[..n], message, "{}", v["name"]);
    let n = to.read_message(number, &message, &mut buf).unwrap();
    assert_eq!(buf[..n], frame);
}

#[test]
fn another_implementation_writes_and_reads_the_same_bytes() {
    let vectors = vectors();
    let [mut device, mut server] = handshake(&vectors["Hello"], &vectors["Welcome"]);
    // With another pair it is another connection, which ends there.
    handshake(&vectors["Hello"], &vectors["a Refused that is the server's own"]);
    let (mut after, mut numbers) = ("Welcome", [0, 0]);
    while let Some(v) = vectors.values().find(|v| {
        v["after"] == *after && v["spec"] == "14.4" && v.get("error").is_none() && v.get("number").is_none()
    }) {
        let (number, ends) = match v["from"] == "device" {
            true => (&mut numbers[0], [&device, &server]),
            false => (&mut numbers[1], [&server, &device]),
        };
        frame_of(v, *number, ends);
        *number += 1;
        after = v["name"].as_str().unwrap();
    }
    assert!(numbers.iter().all(|n| *n >= 2), "vectors are never deleted");
    for end in [&mut device, &mut server] {
        end.rekey_outgoing();
        end.rekey_incoming();
    }
    for v in vectors.values().filter(|v| v.get("number").is_some()) {
        let ends = if v["from"] == "device" { [&device, &server] } else { [&server, &device] };
        frame_of(v, v["number"].as_u64().unwrap(), ends);
    }
}
