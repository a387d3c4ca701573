//! Assembles the startup code, and tells the linker where things go.

use std::path::Path;
use std::process::Command;

const ASSEMBLER: &str = "xtensa-lx106-elf-gcc";

fn main() {
    let start = Path::new(env!("CARGO_MANIFEST_DIR")).join("../toolchain/start");
    let (source, script) = (start.join("startup.S"), start.join("chip.ld"));
    let object = Path::new(&std::env::var_os("OUT_DIR").unwrap_or_default()).join("startup.o");
    let mut command = Command::new(ASSEMBLER);
    command.args(["-c", "-mlongcalls", "-mtext-section-literals"]).arg(&source).arg("-o").arg(&object);
    match command.status() {
        Ok(status) if status.success() => {}
        Ok(_) => panic!("{} cannot be assembled: the reason stands above", source.display()),
        Err(error) => panic!("{ASSEMBLER} cannot be started ({error}): install Debian's gcc-xtensa-lx106"),
    }
    println!("cargo::rustc-link-arg-bins={}", object.display());
    println!("cargo::rustc-link-arg-bins=-T{}", script.display());
    for argument in [
        "-nostartfiles",
        "-nostdlib",
        "-Wl,--gc-sections",
        "-Wl,--no-warn-rwx-segments",
        "-Wl,--no-warn-execstack",
    ] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    println!("cargo::rerun-if-changed={}", source.display());
    println!("cargo::rerun-if-changed={}", script.display());
}
