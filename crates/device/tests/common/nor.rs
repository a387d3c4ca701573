//! A flash chip that loses power at any word, leaves words half written and pages half erased.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use embedded_storage_async::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Bytes of a page, and of a word.
pub const PAGE: usize = 1024;
pub const WORD: usize = 4;

/// What a chip without power says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPower;

impl NorFlashError for NoPower {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

/// A handle to the chip; clones are the same chip.
#[derive(Clone)]
pub struct Nor(Arc<Mutex<Chip>>);

struct Chip {
    bytes: Vec<u8>,
    /// Words that may still be written or pages that may still be erased.
    power: u64,
    writes: u64,
    erases: u64,
    chance: RefCell<SmallRng>,
}

impl Nor {
    pub fn new(pages: usize, seed: u64) -> Self {
        let chance = RefCell::new(SmallRng::seed_from_u64(seed));
        let chip = Chip { bytes: vec![0xff; pages * PAGE], power: u64::MAX, writes: 0, erases: 0, chance };
        Nor(Arc::new(Mutex::new(chip)))
    }

    pub fn size(&self) -> u32 {
        self.0.lock().unwrap().bytes.len() as u32
    }

    /// Power for so many words.
    pub fn power(&self, words: u64) {
        self.0.lock().unwrap().power = words;
    }

    pub fn has_power(&self) -> bool {
        self.0.lock().unwrap().power > 0
    }

    pub fn wear(&self) -> (u64, u64) {
        let chip = self.0.lock().unwrap();
        (chip.writes, chip.erases)
    }

    /// Flips bits of one byte, as a failing cell does.
    pub fn damage(&self, find: &[u8], mask: u8) -> bool {
        let mut chip = self.0.lock().unwrap();
        let at = chip.bytes.windows(find.len()).position(|w| w == find);
        at.map(|at| chip.bytes[at] ^= mask).is_some()
    }
}

impl ErrorType for Nor {
    type Error = NoPower;
}

impl ReadNorFlash for Nor {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, out: &mut [u8]) -> Result<(), NoPower> {
        let chip = self.0.lock().unwrap();
        if chip.power == 0 {
            return Err(NoPower);
        }
        out.copy_from_slice(&chip.bytes[offset as usize..offset as usize + out.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.lock().unwrap().bytes.len()
    }
}

impl NorFlash for Nor {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), NoPower> {
        let chip = &mut *self.0.lock().unwrap();
        assert!((from as usize).is_multiple_of(PAGE) && (to as usize).is_multiple_of(PAGE) && from < to);
        for page in (from as usize..to as usize).step_by(PAGE) {
            if chip.power == 0 {
                return Err(NoPower);
            }
            chip.power -= 1;
            // The last of it may erase only a part.
            let len = if chip.power == 0 { chip.chance.get_mut().random_range(0..PAGE) } else { PAGE };
            chip.bytes[page..page + len].fill(0xff);
            chip.erases += 1;
            if chip.power == 0 {
                return Err(NoPower);
            }
        }
        Ok(())
    }

    async fn write(&mut self, offset: u32, data: &[u8]) -> Result<(), NoPower> {
        let chip = &mut *self.0.lock().unwrap();
        assert!((offset as usize).is_multiple_of(WORD) && data.len().is_multiple_of(WORD));
        for (i, word) in data.chunks(WORD).enumerate() {
            if chip.power == 0 {
                return Err(NoPower);
            }
            chip.power -= 1;
            let at = offset as usize + i * WORD;
            // The last of it may reach only some of the bits.
            let torn: [u8; WORD] = if chip.power == 0 { chip.chance.get_mut().random() } else { [0; WORD] };
            for ((byte, new), torn) in chip.bytes[at..at + WORD].iter_mut().zip(word).zip(torn) {
                *byte &= new | torn;
            }
            chip.writes += 1;
            if chip.power == 0 {
                return Err(NoPower);
            }
        }
        Ok(())
    }
}

impl MultiwriteNorFlash for Nor {}
