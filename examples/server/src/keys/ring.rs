//! The keys as a running server holds them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use sensock::DeviceId;
use sensock::seal::{Key, KeyId};
use sensock_store::DeviceKey;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::file::{Stamp, read_stamped};
use crate::show::time::Times;
use crate::show::words::count;

/// Sentences that wait for the operator; more are not kept.
const NOTICES: usize = 64;

/// The keys of a file, read again when it changed. One that cannot be read any more changes nothing: who could connect still can.
pub(crate) struct Ring {
    path: PathBuf,
    state: Mutex<State>,
    notices: Sender<String>,
}

#[derive(Default)]
struct State {
    keys: HashMap<KeyId, Held>,
    /// How many keys a device has, valid ones and others.
    devices: HashMap<DeviceId, u64>,
    /// Of the file that was looked at last, readable or not.
    stamp: Option<Stamp>,
    /// What was wrong with it.
    trouble: Option<String>,
    /// Counts what was read.
    generation: u64,
}

struct Held {
    device: DeviceId,
    key: Key,
    until_us: Option<i64>,
}

impl Ring {
    /// Reads a file; also gives what an operator should hear as time passes.
    pub(crate) fn open(path: &Path) -> Result<(Ring, Receiver<String>)> {
        let (notices, heard) = channel(NOTICES);
        let ring = Ring { path: path.to_owned(), state: Mutex::default(), notices };
        let (keys, stamp) = ring.load().context("who may connect is not known")?;
        ring.state().take(keys, stamp);
        Ok((ring, heard))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a device has a key, valid or not.
    pub(crate) fn has(&self, device: &DeviceId) -> bool {
        self.refresh();
        self.state().devices.contains_key(device)
    }

    /// The names that have keys.
    pub(crate) fn devices(&self) -> Vec<DeviceId> {
        self.state().devices.keys().copied().collect()
    }

    /// The key of an id, if it is valid at this time.
    pub(crate) fn key(&self, id: KeyId, now_us: i64) -> Option<DeviceKey> {
        self.refresh();
        let state = self.state();
        let held = state.keys.get(&id)?;
        if let Some(until) = held.until_us.filter(|until| *until <= now_us) {
            self.say(format!(
                "the key {id} of device {} was used, which ended at {}: `sensockd keys rotate {}` makes another",
                held.device,
                Times::local().stamp(until),
                held.device
            ));
            return None;
        }
        Some(DeviceKey { device: held.device, key: held.key.clone() })
    }

    /// A number that grows when the file was read again, and when a key came to its end.
    pub(crate) fn phase(&self, now_us: i64) -> u64 {
        self.refresh();
        let state = self.state();
        let ended = |held: &&Held| held.until_us.is_some_and(|until| until <= now_us);
        // Below 2^32 keys.
        (state.generation << 32) + state.keys.values().filter(ended).count() as u64
    }

    /// `3 keys of 2 devices, those in keys.txt`.
    pub(crate) fn words(&self) -> String {
        let state = self.state();
        let (keys, devices) = (state.keys.len() as u64, state.devices.len() as u64);
        format!("{} of {}, those in {}", count(keys, "key"), count(devices, "device"), self.path.display())
    }

    /// Reads the file if it is another one than last time.
    fn refresh(&self) {
        // One that is gone is looked for again each time, and said once.
        let stamp = Stamp::of(&self.path).ok();
        {
            let state = self.state();
            if state.stamp == stamp && (stamp.is_some() || state.trouble.is_some()) {
                return;
            }
        }
        match self.load() {
            Ok((keys, stamp)) => {
                self.state().take(keys, stamp);
                self.say(format!("read again: {}", self.words()));
            }
            Err(error) => {
                let said = format!("{error:#}");
                let mut state = self.state();
                state.stamp = stamp;
                if state.trouble.as_ref() != Some(&said) {
                    self.say(format!("{said}; the keys that were read before stay valid meanwhile"));
                    state.trouble = Some(said);
                }
            }
        }
    }

    fn load(&self) -> Result<(HashMap<KeyId, Held>, Stamp)> {
        let (document, stamp) = read_stamped(&self.path)?;
        let held = document.entries().map(|entry| {
            let held =
                Held { device: entry.device, key: entry.credential.key.clone(), until_us: entry.until_us };
            (entry.credential.id, held)
        });
        Ok((held.collect(), stamp))
    }

    fn say(&self, notice: String) {
        // An operator who cannot keep up has read as much already.
        let _full = self.notices.try_send(notice);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, keys: HashMap<KeyId, Held>, stamp: Stamp) {
        self.devices.clear();
        for held in keys.values() {
            *self.devices.entry(held.device).or_default() += 1;
        }
        (self.keys, self.stamp, self.trouble) = (keys, Some(stamp), None);
        self.generation += 1;
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::super::file::Locked;
    use super::super::line::tests::credential;
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    const ID: KeyId = KeyId([1; 8]);

    fn edit(path: &Path, change: impl FnOnce(&mut crate::keys::Document)) {
        let mut locked = Locked::open(path, true).unwrap();
        change(&mut locked.document);
        locked.write().unwrap();
    }

    fn name() -> DeviceId {
        DeviceId::new("attic-1").unwrap()
    }

    fn said(heard: &mut Receiver<String>) -> Vec<String> {
        std::iter::from_fn(|| heard.try_recv().ok()).collect()
    }

    #[test]
    fn a_key_is_valid_until_its_time_and_its_device_is_never_let_in_without() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.txt");
        edit(&path, |d| d.add(name(), credential(1)));
        edit(&path, |d| d.limit(&name(), 1_000));
        let (ring, mut heard) = Ring::open(&path).unwrap();
        assert_eq!(ring.key(ID, 999).unwrap().device, name());
        assert!(said(&mut heard).is_empty() && ring.phase(999) != ring.phase(1_000));
        assert!(ring.key(ID, 1_000).is_none() && ring.has(&name()));
        let said = said(&mut heard);
        assert!(
            said.len() == 1 && said[0].starts_with("the key 0101010101010101 of device attic-1 was used"),
            "{said:?}"
        );
        assert!(said[0].ends_with("`sensockd keys rotate attic-1` makes another"), "{said:?}");
    }

    #[test]
    fn a_file_is_read_again_and_one_that_cannot_be_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.txt");
        edit(&path, |d| d.add(name(), credential(1)));
        let (ring, mut heard) = Ring::open(&path).unwrap();
        assert_eq!(ring.words(), format!("1 key of 1 device, those in {}", path.display()));
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let first = ring.phase(0);

        mode(0o644);
        assert!(ring.key(ID, 0).is_some() && ring.key(ID, 0).is_some());
        let once = said(&mut heard);
        assert!(
            once.len() == 1 && once[0].contains("(mode 0644)") && once[0].ends_with("stay valid meanwhile"),
            "{once:?}"
        );
        mode(0o600);
        assert!(ring.key(ID, 0).is_some());
        assert_eq!(said(&mut heard).len(), 1);

        let text = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(ring.key(ID, 0).is_some() && ring.key(ID, 0).is_some());
        assert!(said(&mut heard)[0].contains("there is no such file"));
        // Half of a file, as an editor may leave it for a moment.
        std::fs::write(&path, &text[..50]).unwrap();
        mode(0o600);
        assert!(ring.key(ID, 0).is_some());
        let wrong = said(&mut heard).concat();
        assert!(wrong.contains("keys.txt, line 1: a key line is snk1") && !wrong.contains("a4a4"), "{wrong}");

        std::fs::write(&path, &text).unwrap();
        edit(&path, |d| drop(d.remove(|_| true)));
        assert!(ring.key(ID, 0).is_none() && !ring.has(&name()) && ring.phase(0) != first);
    }
}
