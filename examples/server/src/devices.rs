//! The file that lists who may connect: one device a line, `#` begins a comment. Read again when it changed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use anyhow::{Context as _, Result, anyhow};
use sensock::DeviceId;
use sensock_store::{Admission, Keys};

use crate::show::words::{count, nearest};

/// Who may connect. Clones share what they read.
#[derive(Clone)]
pub(crate) struct Guests(Arc<List>);

enum List {
    Any,
    File(DeviceFile),
}

/// The file, as it was read last.
struct DeviceFile {
    path: PathBuf,
    read: Mutex<Listing>,
}

#[derive(Default)]
struct Listing {
    devices: BTreeSet<DeviceId>,
    stamp: Option<(SystemTime, u64)>,
}

impl Guests {
    /// Everyone.
    pub(crate) fn any() -> Self {
        Guests(Arc::new(List::Any))
    }

    /// Those in a file.
    pub(crate) fn file(path: &Path) -> Result<Self> {
        let file = DeviceFile { path: path.to_owned(), read: Mutex::default() };
        file.refresh().with_context(|| "who may connect is not known")?;
        Ok(Guests(Arc::new(List::File(file))))
    }

    /// Who may connect, as a sentence.
    pub(crate) fn words(&self) -> String {
        match &*self.0 {
            List::Any => "every device may connect".to_owned(),
            List::File(file) => {
                let n = file.listing().devices.len() as u64;
                format!("{} may connect, those in {}", count(n, "device"), file.path.display())
            }
        }
    }

    /// What an operator reads when a device was turned away.
    pub(crate) fn how_to_admit(&self, device: &str) -> String {
        let List::File(file) = &*self.0 else { return format!("device {device} was refused") };
        let path = file.path.display();
        let close = match file.nearest(device) {
            Some(near) => format!(" (`{near}` is listed)"),
            None => String::new(),
        };
        format!("device {device} is not listed{close}: add a line `{device}` to {path} and it may connect")
    }
}

impl DeviceFile {
    fn nearest(&self, device: &str) -> Option<String> {
        let listing = self.listing();
        nearest(device, listing.devices.iter().map(DeviceId::as_str)).map(str::to_owned)
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
        *self.listing() = Listing { devices, stamp };
        Ok(())
    }
}

impl Keys for Guests {
    async fn admit(&self, device: &DeviceId) -> Result<Admission, Box<dyn std::error::Error + Send + Sync>> {
        Ok(match &*self.0 {
            List::Any => Admission::Insecure,
            List::File(file) => {
                file.refresh()?;
                match file.listing().devices.contains(device) {
                    true => Admission::Insecure,
                    false => Admission::Unknown,
                }
            }
        })
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

    fn allowed(guests: &Guests, name: &str) -> bool {
        let admission = futures(guests.admit(&DeviceId::new(name).unwrap()));
        admission.unwrap() == Admission::Insecure
    }

    fn futures<F: Future>(f: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(f)
    }

    #[test]
    fn the_file_is_read_again_when_it_changed() {
        let path = std::env::temp_dir().join(format!("sensockd-devices-{}.txt", std::process::id()));
        std::fs::write(&path, "# upstairs\nattic-6   # by the window\n\n").unwrap();
        let guests = Guests::file(&path).unwrap();
        assert!(allowed(&guests, "attic-6") && !allowed(&guests, "attic-7"));
        let told = guests.how_to_admit("attic-7");
        let expected = format!(
            "device attic-7 is not listed (`attic-6` is listed): add a line `attic-7` to {} and it may connect",
            path.display()
        );
        assert_eq!(told, expected);
        std::fs::write(&path, "attic-6\nattic-7\n").unwrap();
        assert!(allowed(&guests, "attic-7"));
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_bad_line_and_an_absent_file_are_named() {
        let said = |text| parse("devices.txt", text).unwrap_err().to_string();
        assert_eq!(
            said("cellar-3\ncellar 4\n"),
            "devices.txt, line 2: \"cellar 4\": a device id holds a character other than letters, digits, '.', '_' and '-'"
        );
        let absent = Guests::file(Path::new("no-such-file.txt")).err().unwrap();
        let absent = format!("{absent:#}");
        assert!(
            absent.starts_with("who may connect is not known: no-such-file.txt: cannot be read ("),
            "{absent}"
        );
        assert!(absent.ends_with("or run with --any-device"), "{absent}");
    }
}
