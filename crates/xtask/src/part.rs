//! Parts that a machine with only Rust does not have.

use crate::run;
use clap::ValueEnum;
use std::path::Path;
use std::process::Command;

/// A part that some steps need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Part {
    /// The MariaDB server, which test suites start for themselves.
    Mariadb,
    /// The MQTT broker that the load generator measures beside our server.
    Mosquitto,
    /// Debian's Rust compiler with the sources of `core`, for builds without `std` and `alloc`, and LLVM's linker.
    Cross,
    /// `cargo-fuzz`, for the fuzz targets where a nightly toolchain is installed.
    Fuzz,
    /// valgrind and the program that runs benches under it.
    Valgrind,
    /// QEMU's machines for ARM, RISC-V and Xtensa, on which firmware runs.
    Qemu,
    /// GCC and LLVM for LX106, the ESP8266's core.
    Lx106,
    /// `cargo-deny`, which reads licences and advisories.
    Deny,
}

impl Part {
    /// As the command line spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mariadb => "mariadb",
            Self::Mosquitto => "mosquitto",
            Self::Cross => "cross",
            Self::Fuzz => "fuzz",
            Self::Valgrind => "valgrind",
            Self::Qemu => "qemu",
            Self::Lx106 => "lx106",
            Self::Deny => "deny",
        }
    }

    /// Why it cannot be used, as a sentence without its end; `None` when it can.
    pub fn missing(self) -> Option<String> {
        match self {
            Self::Mariadb => {
                let here = ["mariadbd", "mariadb-install-db", "mariadb"].into_iter().all(run::is_installed);
                (!here).then(|| "MariaDB is not installed (Debian package mariadb-server)".into())
            }
            Self::Mosquitto => (!run::is_installed("mosquitto"))
                .then(|| "mosquitto is not installed (Debian package mosquitto)".into()),
            Self::Cross => {
                let sources = Path::new(DEBIAN_SYSROOT).join("lib/rustlib/src/rust/library/core").is_dir();
                let rust = Path::new(DEBIAN_RUSTC).is_file() && Path::new(DEBIAN_CARGO).is_file() && sources;
                let here = rust && run::is_installed(LINKER);
                (!here).then(|| {
                    "Debian's Rust with its sources and LLVM's linker is not installed (packages rustc-web cargo-web rust-web-src lld-22)".into()
                })
            }
            Self::Fuzz => (!run::is_installed("cargo-fuzz"))
                .then(|| format!("cargo-fuzz is not installed (cargo install cargo-fuzz@{CARGO_FUZZ})")),
            Self::Deny => (!run::is_installed("cargo-deny"))
                .then(|| format!("cargo-deny is not installed (cargo install cargo-deny@{CARGO_DENY})")),
            Self::Valgrind => {
                if !run::is_installed("valgrind") {
                    return Some("valgrind is not installed (Debian package valgrind)".into());
                }
                // It runs benches of its own version only.
                (!is_version("gungraun-runner", GUNGRAUN)).then(|| {
                    format!("gungraun-runner {GUNGRAUN} is not installed (cargo install --locked gungraun-runner@{GUNGRAUN})")
                })
            }
            Self::Qemu => {
                absent(&["qemu-system-arm", "qemu-system-riscv32", "qemu-system-xtensa"]).map(|program| {
                    format!("{program} is not installed (Debian packages qemu-system-arm qemu-system-misc)")
                })
            }
            Self::Lx106 => {
                absent(&["xtensa-lx106-elf-gcc", "xtensa-lx106-elf-ld", "llc-22", "python3"]).map(|program| {
                    format!(
                        "{program} is not installed (Debian packages {})",
                        Self::Lx106.packages().join(" ")
                    )
                })
            }
        }
    }

    /// The packages of Debian 12 that bring it.
    pub fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Mariadb => &["mariadb-server"],
            // Where the package starts the broker as a service, ours use ports of their own beside it.
            Self::Mosquitto => &["mosquitto"],
            Self::Cross => &["rustc-web", "cargo-web", "rust-web-src", "lld-22"],
            // libFuzzer is C++.
            Self::Fuzz => &["g++"],
            Self::Valgrind => &["valgrind"],
            Self::Deny => &[],
            // RISC-V and Xtensa are in the second.
            Self::Qemu => &["qemu-system-arm", "qemu-system-misc"],
            Self::Lx106 => &[
                "gcc-xtensa-lx106",
                "binutils-xtensa-lx106",
                "picolibc-xtensa-lx106-elf",
                "llvm-22",
                "python3",
            ],
        }
    }
}

/// The version of cargo-fuzz that `--install` fetches.
pub const CARGO_FUZZ: &str = "0.13.2";

/// The version of cargo-deny that `--install` fetches.
pub const CARGO_DENY: &str = "0.20.2";

/// The version of gungraun in `Cargo.lock`, whose program `--install` fetches.
pub const GUNGRAUN: &str = "0.20.0";

/// Debian's compiler: rustup carries no sources where it cannot fetch them, Debian's package does.
pub const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
/// LLVM's linker as Debian names it; the images of `benches/size` ask for it by this name.
const LINKER: &str = "ld.lld-22";
/// Debian's cargo, of the same release.
pub const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_SYSROOT: &str = "/usr";

/// The first of these programs that is not installed.
fn absent(programs: &[&'static str]) -> Option<&'static str> {
    programs.iter().copied().find(|program| !run::is_installed(program))
}

/// Whether rustup has a nightly toolchain.
pub fn has_nightly() -> bool {
    has_toolchain("nightly")
}

/// Whether rustup has a toolchain of this name, such as `1.88`.
pub fn has_toolchain(name: &str) -> bool {
    let list = Command::new("rustup").args(["toolchain", "list"]).output();
    list.is_ok_and(|list| String::from_utf8_lossy(&list.stdout).lines().any(|line| is_toolchain(line, name)))
}

/// Whether `program --version` ends with this version.
fn is_version(program: &str, version: &str) -> bool {
    let said = Command::new(program).arg("--version").output();
    said.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).trim().ends_with(&format!(" {version}")))
}

/// `line` is such as `1.88.0-x86_64-unknown-linux-gnu` or `nightly-x86_64-unknown-linux-gnu (default)`.
fn is_toolchain(line: &str, name: &str) -> bool {
    line.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toolchain_is_recognised_by_its_whole_name() {
        assert!(is_toolchain("1.88.0-x86_64-unknown-linux-gnu", "1.88"));
        assert!(is_toolchain("nightly-x86_64-unknown-linux-gnu (active)", "nightly"));
        assert!(!is_toolchain("1.88.0-x86_64-unknown-linux-gnu", "1.8"));
        assert!(!is_toolchain("stable-x86_64-unknown-linux-gnu", "1.88"));
    }

    #[test]
    fn the_command_line_spells_parts_as_we_do() {
        for part in Part::value_variants() {
            assert_eq!(part.to_possible_value().unwrap().get_name(), part.name());
        }
    }
}
