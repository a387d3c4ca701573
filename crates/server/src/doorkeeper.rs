//! What a server keeps to tell first messages apart, whoever sends them.

use std::collections::HashMap;
use std::sync::Mutex;

use sensock::seal::{Key, KeyId, NoEntropy, Seen};

use crate::inbox::lock;
use crate::random;

/// Keys whose first messages are remembered. A key beyond them takes the place of another one: what is then not known again is still no
/// more than a look into the store, since nothing changes before the device has proved itself live.
const KEYS_MAX: usize = 65_536;

/// What is known of first messages.
pub(crate) struct Doorkeeper {
    secret: Key,
    seen: Mutex<HashMap<KeyId, Seen>>,
}

impl Doorkeeper {
    pub(crate) fn new() -> Result<Self, NoEntropy> {
        let mut secret = [0; 32];
        random::fill(&mut secret)?;
        Ok(Doorkeeper { secret: Key::new(secret), seen: Mutex::default() })
    }

    /// The key of an id that nobody has.
    pub(crate) fn unknown(&self, id: KeyId) -> Key {
        Key::unknown(self.secret.bytes(), id)
    }

    /// Whether a first message, which was opened, is new.
    pub(crate) fn admit(&self, id: KeyId, ephemeral: &[u8; 32]) -> bool {
        let mut seen = lock(&self.seen);
        if seen.len() >= KEYS_MAX && !seen.contains_key(&id) {
            let any = seen.keys().next().copied();
            any.and_then(|any| seen.remove(&any));
        }
        seen.entry(id).or_default().admit(ephemeral)
    }
}
