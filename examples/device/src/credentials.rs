//! Where devices have their keys from.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use sensock::DeviceId;
use sensock::seal::{BadCredential, Credential};
use zeroize::Zeroizing;

use crate::private::{self, PrivateFileError};

/// A key, or the place of one or several.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// The line itself.
    Line(Zeroizing<String>),
    /// A file with a key, or with the keys of several devices as `sensockd keys` writes it, or a directory with a file for each device.
    Path(PathBuf),
}

/// Why there is no key. What was found is never repeated: it may be nearly a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoKey {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] PrivateFileError),
    /// The line is none.
    #[error("the key: {0}")]
    Line(BadCredential),
    /// A line of the file is none.
    #[error("{}, line {line}: {why}", path.display())]
    InFile {
        /// Which file.
        path: PathBuf,
        /// Which line.
        line: usize,
        /// What is wrong with it.
        why: BadCredential,
    },
    /// The file holds none for this device.
    #[error("{}: it holds no key of {device}: `sensockd keys add {device}` makes one", path.display())]
    Absent {
        /// Which file.
        path: PathBuf,
        /// Which device.
        device: DeviceId,
    },
    /// One key cannot be that of several devices.
    #[error(
        "one key is one device's: for several, name a file with a line DEVICE snk1… for each, as `sensockd keys` writes it"
    )]
    OneForAll,
}

impl Source {
    /// What an argument names: a key, if it looks like one, or a path.
    pub fn new(text: &str) -> Self {
        match text.starts_with("snk1") && !text.contains(['/', '\\', '.']) {
            true => Source::Line(Zeroizing::new(text.to_owned())),
            false => Source::Path(text.into()),
        }
    }

    /// The newest key of each of these devices.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn keys(&self, devices: &[DeviceId]) -> Result<Vec<Credential>, NoKey> {
        match self {
            Source::Line(line) if devices.len() == 1 => {
                Ok(vec![Credential::parse(line.trim()).map_err(NoKey::Line)?])
            }
            Source::Line(_) => Err(NoKey::OneForAll),
            Source::Path(path) if path.is_dir() => {
                let one = |device: &DeviceId| Keys::read(&path.join(device.as_str()))?.of(device, true);
                devices.iter().map(one).collect()
            }
            Source::Path(path) => {
                let keys = Keys::read(path)?;
                devices.iter().map(|device| keys.of(device, devices.len() == 1)).collect()
            }
        }
    }
}

/// The path, or that there is a key.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Line(_) => f.write_str("Line(hidden)"),
            Source::Path(path) => write!(f, "Path({path:?})"),
        }
    }
}

/// The keys of a file: whose, if it says so, and which.
struct Keys {
    path: PathBuf,
    keys: Vec<(Option<String>, Credential)>,
}

impl Keys {
    fn read(path: &Path) -> Result<Keys, NoKey> {
        let text = private::read(path)?;
        let mut keys = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let mut words = text.split('#').next().unwrap_or_default().split_whitespace();
            let (name, key) = match (words.next(), words.next()) {
                (None, _) => continue,
                (Some(key), None) => (None, key),
                (Some(name), Some(key)) => (Some(name.to_owned()), key),
            };
            let wrong = |why| NoKey::InFile { path: path.to_owned(), line, why };
            keys.push((name, Credential::parse(key).map_err(wrong)?));
        }
        Ok(Keys { path: path.to_owned(), keys })
    }

    /// The newest key of a device: the last one; a key without a name is that of whoever is `alone`.
    fn of(&self, device: &DeviceId, alone: bool) -> Result<Credential, NoKey> {
        let mine = |name: &Option<String>| name.as_ref().map_or(alone, |name| name == device.as_str());
        let found = self.keys.iter().rfind(|(name, _)| mine(name));
        found
            .map(|(_, key)| key.clone())
            .ok_or_else(|| NoKey::Absent { path: self.path.clone(), device: *device })
    }
}

impl NoKey {
    /// Whether there is no such file.
    pub fn is_absent(&self) -> bool {
        matches!(self, NoKey::File(PrivateFileError::Unreadable { error, .. }) if error.kind() == io::ErrorKind::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensock_testkit::keys;

    fn id(name: &str) -> DeviceId {
        DeviceId::new(name).unwrap()
    }

    fn right(found: &Credential, name: &str) -> bool {
        found.text() == keys::line(name).as_bytes()
    }

    #[test]
    fn a_key_comes_from_a_line_a_file_or_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let line = keys::line("cellar");
        assert!(right(&Source::new(&line).keys(&[id("cellar")]).unwrap()[0], "cellar"));

        let path = directory.path().join("cellar");
        keys::file(&path, ["cellar-1", "cellar-2"]).unwrap();
        let found = Source::Path(path.clone()).keys(&[id("cellar-2"), id("cellar-1")]).unwrap();
        assert!(right(&found[0], "cellar-2") && right(&found[1], "cellar-1"));
        let missing = Source::Path(path.clone()).keys(&[id("cellar-3")]).unwrap_err().to_string();
        assert!(
            missing.ends_with("cellar: it holds no key of cellar-3: `sensockd keys add cellar-3` makes one")
        );

        // A file that holds just the key, and one that was rotated.
        std::fs::write(&path, format!("# mine\n{line}\n")).unwrap();
        assert!(right(&Source::Path(path.clone()).keys(&[id("cellar")]).unwrap()[0], "cellar"));
        let both = Source::Path(path.clone()).keys(&[id("cellar"), id("attic")]);
        assert!(matches!(both, Err(NoKey::Absent { .. })));
        let rotated = format!("cellar {} until 2026-12-01T00:00:00Z\ncellar {line}\n", keys::line("old"));
        std::fs::write(&path, rotated).unwrap();
        assert!(right(&Source::Path(directory.path().into()).keys(&[id("cellar")]).unwrap()[0], "cellar"));
    }

    #[test]
    fn no_error_and_nothing_else_says_a_secret() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        keys::file(&path, ["cellar"]).unwrap();
        let line = keys::line("cellar");
        for wrong in [&line[..91], &line.replacen(&line[30..31], "x", 1), &(line.clone() + "7")] {
            std::fs::write(&path, format!("cellar {wrong}\n")).unwrap();
            for source in [Source::new(wrong), Source::Path(path.clone())] {
                let said = format!("{source:?} {}", source.keys(&[id("cellar")]).unwrap_err());
                assert!(!said.contains(&line[20..28]) && said.contains("key"), "{said}");
            }
        }
        let several = Source::new(&line).keys(&[id("a"), id("b")]).unwrap_err();
        assert!(several.to_string().starts_with("one key is one device's"));
        assert!(Source::new("none/such").keys(&[id("a")]).unwrap_err().is_absent());
    }
}
