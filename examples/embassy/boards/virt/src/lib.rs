//! The example firmware on RV32IMC: QEMU's `virt` machine, with virtio-net on its network.
//!
//! | file | what it knows |
//! |---|---|
//! | `clock` | the machine's timer, which counts and interrupts |
//! | `console` | text, through the serial port; the exit code; what a panic says |
//! | `emulator_entropy` | random bytes, which the emulator has of its computer |
//! | `flash` | the second flash chip, for what survives a power cut |
//! | `interrupt` | which interrupt is whose |
//! | `net` | virtio-net, as a driver for embassy-net |
//! | `register` | the one place that reads and writes registers |
//! | `reset` | starting anew, and the memory that this leaves alone |
//! | `stack` | how far the stack goes |
//! | `virtio` | a queue of frames that board and computer share |
#![no_std]

mod clock;
pub mod console;
pub mod emulator_entropy;
#[cfg(feature = "flash")]
pub mod flash;
mod interrupt;
pub mod net;
mod register;
pub mod reset;
pub mod stack;
mod virtio;

pub use interrupt::URGENT;

/// This board's name, and its device's.
pub const ID: &str = "virt";

/// Starts the clock and calls `init` with a spawner, then runs what was spawned, for ever.
///
/// Call it once, as the first thing in `main`.
pub fn run(init: impl FnOnce(embassy_executor::Spawner)) -> ! {
    clock::start();
    interrupt::start();
    executors::run(init, || clock::sleep(riscv::asm::wfi))
}
