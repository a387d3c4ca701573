//! One file for each part of the format. Each reads bytes and compares, and writes a vector's values and compares.

mod batch;
mod catalog;
mod data;
mod fields;
mod hello;
mod messages;
mod stream;

use crate::Set;
use crate::agree::Read;
use crate::packed::Value;

/// Reads `bytes` as what the vector says that they are, and compares.
pub(crate) fn read(vector: Value<'_>, bytes: &[u8], set: Set<'_>, scratch: &mut [u8]) -> Read {
    match vector.at("as").text() {
        "stream" => stream::read(vector, bytes, scratch),
        "serial" => stream::read_serial(vector, bytes, scratch),
        "catalogue" => catalog::read(vector, bytes),
        "body" => catalog::read_body(vector, bytes),
        "frame" => messages::read(vector, bytes, set),
        "header" => messages::read_header(vector, bytes),
        // SPEC section 6 needs no such word: all its vectors are runs.
        "" => batch::read(vector, bytes),
        field => fields::read(field, vector, bytes),
    }
}

/// Writes the vector's values; says whether that gives `expected`, `None` if it does not fit or has no form.
pub(crate) fn write(vector: Value<'_>, expected: &[u8], set: Set<'_>, scratch: &mut [u8]) -> Option<bool> {
    let len = match vector.at("as").text() {
        "stream" => return stream::write(vector, expected, scratch),
        "serial" => return stream::write_serial(vector, expected, scratch),
        "catalogue" => return catalog::write(vector, expected),
        "body" => catalog::write_body(vector, scratch)?,
        "frame" => messages::write(vector, set, scratch)?,
        "header" => messages::write_header(vector, scratch)?,
        "" => batch::write(vector, scratch)?,
        field => fields::write(field, vector, scratch)?,
    };
    Some(scratch.get(..len)? == expected)
}
