//! Who may connect: with a key, and, where somebody said so, without.

use std::path::Path;
use std::sync::Arc;

use sensock::DeviceId;
use sensock::seal::KeyId;
use sensock_store::{Admission, DeviceKey, Keys, LookupError};

use crate::devices::DeviceFile;
use crate::keys::Ring;
use crate::show::time::now_us;
use crate::show::words::{count, nearest};

/// Who may connect. Clones share what they read.
#[derive(Clone)]
pub(crate) struct Guests(Arc<Who>);

struct Who {
    keys: Option<Ring>,
    plain: Plain,
}

/// Who may connect without a key.
pub(crate) enum Plain {
    Nobody,
    Any,
    File(DeviceFile),
}

impl Guests {
    pub(crate) fn new(keys: Option<Ring>, plain: Plain) -> Self {
        Guests(Arc::new(Who { keys, plain }))
    }

    /// Whether there are devices that may come without a key.
    pub(crate) fn is_insecure(&self) -> bool {
        !matches!(self.0.plain, Plain::Nobody)
    }

    /// Who may connect, as a sentence.
    pub(crate) fn words(&self) -> String {
        let keys = self.0.keys.as_ref().map(Ring::words);
        let plain = match &self.0.plain {
            Plain::Nobody => None,
            Plain::Any => Some("every device may connect".to_owned()),
            Plain::File(file) => {
                let n = file.devices().len() as u64;
                Some(format!("{} may connect, those in {}", count(n, "device"), file.path().display()))
            }
        };
        match (keys, plain) {
            (Some(keys), None) => format!("all is sealed: {keys}"),
            (Some(keys), Some(plain)) => format!("{plain}, without a key; sealed: {keys}"),
            (None, plain) => plain.map_or_else(|| "nobody may connect".to_owned(), |p| p + ", without a key"),
        }
    }

    /// A number that changes with who may connect: with what was read, and as keys come to their end.
    pub(crate) fn phase(&self) -> u64 {
        let keys = self.0.keys.as_ref().map_or(0, |keys| keys.phase(now_us()));
        let plain = if let Plain::File(file) = &self.0.plain { file.generation() } else { 0 };
        keys + plain
    }

    /// What an operator reads when a device was turned away that nobody said may connect.
    pub(crate) fn how_to_admit(&self, device: &DeviceId) -> String {
        let keys = self.0.keys.as_ref();
        let close = |names: Vec<DeviceId>, is: &str| {
            let near = nearest(device.as_str(), names.iter().map(DeviceId::as_str));
            near.map_or_else(String::new, |near| format!(" (`{near}` {is})"))
        };
        match (keys, &self.0.plain) {
            (None, Plain::File(file)) => format!(
                "device {device} is not listed{}: add a line `{device}` to {} and it may connect",
                close(file.devices(), "is listed"),
                file.path().display()
            ),
            (Some(keys), _) => format!(
                "device {device} has no key here{}: `sensockd keys add {device} --keys {}` makes one",
                close(keys.devices(), "has one"),
                keys.path().display()
            ),
            (None, _) => format!("device {device} may not connect: nobody may"),
        }
    }
}

impl Keys for Guests {
    async fn admit(&self, device: &DeviceId) -> Result<Admission, LookupError> {
        // A key that ended is a key: its device is not let in without one instead.
        if self.0.keys.as_ref().is_some_and(|keys| keys.has(device)) {
            return Ok(Admission::Sealed);
        }
        Ok(match &self.0.plain {
            Plain::Any => Admission::Insecure,
            Plain::File(file) if file.has(device)? => Admission::Insecure,
            Plain::Nobody | Plain::File(_) => Admission::Unknown,
        })
    }

    async fn key(&self, id: KeyId) -> Result<Option<DeviceKey>, LookupError> {
        Ok(self.0.keys.as_ref().and_then(|keys| keys.key(id, now_us())))
    }
}

impl Plain {
    /// Those in a file.
    pub(crate) fn file(path: &Path) -> anyhow::Result<Plain> {
        DeviceFile::open(path).map(Plain::File)
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::keys::Locked;
    use sensock::seal::{Credential, Key};

    const KEY: KeyId = KeyId([6; 8]);

    fn futures<F: Future>(f: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(f)
    }

    fn id(name: &str) -> DeviceId {
        DeviceId::new(name).unwrap()
    }

    /// `attic-6` has a key; `attic-7` and `attic-6` are listed.
    fn guests(directory: &Path, plain: impl FnOnce(&Path) -> Plain) -> Guests {
        let (keys, list) = (directory.join("keys.txt"), directory.join("devices.txt"));
        let mut locked = Locked::open(&keys, true).unwrap();
        locked.document.remove(|_| true);
        locked.document.add(id("attic-6"), Credential { id: KEY, key: Key::new([6; 32]) });
        locked.write().unwrap();
        std::fs::write(&list, "attic-6\nattic-7\n").unwrap();
        Guests::new(Some(Ring::open(&keys).unwrap().0), plain(&list))
    }

    #[test]
    fn whoever_has_a_key_never_comes_without() {
        let directory = tempfile::tempdir().unwrap();
        let admitted = |guests: &Guests| {
            ["attic-6", "attic-7", "attic-8"].map(|name| futures(guests.admit(&id(name))).unwrap())
        };
        use Admission::{Insecure, Sealed, Unknown};
        let any = guests(directory.path(), |_| Plain::Any);
        assert_eq!(admitted(&any), [Sealed, Insecure, Insecure]);
        assert_eq!(futures(any.key(KEY)).unwrap().unwrap().device, id("attic-6"));
        let file = guests(directory.path(), |list| Plain::file(list).unwrap());
        assert_eq!(admitted(&file), [Sealed, Insecure, Unknown]);
        let sealed = guests(directory.path(), |_| Plain::Nobody);
        assert_eq!(admitted(&sealed), [Sealed, Unknown, Unknown]);
        assert!(any.is_insecure() && file.is_insecure() && !sealed.is_insecure());
        assert!(futures(sealed.key(KeyId([7; 8]))).unwrap().is_none());
    }

    #[test]
    fn an_operator_reads_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let sealed = guests(directory.path(), |_| Plain::Nobody);
        let keys = directory.path().join("keys.txt");
        let told = sealed.how_to_admit(&id("attic-8"));
        let expected = format!(
            "device attic-8 has no key here (`attic-6` has one): `sensockd keys add attic-8 --keys {}` makes one",
            keys.display()
        );
        assert_eq!(told, expected);
        assert_eq!(sealed.words(), format!("all is sealed: 1 key of 1 device, those in {}", keys.display()));
        let list = directory.path().join("devices.txt");
        let listed = Guests::new(None, Plain::file(&list).unwrap());
        let expected = format!(
            "device attic-8 is not listed (`attic-6` is listed): add a line `attic-8` to {} and it may connect",
            list.display()
        );
        assert_eq!(listed.how_to_admit(&id("attic-8")), expected);
    }
}
