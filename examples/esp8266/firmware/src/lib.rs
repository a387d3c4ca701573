//! The example firmware on LX106, the ESP8266's core: in the real chip's memory map, run under QEMU, not run on silicon.
//!
//! QEMU's machine is `kc705-nommu` with `-cpu lx106`: the core is the ESP8266's, and so are the addresses of its memories; network and
//! console are the board's, since nobody emulates the chip's radio. On a real ESP8266 the session runs inside the vendor's firmware,
//! through the C ABI: see `../arduino`.
//!
//! | file | what it knows |
//! |---|---|
//! | `clock` | the cycle counter as embassy's clock |
//! | `console` | text and the exit code, through semihosting; what a panic and an exception say |
//! | `interrupt` | which interrupt is whose |
//! | `lx106` | the functions of `startup.S` |
//! | `emulator_entropy` | random bytes, which the emulator has of its computer |
//! | `net` | OpenCores' Ethernet controller, as a driver for embassy-net |
//! | `register` | the one place that reads and writes registers |
//! | `reset` | starting anew, and the memory that this leaves alone |
//! | `stack` | how far the stack goes |
#![no_std]

mod clock;
pub mod console;
pub mod emulator_entropy;
mod interrupt;
mod lx106;
pub mod net;
mod register;
pub mod reset;
pub mod stack;

pub use interrupt::URGENT;

/// This board's name, and its device's.
pub const ID: &str = "lx106";

/// Calls `init` with a spawner, then runs what was spawned, for ever.
///
/// Call it once, as the first thing in `program`.
pub fn run(init: impl FnOnce(embassy_executor::Spawner)) -> ! {
    clock::start();
    interrupt::start();
    executors::run(init, clock::sleep)
}
