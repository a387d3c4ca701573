//! Tells the linker where things go, and finds what the radio wants to be loaded with.
//!
//! The radio's firmware is its vendor's, under a licence of its own, and no part of this repository. Name the folder that has it in
//! `CYW43_FIRMWARE`: `43439A0.bin`, `43439A0_clm.bin` and `nvram_rp2040.bin`, as the cyw43 crate's repository has them. Without it there are
//! placeholders, with which everything compiles and no radio starts.

use std::path::{Path, PathBuf};
use std::{env, fs};

const FILES: [&str; 3] = ["43439A0.bin", "43439A0_clm.bin", "nvram_rp2040.bin"];

fn main() {
    println!("cargo::rustc-link-search={}", env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
    println!("cargo::rustc-link-arg-bins=--nmagic");
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-link-arg-bins=-Tlink-rp.x");
    println!("cargo::rerun-if-changed=memory.x");
    println!("cargo::rerun-if-env-changed=CYW43_FIRMWARE");
    let from = env::var_os("CYW43_FIRMWARE").map(PathBuf::from);
    let to = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    for file in FILES {
        let bytes = match &from {
            Some(folder) => read(&folder.join(file)),
            None => b"placeholder".to_vec(),
        };
        if let Err(error) = fs::write(to.join(file), bytes) {
            panic!("{file} cannot be written: {error}");
        }
    }
    if from.is_none() {
        println!(
            "cargo::warning=CYW43_FIRMWARE is not set: this firmware compiles, but its radio does not start"
        );
    }
}

fn read(path: &Path) -> Vec<u8> {
    println!("cargo::rerun-if-changed={}", path.display());
    match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => panic!("CYW43_FIRMWARE names a folder with {FILES:?}, but {}: {error}", path.display()),
    }
}
