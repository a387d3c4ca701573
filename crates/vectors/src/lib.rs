//! The byte vectors of the specification (SPEC section 16), baked in, and the checks that they are for.
//!
//! Nothing here needs `std`, an allocator or `core::fmt`, so the very same checks run in the host's tests and on a microcontroller. A
//! vector's bytes must be read as the values that stand beside them, or be refused with the error that it names; its values must be
//! written as its bytes; and no beginning of its bytes may be read as if it were the whole.
//!
//! ```
//! let count = sensock_vectors::run(&mut |failure| panic!("{}: {}: {}", failure.file, failure.name, failure.what));
//! assert_eq!(count.failed, 0);
//! ```

#![no_std]
#![forbid(unsafe_code)]

mod agree;
mod checks;
mod key;
mod packed;

use agree::Refused;
use packed::Value;

/// What describes a vector rather than being what its bytes mean.
const ABOUT: [&str; 8] = ["spec", "name", "as", "hex", "after", "decode_only", "expected", "last"];

/// All vectors, as the build script packed them.
static ALL: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/vectors.bin"));

/// What was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Vectors that were read.
    pub vectors: u32,
    /// Vectors that were written too: those without an error, unless another encoder's bytes are shown.
    pub written: u32,
    /// Beginnings of vectors that were read, none of which may pass for the whole.
    pub cut: u32,
    /// Checks that failed; each was reported.
    pub failed: u32,
}

/// One check that failed.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// The vector's file, without `.json`.
    pub file: &'a str,
    /// The vector's name.
    pub name: &'a str,
    /// Which check.
    pub what: What,
    /// The field that differs, or the error that was found; "" where there is nothing to add.
    pub detail: &'static str,
}

/// Which check of a vector failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// It was read as other values.
    Values,
    /// It was refused, though it is sound.
    Refused,
    /// It was read, though it is to be refused.
    Accepted,
    /// It was refused with another error.
    Error,
    /// Its values were written as other bytes.
    Bytes,
    /// A part of it was read as if it were the whole.
    Cut,
}

impl What {
    /// As a person reads it.
    pub const fn words(self) -> &'static str {
        match self {
            What::Values => "read as other values",
            What::Refused => "refused, though it is sound",
            What::Accepted => "read, though it is to be refused",
            What::Error => "refused with another error",
            What::Bytes => "written as other bytes",
            What::Cut => "a part was read as if it were the whole",
        }
    }
}

impl core::fmt::Display for What {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.words())
    }
}

/// Checks all vectors with 512 bytes of scratch memory on the stack; calls `report` for each check that fails.
pub fn run(report: &mut dyn FnMut(&Failure<'_>)) -> Count {
    run_with(&mut [0; 512], report)
}

/// As [`run`], in memory of the caller's.
///
/// The one vector that is about the largest frame of all needs 16 KiB, and is checked against the size of `scratch` if that is smaller.
pub fn run_with(scratch: &mut [u8], report: &mut dyn FnMut(&Failure<'_>)) -> Count {
    run_packed(ALL, scratch, report)
}

/// As [`run_with`], with vectors that the caller packed as `pack.rs` does.
#[doc(hidden)]
pub fn run_packed(packed: &[u8], scratch: &mut [u8], report: &mut dyn FnMut(&Failure<'_>)) -> Count {
    let mut count = Count::default();
    for file in Value::all(packed) {
        let set = Set { name: file.at("file").text(), vectors: file.at("vectors") };
        for vector in set.vectors.items() {
            let mut fails = |what, detail| {
                count.failed += 1;
                report(&Failure { file: set.name, name: vector.at("name").text(), what, detail });
            };
            count.vectors += 1;
            read(vector, set, scratch, &mut fails);
            if is_written(vector) {
                count.written += 1;
                write(vector, set, scratch, &mut fails);
            }
            if may_be_cut(vector) {
                count.cut += cut(vector, set, scratch, &mut fails);
            }
        }
    }
    count
}

/// The vectors of one file.
#[derive(Clone, Copy)]
struct Set<'a> {
    name: &'a str,
    vectors: Value<'a>,
}

type Fails<'a> = dyn FnMut(What, &'static str) + 'a;

fn is_written(vector: Value<'_>) -> bool {
    vector.at("error").is_null() && !vector.at("decode_only").flag() && !vector.at("skipped").flag()
}

/// A skipped frame is not read, extensions may be left out, and a stream ends anywhere.
fn may_be_cut(vector: Value<'_>) -> bool {
    is_written(vector) && !matches!(vector.at("as").text(), "stream" | "serial")
}

fn read(vector: Value<'_>, set: Set<'_>, scratch: &mut [u8], fails: &mut Fails<'_>) {
    let error = vector.at("error").some().map(Value::text);
    match (error, checks::read(vector, vector.at("hex").bytes(), set, scratch)) {
        (Some(_), Ok(_)) => fails(What::Accepted, ""),
        (Some(error), Err(Refused(found))) if error != found => fails(What::Error, found),
        (Some(_), Err(_)) | (None, Ok(Ok(()))) => {}
        (None, Err(Refused(found))) => fails(What::Refused, found),
        (None, Ok(Err(field))) => fails(What::Values, field),
    }
}

fn write(vector: Value<'_>, set: Set<'_>, scratch: &mut [u8], fails: &mut Fails<'_>) {
    if checks::write(vector, vector.at("hex").bytes(), set, scratch) != Some(true) {
        fails(What::Bytes, "");
    }
}

fn cut(vector: Value<'_>, set: Set<'_>, scratch: &mut [u8], fails: &mut Fails<'_>) -> u32 {
    let whole = vector.at("hex").bytes();
    let mut beginnings = 0;
    for (len, _) in whole.iter().enumerate() {
        if let Some(short) = whole.get(..len)
            && let Ok(Ok(())) = checks::read(vector, short, set, scratch)
        {
            fails(What::Cut, "");
        }
        beginnings += 1;
    }
    beginnings
}
