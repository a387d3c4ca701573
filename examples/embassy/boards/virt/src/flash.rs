//! The machine's second flash chip: two Intel-style parts of 16 bits side by side (command set 1), so that each command is written twice in one word.

use embedded_storage_async::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

use embassy_time::{Duration, Instant};

use crate::register::Register;

const BASE: usize = 0x2200_0000;
const CAPACITY: usize = 32 << 20;
/// What is erased at once: 128 KiB of each part.
const PAGE: usize = 256 << 10;
/// How long a chip of this kind takes to erase one. QEMU takes less than a millisecond, so the rest is waited for here: what a firmware has to
/// live with shall be seen.
const ERASE: Duration = Duration::from_millis(400);
/// What is read and written at once.
const WORD: usize = 4;

/// The same for both parts.
const fn both(command: u32) -> u32 {
    command << 16 | command
}

const READ_ARRAY: u32 = both(0xff);
const CLEAR_STATUS: u32 = both(0x50);
const PROGRAM: u32 = both(0x40);
const ERASE_PAGE: u32 = both(0x20);
const CONFIRM: u32 = both(0xd0);
const READY: u32 = both(0x80);
/// Erase failed, program failed, supply too low, page locked.
const FAILED: u32 = both(0x3a);

/// What the chip refuses, or what it failed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Beyond its end.
    OutOfBounds,
    /// Not at a word, or at a page for an erase.
    NotAligned,
    /// It says that it failed.
    Chip,
}

impl NorFlashError for Fault {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Fault::OutOfBounds => NorFlashErrorKind::OutOfBounds,
            Fault::NotAligned => NorFlashErrorKind::NotAligned,
            Fault::Chip => NorFlashErrorKind::Other,
        }
    }
}

/// The chip. Nothing is awaited in the middle of a command, so that several of these may be in use at once: a page's erase blocks everything
/// but interrupts, as it does on a chip that cannot be asked meanwhile.
#[derive(Debug)]
pub struct Chip(());

impl Chip {
    /// The chip of `-drive if=pflash,unit=1`.
    pub fn new() -> Self {
        let chip = Chip(());
        word(0).write(READ_ARRAY);
        chip
    }
}

impl Default for Chip {
    fn default() -> Self {
        Self::new()
    }
}

/// The word that holds this byte; `at` is within the chip.
fn word(at: usize) -> Register {
    // SAFETY: `virt` has the chip there. It is no memory of the program's: nothing but this file reads or writes it.
    unsafe { Register::at(BASE + at / WORD * WORD) }
}

fn check(at: u32, len: usize, unit: usize) -> Result<usize, Fault> {
    let at = at as usize;
    match at.checked_add(len) {
        Some(end) if end <= CAPACITY && at % unit == 0 && len % unit == 0 => Ok(at),
        Some(end) if end <= CAPACITY => Err(Fault::NotAligned),
        _ => Err(Fault::OutOfBounds),
    }
}

/// Writes a command's two words, waits until it is done, and goes back to reading.
fn run(at: usize, first: u32, second: u32) -> Result<(), Fault> {
    let place = word(at);
    place.write(first);
    place.write(second);
    let mut status = place.read();
    while status & READY != READY {
        status = place.read();
    }
    place.write(CLEAR_STATUS);
    place.write(READ_ARRAY);
    if status & FAILED == 0 { Ok(()) } else { Err(Fault::Chip) }
}

impl ErrorType for Chip {
    type Error = Fault;
}

impl ReadNorFlash for Chip {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Fault> {
        let mut at = check(offset, bytes.len(), 1)?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let held = word(at).read().to_le_bytes();
            let held = &held[at % WORD..];
            let len = held.len().min(rest.len());
            let (now, later) = rest.split_at_mut(len);
            now.copy_from_slice(&held[..len]);
            (at, rest) = (at + len, later);
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        CAPACITY
    }
}

impl NorFlash for Chip {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        let len = to.checked_sub(from).ok_or(Fault::OutOfBounds)?;
        let start = check(from, len as usize, PAGE)?;
        for page in (start..to as usize).step_by(PAGE) {
            let done = Instant::now() + ERASE;
            run(page, ERASE_PAGE, CONFIRM)?;
            while Instant::now() < done {}
        }
        Ok(())
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Fault> {
        let start = check(offset, bytes.len(), WORD)?;
        for (n, bytes) in bytes.chunks_exact(WORD).enumerate() {
            let value = bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
            run(start + n * WORD, PROGRAM, value)?;
        }
        Ok(())
    }
}

impl MultiwriteNorFlash for Chip {}
