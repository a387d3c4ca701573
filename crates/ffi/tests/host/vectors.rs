//! The byte vectors of the specification, through the C ABI, from Python.

use std::path::Path;
use std::process::Command;

use crate::library;

#[test]
fn the_byte_vectors_pass_through_the_c_abi() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new("python3");
    python.arg(here.join("tests/host/vectors.py")).arg(library::folder()).arg(here.join("../core/vectors"));
    let output = python.output().expect("python3 is needed to test the C ABI (Debian package python3)");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    println!("{said}");
}
