//! `cargo xtask arduino`: the library for the Arduino IDE, as an archive for *Sketch > Include Library > Add .ZIP Library*.
//!
//! What can be tested of it without a board is: its class and sketches on a host, its archive on the ESP8266's core in QEMU, linked by rules
//! like Arduino's. No board and no Arduino IDE has seen it.

mod archive;
mod link;
mod notices;

use crate::cargo::Metadata;
use crate::header::HEADER;
use crate::plan::Context;
use crate::test;
use anyhow::{Context as _, Result, ensure};
use archive::Archive;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What the command line can say.
#[derive(clap::Args)]
pub struct Options {}

/// The library as it lies in the source tree.
const LIBRARY: &str = "examples/esp8266/arduino/library";

/// Says whether the archive is written.
pub fn run(_: Options) -> Result<bool> {
    let context = Context { root: test::workspace(), allow_missing: BTreeSet::new(), fuzz_seconds: 0 };
    println!("lx106: {}", packed(&context)?);
    Ok(true)
}

/// Builds the program in C and the archive, and checks both; says what the library takes of the chip.
pub fn packed(context: &Context) -> Result<String> {
    let footprint = link::node(context)?;
    link::sketches(context)?;
    let written = write(context)?;
    let bytes = std::fs::read(&written)?;
    write(context)?;
    ensure!(std::fs::read(&written)? == bytes, "the archive's bytes differ from one packing to the next");
    println!("wrote {}", written.strip_prefix(&context.root).unwrap_or(&written).display());
    footprint.check()?;
    Ok(footprint.to_string())
}

/// Writes `target/arduino/sensock-arduino-VERSION.zip`: the same bytes for the same source and the same compilers.
pub fn write(context: &Context) -> Result<PathBuf> {
    let metadata = Metadata::read(context)?;
    let version = metadata.version_of("sensock-ffi").context("there is no package sensock-ffi")?;
    let library = context.root.join(LIBRARY);
    let read =
        |path: &Path| std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()));
    let mut archive = Archive::new("sensock");
    for path in files(&library)? {
        let name = path.strip_prefix(&library)?.to_string_lossy().replace('\\', "/");
        let bytes = read(&path)?;
        // The two property files say VERSION where the version goes.
        match String::from_utf8(bytes) {
            Ok(text) if name.starts_with("library.") => {
                archive.add(&name, text.replace("VERSION", version).as_bytes())
            }
            Ok(text) => archive.add(&name, text.as_bytes()),
            Err(bytes) => archive.add(&name, bytes.as_bytes()),
        }
    }
    archive.add("src/abi/sensock.h", &read(&context.root.join(HEADER))?);
    archive.add("src/esp8266/libsensock.a", &read(&link::library(context)?)?);
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        archive.add(licence, &read(&context.root.join(licence))?);
    }
    archive.add("THIRD-PARTY.md", notices::text(context, &metadata)?.as_bytes());
    let folder = context.root.join("target/arduino");
    std::fs::create_dir_all(&folder)?;
    let place = folder.join(format!("sensock-arduino-{version}.zip"));
    std::fs::write(&place, archive.bytes())
        .with_context(|| format!("{} cannot be written", place.display()))?;
    Ok(place)
}

/// All files below a folder, in order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in
            std::fs::read_dir(&folder).with_context(|| format!("{} is not there", folder.display()))?
        {
            let path = entry?.path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}
