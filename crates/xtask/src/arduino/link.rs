//! The static library for the ESP8266's core, and a program in C that is linked with it as an Arduino link would.

use crate::cargo::unbound;
use crate::firmware;
use crate::part::{DEBIAN_CARGO, DEBIAN_RUSTC};
use crate::plan::Context;
use crate::run;
use anyhow::{Context as _, Result, ensure};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

const TOOLCHAIN: &str = "examples/esp8266/toolchain";
const SOURCES: &str = "examples/esp8266/c";
const TARGET: &str = "xtensa-lx106-none-elf";
const GCC: &str = "xtensa-lx106-elf-gcc";
const NM: &str = "xtensa-lx106-elf-nm";
/// The program in C, below the workspace.
const NODE: &str = "target/firmware/lx106-c/node";
/// Memories of the chip, as the linker script has them.
const FLASH: std::ops::Range<u64> = 0x4020_0000..0x4030_0000;
const DATA_RAM: std::ops::Range<u64> = 0x3ffe_8000..0x3fff_c000;
/// Names that are in no image: formatting, panics, divisions that the compiler's backend for this core gets wrong.
const UNWANTED: [&str; 8] = [
    "core::fmt",
    "core::panicking",
    "panic_impl",
    "rust_begin_unwind",
    "alloc::",
    "udivti3",
    "umodti3",
    "u128_div_rem",
];

/// What all of the library is to take of flash at most: 60 KiB, and 24 KiB for what seals. What the aim is for, session, codec and outbox, is half of
/// the library.
const FLASH_LIMIT: u64 = (60 + 24) * 1024;
/// What session, codec and outbox alone are to come to, and 24 KiB for what seals.
const FLASH_AIM: u64 = (40 + 24) * 1024;

/// What the library adds to an image, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Code, in flash.
    flash: u64,
    /// Constants, in data RAM.
    constants: u64,
}

impl Footprint {
    /// Whether it holds to its limit.
    pub fn check(&self) -> Result<()> {
        ensure!(self.flash <= FLASH_LIMIT, "{self}: {FLASH_LIMIT} bytes of flash are allowed");
        Ok(())
    }
}

impl fmt::Display for Footprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over = self.flash.saturating_sub(FLASH_AIM);
        write!(
            f,
            "the C library takes {} bytes of flash ({over} above the aim of {FLASH_AIM}), and {} of data RAM for constants",
            self.flash, self.constants
        )
    }
}

/// Builds `target/firmware/libsensock.a`: one member `sensock.c.o` that shows `sensock_*` and nothing else.
pub fn library(context: &Context) -> Result<PathBuf> {
    for (program, package) in [
        (GCC, "gcc-xtensa-lx106"),
        ("llc-22", "llvm-22"),
        ("python3", "python3"),
        ("rustc", "rustc-web rust-web-src"),
    ] {
        ensure!(run::is_installed(program), "{program} is not installed (Debian packages {package})");
    }
    let out = context.root.join("target/firmware");
    let mut build = unbound(DEBIAN_CARGO, context);
    build.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
    // A panic is a trap: neither formatting nor unwinding is linked. Other opt-levels crash this core's backend, and it has no debug info.
    build.env("RUSTFLAGS", "-Zunstable-options -Cpanic=immediate-abort --cfg=sha2_backend_soft=\"compact\"");
    build.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s").env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    build.args([
        "rustc",
        "--release",
        "--locked",
        "--package",
        "sensock-ffi",
        "--lib",
        "--crate-type",
        "staticlib",
    ]);
    build.args(["-Zbuild-std=core", "-Zjson-target-spec", "--target", &format!("{TOOLCHAIN}/{TARGET}.json")]);
    // Beside those of firmware: it is the same compiler, with other flags.
    run::run(build.arg("--target-dir").arg(out.join("c-library")))?;
    let made = out.join("c-library").join(TARGET).join("release/libsensock_ffi.a");
    let library = out.join("libsensock.a");
    let mut merge = Command::new("python3");
    merge.arg(context.root.join(TOOLCHAIN).join("archive.py")).args([&made, &library]);
    run::run(merge.args(["--one", "sensock.c.o", "--keep", "sensock_*"]))?;
    check_archive(&library, &context.root.join(crate::header::HEADER))?;
    Ok(library)
}

