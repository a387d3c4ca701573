//! Building the images. Boards that run share a target directory, boards that are only compiled have another, so that two build at a time.

use super::keys;
use crate::arduino;
use crate::cargo::unbound;
use crate::part::{DEBIAN_CARGO, DEBIAN_RUSTC};
use crate::plan::Context;
use crate::run;
use anyhow::{Context as _, Result, anyhow};
use clap::ValueEnum;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A board of `examples/embassy` or `examples/esp8266`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Board {
    /// Cortex-M3, under QEMU.
    Mps2,
    /// RV32IMC, under QEMU.
    Virt,
    /// The ESP8266's core, under QEMU: the firmware, and the program in C.
    Lx106,
    /// Compiled only.
    Esp32c3,
    /// Compiled only.
    PicoW,
}

impl Board {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::value_variants().iter().copied()
    }

    /// Whether it is compiled only.
    fn is_checked_only(self) -> bool {
        matches!(self, Self::Esp32c3 | Self::PicoW)
    }

    /// Its workspace, and what names it on cargo's command line.
    fn place(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Mps2 => ("examples/embassy", &["--package", "mps2", "--target", "thumbv7m-none-eabi"]),
            Self::Virt => {
                ("examples/embassy", &["--package", "virt", "--target", "riscv32imc-unknown-none-elf"])
            }
            // The folder's own configuration names the target, which is a file.
            Self::Lx106 => ("examples/esp8266/firmware", &[]),
            Self::Esp32c3 => {
                ("examples/embassy/boards/esp32c3", &["--target", "riscv32imc-unknown-none-elf"])
            }
            Self::PicoW => ("examples/embassy", &["--package", "pico-w", "--target", "thumbv6m-none-eabi"]),
        }
    }

    /// The name of its device.
    fn id(self) -> &'static str {
        match self {
            Self::Mps2 => "mps2",
            Self::Virt => "virt",
            Self::Lx106 => "lx106",
            Self::Esp32c3 => "esp32c3",
            Self::PicoW => "pico-w",
        }
    }

    /// Where cargo puts its images, below [`directory`].
    fn target(self) -> &'static str {
        match self {
            Self::Mps2 => "thumbv7m-none-eabi",
            Self::Virt | Self::Esp32c3 => "riscv32imc-unknown-none-elf",
            Self::Lx106 => "xtensa-lx106-none-elf",
            Self::PicoW => "thumbv6m-none-eabi",
        }
    }
}

/// Where the images of boards that run lie.
pub fn directory(context: &Context) -> PathBuf {
    context.root.join("target/firmware")
}

/// Builds all images of these boards, two at a time.
pub fn build(context: &Context, boards: &BTreeSet<Board>) -> Result<()> {
    let (checked, run): (Vec<Board>, Vec<Board>) = boards.iter().partition(|board| board.is_checked_only());
    std::thread::scope(|scope| {
        let other = scope.spawn(|| checked.into_iter().try_for_each(|board| check(context, board)));
        let here = run.into_iter().try_for_each(|board| images(context, board));
        let there = other.join().map_err(|_| anyhow!("the build of the other boards panicked"))?;
        here.and(there)
    })
}

/// The images of a board that runs.
fn images(context: &Context, board: Board) -> Result<()> {
    // How long QEMU sleeps is up to the computer, so what is measured in guest time has a build of its own.
    run::run(cargo(context, board, "firmware")?.args(["--bin", "node", "--features", "counted"]))?;
    let place = directory(context).join(board.target()).join("release");
    std::fs::copy(place.join("node"), place.join("counted"))
        .context("the node that counts its time cannot be kept")?;
    if board == Board::Virt {
        run::run(cargo(context, board, "firmware")?.args(["--bin", "logger", "--features", "flash"]))?;
    }
    run::run(cargo(context, board, "firmware")?.arg("--bins"))?;
    if board == Board::Lx106 {
        println!("lx106: {}", arduino::packed(context)?);
    }
    Ok(())
}

fn check(context: &Context, board: Board) -> Result<()> {
    run::run(cargo(context, board, "firmware-check")?.arg("--bins"))
}

fn cargo(context: &Context, board: Board, target_directory: &str) -> Result<std::process::Command> {
    let (folder, names) = board.place();
    let mut command = unbound(DEBIAN_CARGO, context);
    command.current_dir(context.root.join(folder));
    // The variable lets a stable compiler take what `.cargo/config.toml` there says of build-std.
    command.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
    command.args(["build", "--release", "--locked", "--target-dir"]);
    command.arg(context.root.join("target").join(target_directory)).args(names);
    command.env("SENSOCK_KEY", keys::line_of(context, board.id())?);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_has_a_folder() {
        for board in Board::all() {
            let folder = crate::test::workspace().join(board.place().0);
            assert!(folder.join("Cargo.toml").is_file(), "{board:?}: {}", folder.display());
        }
    }
}
