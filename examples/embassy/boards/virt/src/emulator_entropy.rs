//! **For QEMU only.** Random bytes of the computer that runs the emulator, through semihosting. No chip has that: on silicon this is where
//! the chip's own generator goes. A program that names this module must never be flashed.

use app::NoEntropy;
use core::arch::asm;

const OPEN: usize = 1;
const CLOSE: usize = 2;
const READ: usize = 6;
/// To be read, as bytes.
const BINARY: usize = 1;

/// Asks the emulator.
///
/// # Safety
/// Whatever the call writes to is borrowed by the caller for that.
unsafe fn semihosting(number: usize, words: &[usize]) -> usize {
    let answer;
    // SAFETY: the three instructions, none of them compressed and all in one page, are what RISC-V's semihosting is asked by; it
    // reads the words that a1 points to, changes a0 and, of memory, what the caller promised.
    unsafe {
        asm!(
            ".balign 16",
            ".option push",
            ".option norvc",
            "slli x0, x0, 0x1f",
            "ebreak",
            "srai x0, x0, 7",
            ".option pop",
            inout("a0") number => answer,
            in("a1") words.as_ptr(),
            options(nostack),
        );
    }
    answer
}

/// Fills the bytes from the computer's random numbers; see the module.
///
/// # Errors
/// If the computer has none.
pub fn random(into: &mut [u8]) -> Result<(), NoEntropy> {
    const NAME: &[u8] = b"/dev/urandom\0";
    let open = [NAME.as_ptr() as usize, BINARY, NAME.len() - 1];
    // SAFETY: it writes to nothing; the answer is a file, or -1.
    let file = unsafe { semihosting(OPEN, &open) };
    if file == usize::MAX {
        return Err(NoEntropy);
    }
    let read = [file, into.as_mut_ptr() as usize, into.len()];
    // SAFETY: it writes at most so many bytes to this address, which `into` borrows for us alone; the answer is how many are missing.
    let missing = unsafe { semihosting(READ, &read) };
    // SAFETY: it writes to nothing.
    let _closed = unsafe { semihosting(CLOSE, &[file]) };
    if missing == 0 { Ok(()) } else { Err(NoEntropy) }
}
