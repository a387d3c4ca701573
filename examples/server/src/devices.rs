//! The file that lists who may connect without a key: one device a line, `#` begins a comment. Read again when it changed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use anyhow::{Context as _, Result, anyhow};
use sensock::DeviceId;

/// The file, as it was read last.
pub(crate) struct DeviceFile {
    path: PathBuf,
    read: Mutex<Listing>,
}

#[derive(Default)]
struct Listing {
    devices: BTreeSet<DeviceId>,
    stamp: Option<(SystemTime, u64)>,
    /// Counts what was read.
    generation: u64,
}

impl DeviceFile {
    /// Reads it for the first time.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = DeviceFile { path: path.to_owned(), read: Mutex::default() };
        file.refresh().with_context(|| "who may connect is not known")?;
        Ok(file)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Who is listed.
    pub(crate) fn devices(&self) -> Vec<DeviceId> {
        self.listing().devices.iter().copied().collect()
    }

    /// A number that grows when it was read again.
    pub(crate) fn generation(&self) -> u64 {
        // Who cannot read it hears so when a device comes.
        let _unread = self.refresh();
        self.listing().generation
    }

    /// Whether a device is listed now.
    pub(crate) fn has(&self, device: &DeviceId) -> Result<bool> {
        self.refresh()?;
        Ok(self.listing().devices.contains(device))
    }

    fn listing(&self) -> MutexGuard<'_, Listing> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the file if it is another one than last time.
    fn refresh(&self) -> Result<()> {
        let path = self.path.display();
        let meta = std::fs::metadata(&self.path).map_err(|error| {
            anyhow!("{path}: cannot be read ({error}): make it, with the id of a device on each line, or run with --any-device")
        })?;
        let stamp = Some((meta.modified().unwrap_or(SystemTime::UNIX_EPOCH), meta.len()));
        if self.listing().stamp == stamp {
            return Ok(());
        }
        let text = std::fs::read_to_string(&self.path)
            .map_err(|error| anyhow!("{path}: cannot be read ({error}): check its permissions"))?;
        let devices = parse(&path.to_string(), &text)?;
        let mut listing = self.listing();
        *listing = Listing { devices, stamp, generation: listing.generation + 1 };
        Ok(())
    }
}

fn parse(file: &str, text: &str) -> Result<BTreeSet<DeviceId>> {
    let mut devices = BTreeSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        let name = line.split('#').next().unwrap_or_default().trim();
        if name.is_empty() {
            continue;
        }
        let id =
            DeviceId::new(name).map_err(|error| anyhow!("{file}, line {number}: \"{name}\": {error}"))?;
        devices.insert(id);
    }
    Ok(devices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_again_when_it_changed() {
        let path = std::env::temp_dir().join(format!("sensockd-devices-{}.txt", std::process::id()));
        std::fs::write(&path, "# upstairs\nattic-6   # by the window\n\n").unwrap();
        let file = DeviceFile::open(&path).unwrap();
        let has = |name| file.has(&DeviceId::new(name).unwrap()).unwrap();
        assert!(has("attic-6") && !has("attic-7"));
        std::fs::write(&path, "attic-6\nattic-7\n").unwrap();
        assert!(has("attic-7"));
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_bad_line_and_an_absent_file_are_named() {
        let said = |text| parse("devices.txt", text).unwrap_err().to_string();
        assert_eq!(
            said("cellar-3\ncellar 4\n"),
            "devices.txt, line 2: \"cellar 4\": a device id holds a character other than letters, digits, '.', '_' and '-'"
        );
        let absent = DeviceFile::open(Path::new("no-such-file.txt")).err().unwrap();
        let absent = format!("{absent:#}");
        assert!(
            absent.starts_with("who may connect is not known: no-such-file.txt: cannot be read ("),
            "{absent}"
        );
        assert!(absent.ends_with("or run with --any-device"), "{absent}");
    }
}
