//! Fields by themselves: SPEC 1.4 and 2.2.

use crate::agree::{Fields, Read, Refused};
use crate::packed::Value;
use sensock::Position;
use sensock::wire::cursor::{Reader, Writer};

pub(crate) fn read(field: &str, vector: Value<'_>, bytes: &[u8]) -> Read {
    let (mut r, fields) = (Reader::new(bytes), Fields::of_vector(vector));
    let fields = match field {
        "varint" => {
            let found = r.varint()?;
            fields.check("value", |v| v.text().parse() == Ok(found))
        }
        "zigzag" => {
            let found = r.zigzag()?;
            fields.check("value", |v| v.text().parse() == Ok(found))
        }
        "u64" => fields.word("value", r.u64_fixed()?),
        "text" => fields.text("value", r.text(160)?),
        "position" => fields.position("position", Position(r.varint()?)),
        _ => return Err(Refused("no such field")),
    };
    r.end()?;
    Ok(fields.end())
}

pub(crate) fn write(field: &str, vector: Value<'_>, out: &mut [u8]) -> Option<usize> {
    let (mut w, value) = (Writer::new(out), vector.at("value"));
    match field {
        "varint" => w.varint(value.text().parse().ok()?),
        "zigzag" => w.zigzag(value.text().parse().ok()?),
        "u64" => w.u64_fixed(value.word()),
        "text" => w.block(value.text().as_bytes()),
        "position" => w.varint(vector.at("position").position().0),
        _ => return None,
    }
    w.finish().ok()
}
