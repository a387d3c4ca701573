//! Files that hold secrets: read only if nobody else can read them.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sensock::seal::NoEntropy;
use zeroize::Zeroizing;

/// Why a file that holds secrets cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateFileError {
    /// The system does not give it.
    #[error("{}: cannot be read ({error})", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Others may read or change it.
    #[error("{} holds secrets, and others on this machine may reach it (mode {mode:04o}): chmod 600 {}", path.display(), path.display())]
    Shared {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

impl PrivateFileError {
    /// Whether there is no such file.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Unreadable { error, .. } if error.kind() == std::io::ErrorKind::NotFound)
    }
}

/// Opens a file that holds secrets. Where the system knows permissions, nobody but its owner may have any.
///
/// # Errors
/// [`PrivateFileError`].
pub fn open(path: &Path) -> Result<File, PrivateFileError> {
    let unreadable = |error| PrivateFileError::Unreadable { path: path.to_owned(), error };
    let file = File::open(path).map_err(unreadable)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(PrivateFileError::Shared { path: path.to_owned(), mode });
        }
    }
    Ok(file)
}

/// Opens and reads one; the text is erased from memory when it is dropped.
///
/// # Errors
/// [`PrivateFileError`].
pub fn read(path: &Path) -> Result<Zeroizing<String>, PrivateFileError> {
    read_open(path, &mut open(path)?)
}

/// Reads one that [`open`] opened at `path`.
///
/// # Errors
/// [`PrivateFileError`].
pub fn read_open(path: &Path, file: &mut File) -> Result<Zeroizing<String>, PrivateFileError> {
    let unreadable = |error| PrivateFileError::Unreadable { path: path.to_owned(), error };
    // With room for all of it from the start: a text that moves as it grows leaves copies behind.
    let len = file.metadata().map_err(unreadable)?.len().min(1 << 30) as usize;
    let mut text = Zeroizing::new(String::with_capacity(len + 64));
    file.read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

/// Random bytes of the operating system.
///
/// # Errors
/// The system has none.
pub fn random(bytes: &mut [u8]) -> Result<(), NoEntropy> {
    getrandom::fill(bytes).map_err(|_| NoEntropy)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_that_others_can_reach_is_refused_with_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        assert!(read(&path).unwrap_err().is_absent());
        std::fs::write(&path, "snk1…").unwrap();
        for bit in 0..9 {
            let mode = 0o600 | 1 << bit;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            match read(&path) {
                Ok(text) => assert!(mode & 0o077 == 0 && *text == "snk1…", "{mode:o}"),
                Err(error) => {
                    let said = error.to_string();
                    assert!(mode & 0o077 != 0, "{mode:o}: {said}");
                    assert!(said.ends_with(&format!(": chmod 600 {}", path.display())), "{said}");
                    assert!(said.contains(&format!("mode {mode:04o}")) && !said.contains("snk1"), "{said}");
                }
            }
        }
    }
}
