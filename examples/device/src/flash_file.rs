//! A file that behaves like a flash chip, for an outbox that outlives its process.
//!
//! Writing clears bits and never sets them, erasing a page sets all of its bits, as on a real chip: an outbox that relied
//! on more would fail here too. Every write reaches the operating system before it returns, so it survives the end of
//! the process in whatever way, a kill included. It does not survive the power cut of the machine: a real chip does.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use embedded_storage_async::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

/// Bytes that are erased together.
pub const PAGE: usize = 4096;
/// Bytes that are written together.
pub const WORD: usize = 4;

const ERASED: u8 = 0xff;

/// A file with the habits of a flash chip. A copy in memory answers reads.
#[derive(Debug)]
pub struct FlashFile {
    file: File,
    image: Vec<u8>,
}

/// Why a flash file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlashFileError {
    /// The file's length is no number of pages, or not the one asked for.
    #[error(
        "{path} holds {found} bytes, but an outbox of {expected} bytes was asked for: name another file, or delete this one and \
         lose what waits in it"
    )]
    Length {
        /// The file.
        path: String,
        /// Bytes in it.
        found: u64,
        /// Bytes expected.
        expected: usize,
    },
    /// A capacity that no flash has.
    #[error("{0} bytes are no flash: take a multiple of {PAGE}, at least twice that")]
    Capacity(usize),
    /// The operating system refuses.
    #[error("the outbox file {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

impl FlashFile {
    /// Opens the file, or makes one in which every byte is erased.
    ///
    /// # Errors
    /// [`FlashFileError`]: a file of another length is left alone, since it holds somebody's records.
    pub fn open(path: &Path, capacity: usize) -> Result<Self, FlashFileError> {
        if capacity < 2 * PAGE || !capacity.is_multiple_of(PAGE) {
            return Err(FlashFileError::Capacity(capacity));
        }
        let name = || path.display().to_string();
        let refused = |source| FlashFileError::File { path: name(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(refused)?;
        let mut image = Vec::with_capacity(capacity);
        file.read_to_end(&mut image).map_err(refused)?;
        if image.is_empty() {
            image.resize(capacity, ERASED);
            file.write_all(&image).map_err(refused)?;
        }
        if image.len() != capacity {
            return Err(FlashFileError::Length {
                path: name(),
                found: image.len() as u64,
                expected: capacity,
            });
        }
        Ok(Self { file, image })
    }

    /// The bytes `at .. at + len`, if they lie on boundaries of `unit` within the chip.
    fn range(&self, at: u32, len: usize, unit: usize) -> Result<std::ops::Range<usize>, FlashFault> {
        let at = at as usize;
        if !at.is_multiple_of(unit) || !len.is_multiple_of(unit) {
            return Err(FlashFault::NotAligned);
        }
        let end =
            at.checked_add(len).filter(|end| *end <= self.image.len()).ok_or(FlashFault::OutOfBounds)?;
        Ok(at..end)
    }

    fn write_through(&mut self, range: std::ops::Range<usize>) -> Result<(), FlashFault> {
        self.file.seek(SeekFrom::Start(range.start as u64))?;
        self.file.write_all(&self.image[range])?;
        Ok(())
    }
}

/// Why an operation on the file failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlashFault {
    /// Not on the boundaries of a word or page.
    #[error("an address or a length is not a multiple of the flash's unit")]
    NotAligned,
    /// Beyond the end.
    #[error("an address lies beyond the end of the flash")]
    OutOfBounds,
    /// The operating system refuses.
    #[error("the outbox file cannot be written: {0}")]
    File(#[from] io::Error),
}

impl NorFlashError for FlashFault {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            FlashFault::NotAligned => NorFlashErrorKind::NotAligned,
            FlashFault::OutOfBounds => NorFlashErrorKind::OutOfBounds,
            FlashFault::File(_) => NorFlashErrorKind::Other,
        }
    }
}

impl ErrorType for FlashFile {
    type Error = FlashFault;
}

