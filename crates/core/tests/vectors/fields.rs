//! Fields by themselves: SPEC 1.4 and 2.2.

use sensock::Position;
use sensock::wire::cursor::{Reader, Writer};
use serde_json::{Value, json};

use crate::json::{Refused, Vector, position, read_position, read_word, word};

pub(crate) fn decode(field: &str, v: &Vector) -> Result<Value, Refused> {
    let bytes = v.bytes("hex");
    let mut r = Reader::new(&bytes);
    let values = match field {
        "varint" => json!({ "value": r.varint()?.to_string() }),
        "zigzag" => json!({ "value": r.zigzag()?.to_string() }),
        "u64" => json!({ "value": word(r.u64_fixed()?) }),
        "text" => json!({ "value": r.text(160)? }),
        "position" => json!({ "position": position(Position(r.varint()?)) }),
        other => panic!("no such field: {other}"),
    };
    r.end()?;
    Ok(values)
}

pub(crate) fn encode(field: &str, v: &Vector) -> Vec<u8> {
    let mut buf = [0; 200];
    let mut w = Writer::new(&mut buf);
    let value = || v.text("value").unwrap();
    match field {
        "varint" => w.varint(value().parse().unwrap()),
        "zigzag" => w.zigzag(value().parse().unwrap()),
        "u64" => w.u64_fixed(read_word(&v.0["value"])),
        "text" => w.block(value().as_bytes()),
        "position" => w.varint(read_position(&v.0["position"]).0),
        other => panic!("no such field: {other}"),
    }
    let n = w.finish().unwrap();
    buf[..n].to_vec()
}
