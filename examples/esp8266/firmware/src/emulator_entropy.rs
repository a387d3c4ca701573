//! **For QEMU only.** Random bytes of the computer that runs the emulator, through semihosting. No chip has that: on silicon this is where
//! the chip's own generator goes, the register at 0x3FF20E44, which is good only while the
//! radio is on. A program that names this module must never be flashed.

use app::NoEntropy;

use crate::lx106;

/// Fills the bytes from the computer's random numbers; see the module.
///
/// # Errors
/// If the computer has none.
pub fn random(into: &mut [u8]) -> Result<(), NoEntropy> {
    if lx106::random(into) { Ok(()) } else { Err(NoEntropy) }
}
