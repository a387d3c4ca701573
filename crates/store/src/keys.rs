//! Who may connect.

use std::future::Future;

use sensock::DeviceId;
use sensock::seal::{Credential, Key, KeyId};

/// How a device may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Admission {
    /// With its key only.
    Sealed,
    /// Without a key: whoever reaches the server may say this name.
    Insecure,
    /// Not known.
    Unknown,
}

/// A key, and the one device that it belongs to.
#[derive(Clone, Debug)]
pub struct DeviceKey {
    /// Whose it is.
    pub device: DeviceId,
    /// The secret.
    pub key: Key,
}

/// What went wrong in looking something up.
pub type LookupError = Box<dyn std::error::Error + Send + Sync>;

/// Says who may connect, and how.
pub trait Keys: Send + Sync + 'static {
    /// Looks up how a device may connect. A device that has a key is [`Admission::Sealed`]: it is never let in without. An error refuses
    /// the device as "busy" and is logged.
    fn admit(&self, device: &DeviceId) -> impl Future<Output = Result<Admission, LookupError>> + Send;

    /// Looks a key up by its clear name; `None` if there is none, or no longer. A device may have several, as long as a change of keys takes.
    fn key(&self, id: KeyId) -> impl Future<Output = Result<Option<DeviceKey>, LookupError>> + Send {
        let _ = id;
        async { Ok(None) }
    }
}

/// Lets every device in.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnyDevice;

impl Keys for AnyDevice {
    async fn admit(&self, _: &DeviceId) -> Result<Admission, LookupError> {
        Ok(Admission::Insecure)
    }
}

/// Lets these devices in.
#[derive(Clone, Debug, Default)]
pub struct Listed(pub std::collections::BTreeSet<DeviceId>);

impl Keys for Listed {
    async fn admit(&self, device: &DeviceId) -> Result<Admission, LookupError> {
        Ok(if self.0.contains(device) { Admission::Insecure } else { Admission::Unknown })
    }
}

/// Lets devices in with these keys, and no other way.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: std::collections::BTreeMap<KeyId, DeviceKey>,
}

impl Keyring {
    /// Adds a device's key; another one of the same id goes.
    pub fn add(&mut self, device: DeviceId, credential: Credential) {
        self.keys.insert(credential.id, DeviceKey { device, key: credential.key });
    }

    /// Takes a key away; says whether there was one.
    pub fn revoke(&mut self, id: KeyId) -> bool {
        self.keys.remove(&id).is_some()
    }
}

impl Keys for Keyring {
    async fn admit(&self, device: &DeviceId) -> Result<Admission, LookupError> {
        let known = self.keys.values().any(|k| k.device == *device);
        Ok(if known { Admission::Sealed } else { Admission::Unknown })
    }

    async fn key(&self, id: KeyId) -> Result<Option<DeviceKey>, LookupError> {
        Ok(self.keys.get(&id).cloned())
    }
}