impl ReadNorFlash for FlashFile {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashFault> {
        let range = self.range(offset, bytes.len(), Self::READ_SIZE)?;
        bytes.copy_from_slice(&self.image[range]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.image.len()
    }
}

impl NorFlash for FlashFile {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashFault> {
        let len = to.checked_sub(from).ok_or(FlashFault::OutOfBounds)? as usize;
        let range = self.range(from, len, Self::ERASE_SIZE)?;
        self.image[range.clone()].fill(ERASED);
        self.write_through(range)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashFault> {
        let range = self.range(offset, bytes.len(), Self::WRITE_SIZE)?;
        for (cell, byte) in self.image[range.clone()].iter_mut().zip(bytes) {
            *cell &= byte;
        }
        self.write_through(range)
    }
}

impl MultiwriteNorFlash for FlashFile {}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPACITY: usize = 4 * PAGE;

    fn read(flash: &mut FlashFile, at: u32, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        ready(flash.read(at, &mut bytes)).unwrap();
        bytes
    }

    /// None of its futures ever waits.
    fn ready<T>(future: impl Future<Output = T>) -> T {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::pin!(future).poll(&mut context) {
            std::task::Poll::Ready(value) => value,
            std::task::Poll::Pending => panic!("a flash file waits for nothing"),
        }
    }

    #[test]
    fn what_was_written_is_there_for_the_next_process() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("outbox");
        let mut flash = FlashFile::open(&path, CAPACITY).unwrap();
        assert_eq!(read(&mut flash, 4096, 4), [ERASED; 4]);
        ready(flash.write(4096, b"four")).unwrap();
        // Not dropped: a killed process does not run its destructors.
        std::mem::forget(flash);
        assert_eq!(read(&mut FlashFile::open(&path, CAPACITY).unwrap(), 4096, 4), b"four");
    }

    #[test]
    fn bits_are_only_cleared_until_their_page_is_erased() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("outbox");
        let mut flash = FlashFile::open(&path, CAPACITY).unwrap();
        ready(flash.write(0, &[0b1100; 4])).unwrap();
        ready(flash.write(0, &[0b1010; 4])).unwrap();
        ready(flash.write(4096, &[0; 4])).unwrap();
        assert_eq!(read(&mut flash, 0, 4), [0b1000; 4]);
        ready(flash.erase(0, 4096)).unwrap();
        assert_eq!((read(&mut flash, 0, 4), read(&mut flash, 4096, 4)), (vec![ERASED; 4], vec![0; 4]));
        assert_eq!(std::fs::read(&path).unwrap(), flash.image);
    }

    #[test]
    fn a_chip_refuses_what_a_chip_cannot_do() {
        let directory = tempfile::tempdir().unwrap();
        let mut flash = FlashFile::open(&directory.path().join("outbox"), CAPACITY).unwrap();
        let kind = |result: Result<(), FlashFault>| result.unwrap_err().kind();
        assert_eq!(kind(ready(flash.write(2, &[0; 4]))), NorFlashErrorKind::NotAligned);
        assert_eq!(kind(ready(flash.write(0, &[0; 3]))), NorFlashErrorKind::NotAligned);
        assert_eq!(kind(ready(flash.write(16_384, &[0; 4]))), NorFlashErrorKind::OutOfBounds);
        assert_eq!(kind(ready(flash.erase(0, 100))), NorFlashErrorKind::NotAligned);
        assert_eq!(kind(ready(flash.erase(4096, 0))), NorFlashErrorKind::OutOfBounds);
        assert_eq!(flash.image, vec![ERASED; CAPACITY]);
    }

    #[test]
    fn a_file_of_another_length_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes.txt");
        std::fs::write(&path, "twelve bytes").unwrap();
        let error = FlashFile::open(&path, CAPACITY).unwrap_err().to_string();
        assert!(
            error.contains("notes.txt holds 12 bytes, but an outbox of 16384 bytes was asked for"),
            "{error}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), b"twelve bytes");
    }
}
