//! Packs the vectors of all files into one list of bytes, which the library carries.

#[path = "src/key.rs"]
mod key;
#[path = "pack.rs"]
mod pack;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/vectors");
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-changed=pack.rs");
    println!("cargo::rerun-if-changed=src/key.rs");
    let files = pack::read(&folder)?;
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&out).join("vectors.bin"), pack::pack(&files)?)?;
    Ok(())
}