/// Builds the program in C at [`NODE`] and checks where everything in it lies.
pub fn node(context: &Context) -> Result<Footprint> {
    let library = library(context)?;
    let image = context.root.join(NODE);
    let folder = image.parent().context("an image lies in a folder")?;
    std::fs::create_dir_all(folder)?;
    let sources = context.root.join(SOURCES);
    let mut objects = Vec::new();
    for name in ["node", "port_lx106", "rom"] {
        let object = folder.join(format!("{name}.c.o"));
        let mut compile = Command::new(GCC);
        compile.args([
            "-std=c11",
            "-Os",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-ffreestanding",
            "-ffunction-sections",
        ]);
        compile.arg(format!("-DDEVICE_KEY=\"{}\"", firmware::key_of(context, "c-node")?));
        compile.args(["-fdata-sections", "-mlongcalls", "-mtext-section-literals", "-c", "-I"]);
        compile.arg(context.root.join("crates/ffi/include")).arg(sources.join(format!("{name}.c")));
        run::run(compile.arg("-o").arg(&object))?;
        objects.push(object);
    }
    let mut link = Command::new(GCC);
    link.args(["-nostdlib", "-nostartfiles", "-mtext-section-literals", "-Wl,--gc-sections"]);
    // The chip protects no memory, so the linker need not warn of what could be written and run.
    link.args(["-Wl,--no-warn-rwx-segments", "-Wl,--no-warn-execstack", "-T"])
        .arg(sources.join("arduino.ld"));
    link.arg(format!("-Wl,-Map={}", image.with_extension("map").display()));
    link.arg(context.root.join(TOOLCHAIN).join("start/startup.S")).args(objects).arg(&library);
    run::run(link.arg("-o").arg(&image))?;
    check_image(&image)
}

/// Compiles the class and its sketches for the chip, with the stub of the Arduino API: that they compile there is all that is shown.
pub fn sketches(context: &Context) -> Result<()> {
    let arduino = context.root.join("examples/esp8266/arduino");
    let folder = context.root.join("target/firmware/lx106-arduino");
    std::fs::create_dir_all(folder.join("abi"))?;
    std::fs::copy(context.root.join(crate::header::HEADER), folder.join("abi/sensock.h"))?;
    let library = arduino.join("library");
    let examples = library.join("examples");
    let sketch = |name: &str| examples.join(name).join(format!("{name}.ino"));
    for (name, source) in [
        ("Sensock", library.join("src/Sensock.cpp")),
        ("DhtAndRelay", sketch("DhtAndRelay")),
        ("DeepSleep", sketch("DeepSleep")),
    ] {
        let mut compile = Command::new("xtensa-lx106-elf-g++");
        compile.args([
            "-std=gnu++17",
            "-Os",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-Wno-missing-field-initializers",
        ]);
        compile.args([
            "-ffreestanding",
            "-fno-exceptions",
            "-fno-rtti",
            "-mlongcalls",
            "-mtext-section-literals",
        ]);
        // They want a key to be pasted, and are not run here.
        compile.arg("-DKEY=\"snk1\"");
        compile.args([
            "-isystem",
            "/usr/lib/xtensa-lx106-elf/include",
            "-include",
            "Arduino.h",
            "-x",
            "c++",
            "-c",
        ]);
        for include in [&arduino.join("stub"), &library.join("src"), &folder] {
            compile.arg("-I").arg(include);
        }
        run::run(compile.arg(source).arg("-o").arg(folder.join(format!("{name}.cpp.o"))))?;
    }
    Ok(())
}

