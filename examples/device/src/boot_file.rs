//! A boot number in a file, for a device that keeps its records in memory.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Why there is no boot number.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BootFileError {
    /// The file holds something else.
    #[error(
        "{path} holds {found:?} instead of a boot number: name another file, or write the number of the last boot into it \
         (the server's boots table has it)"
    )]
    NotANumber {
        /// The file.
        path: String,
        /// Its beginning.
        found: String,
    },
    /// 4,294,967,295 boots were used up.
    #[error("{path}: every boot number was used; give the device a new id")]
    UsedUp {
        /// The file.
        path: String,
    },
    /// The operating system refuses.
    #[error("the boot file {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Counts this boot: returns the number after the one in the file, 1 if there is no file, after the file says so.
///
/// The file is replaced whole, so that it holds one of the two numbers whenever the process ends. A number that was
/// written and not used is no harm; one that was used twice would be.
///
/// # Errors
/// [`BootFileError`]; then no boot number may be used.
pub fn next_boot(path: &Path) -> Result<u32, BootFileError> {
    let name = || path.display().to_string();
    let refused = |source| BootFileError::File { path: name(), source };
    let last = match fs::read_to_string(path) {
        Ok(text) => text.trim().parse().map_err(|_| BootFileError::NotANumber {
            path: name(),
            found: text.trim().chars().take(40).collect(),
        })?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0u32,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(BootFileError::NotANumber { path: name(), found: "bytes that are no text".into() });
        }
        Err(error) => return Err(refused(error)),
    };
    let boot = last.checked_add(1).ok_or_else(|| BootFileError::UsedUp { path: name() })?;
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let mut file = File::create(&fresh).map_err(refused)?;
    file.write_all(format!("{boot}\n").as_bytes()).map_err(refused)?;
    file.sync_all().map_err(refused)?;
    fs::rename(&fresh, path).map_err(refused)?;
    Ok(boot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_boot_has_its_own_number() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("boot");
        assert_eq!([1, 2, 3], [(); 3].map(|()| next_boot(&path).unwrap()));
        // A process that was killed between writing and renaming leaves a half-written file beside it.
        fs::write(directory.path().join("boot.new"), "").unwrap();
        assert_eq!(next_boot(&path).unwrap(), 4);
    }

    #[test]
    fn another_file_is_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("letter.txt");
        fs::write(&path, "Dear Sir or Madam").unwrap();
        let error = next_boot(&path).unwrap_err().to_string();
        assert!(error.contains("letter.txt holds \"Dear Sir or Madam\" instead of a boot number"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "Dear Sir or Madam");
    }

    #[test]
    fn numbers_do_not_start_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("boot");
        fs::write(&path, "4294967295\n").unwrap();
        assert!(matches!(next_boot(&path), Err(BootFileError::UsedUp { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "4294967295\n");
    }
}
