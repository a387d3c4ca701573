//! A keys file on disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use example_device::private;

use super::document::Document;

/// How a file looked when it was read: another one has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp([i64; 6]);

impl Stamp {
    pub(super) fn of(path: &Path) -> io::Result<Stamp> {
        fs::metadata(path).map(|meta| Stamp::from(&meta))
    }

    #[cfg(unix)]
    fn from(meta: &fs::Metadata) -> Stamp {
        use std::os::unix::fs::MetadataExt as _;
        let (ino, len) = (meta.ino() as i64, meta.len() as i64);
        // A change of rights changes the second time only.
        Stamp([ino, len, meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()])
    }

    #[cfg(not(unix))]
    fn from(meta: &fs::Metadata) -> Stamp {
        let modified = meta.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let modified = modified.map_or(0, |since| since.as_nanos() as i64);
        Stamp([0, meta.len() as i64, modified, 0, 0, 0])
    }
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Document> {
    read_stamped(path).map(|(document, _)| document)
}

pub(super) fn read_stamped(path: &Path) -> Result<(Document, Stamp)> {
    let mut file = private::open(path).map_err(|error| match error.is_absent() {
        true => anyhow!(
            "{0}: there is no such file: `sensockd keys add DEVICE --keys {0}` makes it, with the first device's key",
            path.display()
        ),
        false => error.into(),
    })?;
    let stamp = Stamp::from(&file.metadata().with_context(|| path.display().to_string())?);
    let text = private::read_open(path, &mut file)?;
    Ok((Document::parse(&path.display().to_string(), &text)?, stamp))
}

/// A keys file that nobody else changes meanwhile.
pub(crate) struct Locked {
    path: PathBuf,
    pub(crate) document: Document,
    _lock: File,
}

impl Locked {
    /// Waits for whoever else changes it, and reads it. One that is not there is empty if `make` says so.
    pub(crate) fn open(path: &Path, make: bool) -> Result<Locked> {
        if !make {
            // Said before anything is made beside it.
            drop(read(path)?);
        }
        // A link stays one: the file that it points to is replaced.
        let path = match fs::canonicalize(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            found => found.with_context(|| format!("{}: cannot be found", path.display()))?,
        };
        let beside = beside(&path, "lock")?;
        let lock =
            (private_file(OpenOptions::new().create(true).write(true), &beside)).with_context(|| {
                format!("{}: cannot be made: check the rights of its directory", beside.display())
            })?;
        lock.lock().with_context(|| format!("{}: cannot be locked", beside.display()))?;
        let document = match fs::exists(&path) {
            Ok(false) if make => Document::default(),
            _ => read(&path)?,
        };
        Ok(Locked { path, document, _lock: lock })
    }

    /// Writes it, whole or not at all: whoever reads it, even after a crash in between, sees the old file or the new one.
    pub(crate) fn write(&self) -> Result<()> {
        let next = beside(&self.path, "new")?;
        self.replace(&next).with_context(|| format!("{}: cannot be written", self.path.display()))
    }

    fn replace(&self, next: &Path) -> io::Result<()> {
        // What a crash left behind; nobody else is at work, for there is the lock.
        match fs::remove_file(next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private_file(OpenOptions::new().create_new(true).write(true), next)?;
        keep_owner(&self.path, &file)?;
        file.write_all(self.document.text().as_bytes())?;
        file.sync_all()?;
        fs::rename(next, &self.path)?;
        #[cfg(unix)]
        File::open(directory(&self.path))?.sync_all()?;
        Ok(())
    }
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// `.keys.txt.lock` beside `keys.txt`.
fn beside(path: &Path, what: &str) -> Result<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().with_context(|| format!("{}: names no file", path.display()))?);
    name.push(".");
    name.push(what);
    Ok(directory(path).join(name))
}

/// A file of one's own from its first moment on.
fn private_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

/// Gives the new file to the old one's owner, if that is somebody else: a server shall not lose its keys because root changed them.
fn keep_owner(old: &Path, new: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let (Ok(old), mine) = (fs::metadata(old), new.metadata()?) else { return Ok(()) };
        if (old.uid(), old.gid()) != (mine.uid(), mine.gid()) {
            std::os::unix::fs::fchown(new, Some(old.uid()), Some(old.gid()))?;
        }
    }
    #[cfg(not(unix))]
    let _ = (old, new);
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::super::line::tests::credential;
    use super::*;
    use sensock::DeviceId;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    fn add(path: &Path, n: u8) -> Result<()> {
        let mut locked = Locked::open(path, true)?;
        locked.document.add(DeviceId::new(&format!("attic-{n}"))?, credential(n));
        locked.write()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_file_is_private_and_replaced_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.txt");
        add(&path, 1).unwrap();
        assert_eq!(mode(&path), 0o600);
        let (before, old) = (fs::metadata(&path).unwrap().ino(), fs::read(&path).unwrap());
        let mut reader = File::open(&path).unwrap();
        // What a crash in the middle of writing leaves: half a file, readable by all, that is never taken for the file.
        let left = beside(&path, "new").unwrap();
        fs::write(&left, &old[..40]).unwrap();
        assert_eq!(read(&path).unwrap().entries().count(), 1);
        add(&path, 2).unwrap();
        assert!(!left.exists() && mode(&path) == 0o600);
        assert_ne!(fs::metadata(&path).unwrap().ino(), before, "it was written over");
        let mut seen = Vec::new();
        io::Read::read_to_end(&mut reader, &mut seen).unwrap();
        assert_eq!(seen, old, "who reads meanwhile sees the old file");
        for entry in fs::read_dir(directory.path()).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
    }

    #[test]
    fn a_link_stays_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (directory.path().join("keys.txt"), directory.path().join("link"));
        add(&path, 1).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        add(&link, 2).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read(&path).unwrap().entries().count(), 2);
    }

    #[test]
    fn many_at_once_lose_no_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.txt");
        std::thread::scope(|scope| {
            for n in 1..=16 {
                let path = &path;
                scope.spawn(move || add(path, n).unwrap());
            }
            // Who reads meanwhile reads a whole file.
            for _ in 0..200 {
                if path.exists() {
                    read(&path).unwrap();
                }
            }
        });
        assert_eq!(read(&path).unwrap().entries().count(), 16);
    }

    #[test]
    fn a_file_that_others_can_reach_is_neither_read_nor_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.txt");
        add(&path, 1).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        for said in [read(&path).err(), add(&path, 2).err()] {
            let said = said.unwrap().to_string();
            assert!(said.contains("(mode 0640)") && said.contains(": chmod 600 "), "{said}");
        }
    }
}