/// One member, whose global symbols are the header's functions, and which needs nothing of others but `abort`.
fn check_archive(library: &Path, header: &Path) -> Result<()> {
    let members = run::output(Command::new("xtensa-lx106-elf-ar").arg("t").arg(library))?;
    ensure!(
        members.trim() == "sensock.c.o",
        "the archive's members are {members:?}; sensock.c.o alone is expected"
    );
    let header = std::fs::read_to_string(header)?;
    for symbol in symbols(library)? {
        match symbol.kind {
            'U' | 'w' => ensure!(symbol.name == "abort", "the library needs {} of others", symbol.name),
            kind if kind.is_ascii_uppercase() => ensure!(
                header.contains(&format!("{}(", symbol.name)),
                "{} is global in the library, and sensock.h does not declare it",
                symbol.name
            ),
            _ => {}
        }
    }
    Ok(())
}

/// Code in flash, constants in data RAM, nothing unwanted.
fn check_image(image: &Path) -> Result<Footprint> {
    let symbols = symbols(image)?;
    ensure!(symbols.iter().any(|s| s.name == "sensock_transmit"), "the image has none of the library");
    for symbol in &symbols {
        let unwanted = UNWANTED.iter().find(|name| symbol.name.contains(*name));
        ensure!(unwanted.is_none(), "{} is in the image", symbol.name);
        let ours = symbol.name.starts_with("sensock_") || symbol.name.contains("::");
        let place = match symbol.kind.to_ascii_lowercase() {
            't' => &FLASH,
            'r' | 'd' | 'b' => &DATA_RAM,
            _ => continue,
        };
        ensure!(!ours || place.contains(&symbol.at), "{} lies at {:#x}", symbol.name, symbol.at);
    }
    let map = std::fs::read_to_string(image.with_extension("map"))?;
    Ok(Footprint { flash: taken(&map, &FLASH), constants: taken(&map, &DATA_RAM) })
}

/// How many bytes sections of the library take in a memory, as the linker's map says.
fn taken(map: &str, memory: &std::ops::Range<u64>) -> u64 {
    let number = |word: &str| word.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
    let mut total = 0;
    for line in map.lines().filter(|line| line.contains("libsensock.a(sensock.c.o)")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        // Such as ` .text.x  0x40200000  0x1c  …/libsensock.a(sensock.c.o)`; a long name stands on a line of its own.
        let at = words.iter().position(|word| number(word).is_some_and(|at| memory.contains(&at)));
        total += at.and_then(|at| words.get(at + 1)).and_then(|word| number(word)).unwrap_or(0);
    }
    total
}

struct Symbol {
    name: String,
    kind: char,
    at: u64,
}

fn symbols(file: &Path) -> Result<Vec<Symbol>> {
    let listed = run::output(Command::new(NM).args(["--portability"]).arg(file))?;
    let symbol = |line: &str| {
        let mut words = line.split(' ');
        let (name, kind, at) = (words.next()?, words.next()?, words.next().unwrap_or_default());
        Some(Symbol {
            name: format!("{:#}", rustc_demangle::demangle(name)),
            kind: kind.chars().next()?,
            at: u64::from_str_radix(at, 16).unwrap_or(0),
        })
    };
    Ok(listed.lines().filter(|line| !line.ends_with(':')).filter_map(symbol).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_added_up() {
        let map = "\
 .text.a        0x0000000040200010       0x1c x/libsensock.a(sensock.c.o)
 .text.a_rather_long_name
                0x0000000040200030        0x4 x/libsensock.a(sensock.c.o)
                                         0x20 (size before relaxing)
 .rodata.b      0x000000003ffe8010        0x8 x/libsensock.a(sensock.c.o)
 .text.other    0x0000000040200040        0x8 x/node.c.o
 .text.dropped  0x0000000000000000       0x99 x/libsensock.a(sensock.c.o)
x/libsensock.a(sensock.c.o)";
        assert_eq!((taken(map, &FLASH), taken(map, &DATA_RAM)), (0x20, 8));
    }
}
