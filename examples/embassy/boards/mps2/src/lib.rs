//! The example firmware on a Cortex-M3: Arm's MPS2 with image AN385, as QEMU's `mps2-an385` has it, with the LAN9118 on its network.
//!
//! | file | what it knows |
//! |---|---|
//! | `clock` | FPGAIO's counter and CMSDK timer 0, which wakes the core for what is due |
//! | `console` | text and the exit code, through semihosting; what a panic says |
//! | `emulator_entropy` | random bytes, which the emulator has of its computer |
//! | `interrupt` | which interrupt is whose |
//! | `net` | the LAN9118, as a driver for embassy-net |
//! | `reset` | starting anew, and the memory that this leaves alone |
//! | `register` | the one place that reads and writes registers |
//! | `stack` | how far the stack goes |
#![no_std]

mod clock;
pub mod console;
pub mod emulator_entropy;
mod interrupt;
pub mod net;
mod register;
pub mod reset;
pub mod stack;

use interrupt::Interrupt;
pub use interrupt::URGENT;

/// This board's name, and its device's.
pub const ID: &str = "mps2";

/// Starts the clock and calls `init` with a spawner, then runs what was spawned, for ever.
///
/// Call it once, as the first thing in `main`.
pub fn run(init: impl FnOnce(embassy_executor::Spawner)) -> ! {
    clock::start();
    interrupt::enable(Interrupt::Software);
    executors::run(init, || clock::sleep(cortex_m::asm::wfi))
}
