//! The byte vectors of sealed sessions (SPEC 14.11), walked by both ends. `tests/seal_vectors.rs` walks them with another implementation.

extern crate std;
use super::{Active, Answer, Credential, Denied, Ephemeral, First, Key, KeyId};
use crate::error::Peer;
use serde_json::Value;
use std::collections::BTreeMap;
use std::string::{String, ToString as _};
use std::vec::Vec;

type Vectors = BTreeMap<String, Value>;

fn vectors() -> Vectors {
    let list: Vec<Value> = serde_json::from_str(include_str!("../../vectors/sealed/session.json")).unwrap();
    list.into_iter().map(|v| (v["name"].as_str().unwrap().to_string(), v)).collect()
}

fn bytes(v: &Value) -> Vec<u8> {
    let hex = v.as_str().unwrap();
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

fn array<const N: usize>(v: &Value) -> [u8; N] {
    bytes(v).try_into().unwrap()
}

fn close(end: &mut Active, frame: &[u8]) -> Vec<u8> {
    let margins = end.margins();
    let mut buf = [&std::vec![0; margins.front], frame, &std::vec![0; margins.back]].concat();
    let n = end.close(&mut buf, frame.len()).unwrap();
    buf.truncate(n);
    buf
}

fn open(end: &mut Active, message: &[u8]) -> Result<Vec<u8>, Denied> {
    let mut message = message.to_vec();
    end.open(&mut message).map(|opened| message[opened.frame].to_vec())
}

/// One connection.
struct Walk {
    device: Active,
    /// The server's, once it has a pair: that comes with the vector of its message.
    answer: Option<Answer>,
    server: Active,
}

impl Walk {
    /// Everything up to the vector of this name, each message as it must be written and read.
    fn to(vectors: &Vectors, name: &str) -> Walk {
        let v = &vectors[name];
        let mut walk = match v.get("after") {
            Some(name) => Walk::to(vectors, name.as_str().unwrap()),
            None => Walk { device: Active::Over, answer: None, server: Active::Over },
        };
        let (frame, message) = (bytes(&v["frame"]), bytes(&v["hex"]));
        let private = v.get("private").map(|p| Ephemeral::from_secret(array(p)));
        let up = v["from"] == "device";
        match private {
            Some(pair) if up => {
                let credential = Credential { id: KeyId(array(&v["id"])), key: Key::new(array(&v["key"])) };
                let first = First::read(&message).unwrap();
                assert_eq!((first.id, first.ephemeral), (credential.id, pair.public));
                let mut opened = message.clone();
                let (answer, hello) = first.open(&credential.key, &mut opened).unwrap();
                assert_eq!(opened[hello], frame, "{name}");
                (walk.device, walk.answer) = (Active::Fresh(credential, pair), Some(answer));
                assert_eq!(close(&mut walk.device, &frame), message, "{name}");
                return walk;
            }
            Some(pair) => walk.server = Active::Answer(walk.answer.take().unwrap(), pair),
            None => {}
        }
        if v.get("clear").is_some() {
            let mut said = message.clone();
            let opened = walk.device.open(&mut said).unwrap();
            assert_eq!((&said[opened.frame], opened.proved), (&frame[..], false), "{name}");
            return walk;
        }
        let (from, to) = match up {
            true => (&mut walk.device, &mut walk.server),
            false => (&mut walk.server, &mut walk.device),
        };
        // No vector shows the frames before it.
        if let (Some(number), Active::Sealed(from), Active::Sealed(to)) =
            (v.get("number").and_then(Value::as_u64), &mut *from, &mut *to)
        {
            from.skip_to(number, 0);
            to.skip_to(0, number);
        }
        assert_eq!(close(from, &frame), message, "{name}");
        assert_eq!(open(to, &message).unwrap(), frame, "{name}");
        walk
    }
}

#[test]
fn every_message_is_written_and_read_as_its_vector_says() {
    let vectors = vectors();
    let good = vectors.values().filter(|v| v["as"] == "sealed" && v.get("error").is_none());
    let walked: Vec<_> = good.map(|v| Walk::to(&vectors, v["name"].as_str().unwrap())).collect();
    assert!(walked.len() >= 10, "vectors are never deleted");
}

#[test]
fn what_must_be_refused_is() {
    let vectors = vectors();
    let bad: Vec<_> = vectors.iter().filter(|(_, v)| v.get("error").is_some()).collect();
    assert!(bad.len() >= 17, "vectors are never deleted");
    for (name, v) in bad {
        let mut message = bytes(&v["hex"]);
        let denied = match v.get("after") {
            Some(after) => {
                let mut walk = Walk::to(&vectors, after.as_str().unwrap());
                let end = if v["from"] == "device" { &mut walk.server } else { &mut walk.device };
                let denied = open(end, &message).is_err();
                assert!(denied && open(end, &message).is_err(), "{name}: the connection is over");
                "denied"
            }
            None => match First::read(&message) {
                Err(Peer::Version) => "version",
                Err(Peer::Malformed) => "malformed",
                Err(other) => panic!("{name}: {other}"),
                Ok(first) => match first.open(&Key::new(array(&v["key"])), &mut message) {
                    Err(Denied) => "denied",
                    Ok(_) => "opened",
                },
            },
        };
        assert_eq!(v["error"], denied, "{name}");
    }
}

#[test]
fn the_line_of_a_key_is_read_and_written() {
    let vectors = vectors();
    let line = vectors.values().find(|v| v["as"] == "credential").unwrap();
    let text = line["line"].as_str().unwrap();
    let credential = Credential::parse(text).unwrap();
    assert_eq!((credential.id.0, *credential.key.bytes()), (array(&line["id"]), array(&line["key"])));
    assert_eq!(credential.text(), text.as_bytes());
}
