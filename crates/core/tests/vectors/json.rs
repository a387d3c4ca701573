//! Vectors as JSON, and the forms that values take in them.

use sensock::deframe::cobs::LineFault;
use sensock::error::Peer;
use sensock::{Lane, Position, Tick};
use serde_json::{Map, Value};

/// One vector.
#[derive(Clone, Debug)]
pub(crate) struct Vector(pub(crate) Map<String, Value>);

/// What describes a vector rather than being what its bytes mean.
const ABOUT: [&str; 8] = ["spec", "name", "as", "hex", "after", "decode_only", "expected", "last"];

impl Vector {
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        self.0.get(key) == Some(&Value::Bool(true))
    }

    pub(crate) fn bytes(&self, key: &str) -> Vec<u8> {
        unhex(self.text(key).unwrap())
    }

    pub(crate) fn number(&self, key: &str) -> u64 {
        self.0[key].as_u64().unwrap()
    }

    /// The values that the bytes mean.
    pub(crate) fn meaning(&self) -> Value {
        let mut values = self.0.clone();
        values.retain(|key, _| !ABOUT.contains(&key.as_str()));
        Value::Object(values)
    }
}

/// All vectors of a file.
pub(crate) fn vectors(file: &str) -> Vec<Vector> {
    let path = format!("{}/vectors/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let list: Vec<Map<String, Value>> = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"));
    list.into_iter().map(Vector).collect()
}

/// Why bytes were refused, in the words of the vectors.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) &'static str);

impl From<Peer> for Refused {
    fn from(peer: Peer) -> Self {
        Refused(match peer {
            Peer::Preface => "preface",
            Peer::Oversized => "oversized",
            Peer::Malformed => "malformed",
            Peer::UnknownKind => "unknown-kind",
            Peer::Version => "version",
            Peer::Limit => "limit",
            other => panic!("no codec says {other:?}"),
        })
    }
}

impl From<LineFault> for Refused {
    fn from(fault: LineFault) -> Self {
        Refused(match fault {
            LineFault::Garbled => "garbled",
            LineFault::Missing => "missing",
            other => panic!("no vector says {other:?}"),
        })
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "half a byte: {text}");
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// 64 fixed bits: 16 hexadecimal digits, the most significant first.
pub(crate) fn word(v: u64) -> Value {
    Value::String(format!("{v:016x}"))
}

pub(crate) fn read_word(v: &Value) -> u64 {
    u64::from_str_radix(v.as_str().unwrap(), 16).unwrap()
}

/// A position: "boot/n".
pub(crate) fn position(p: Position) -> Value {
    Value::String(p.to_string())
}

pub(crate) fn read_position(v: &Value) -> Position {
    let (boot, n) = v.as_str().unwrap().split_once('/').unwrap();
    Position::new(boot.parse().unwrap(), n.parse().unwrap())
}

pub(crate) fn read_span(v: &Value) -> Option<(Tick, Tick)> {
    let tick = |i: usize| Tick(v[i].as_u64().unwrap());
    (!v.is_null()).then(|| (tick(0), tick(1)))
}

pub(crate) fn lane(v: &Value) -> Lane {
    Lane::from_number(v.as_u64().unwrap() as u8).unwrap()
}

/// A number that a field of this size holds.
pub(crate) fn int<T: TryFrom<u64>>(v: &Value) -> T {
    let n = v.as_u64().unwrap_or_else(|| panic!("{v} is no number"));
    T::try_from(n).unwrap_or_else(|_| panic!("{n} does not fit its field"))
}
