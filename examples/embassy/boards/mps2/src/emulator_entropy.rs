//! **For QEMU only.** Random bytes of the computer that runs the emulator, through semihosting. No chip has that: on silicon this is where
//! the chip's own generator goes. A program that names this module must never be flashed.

use app::NoEntropy;
use cortex_m_semihosting::{nr, syscall};

/// To be read, as bytes.
const READ: usize = 1;

/// Fills the bytes from the computer's random numbers; see the module.
///
/// # Errors
/// If the computer has none.
pub fn random(into: &mut [u8]) -> Result<(), NoEntropy> {
    const NAME: &[u8] = b"/dev/urandom\0";
    let open = [NAME.as_ptr() as usize, READ, NAME.len() - 1];
    // SAFETY: SYS_OPEN reads these three words and the name, and changes no memory; the answer is a file, or -1.
    let file = unsafe { syscall(nr::OPEN, &open) };
    if file == usize::MAX {
        return Err(NoEntropy);
    }
    let read = [file, into.as_mut_ptr() as usize, into.len()];
    // SAFETY: SYS_READ writes at most so many bytes to this address, which `into` borrows for us alone; the answer is how many are missing.
    let missing = unsafe { syscall(nr::READ, &read) };
    // SAFETY: SYS_CLOSE changes no memory.
    let _closed = unsafe { syscall(nr::CLOSE, &[file]) };
    if missing == 0 { Ok(()) } else { Err(NoEntropy) }
}
