//! How the device proves that it is who it says: by the key line that it was built with.

use sensock::seal::Credential;
use sensock_device::{Key, Random};

/// The line of `SENSOCK_KEY`; `None` if the firmware was built with `SENSOCK_INSECURE=1`. See `build.rs`.
const LINE: Option<&str> = include!(concat!(env!("OUT_DIR"), "/key.rs"));

/// The firmware's key, read once at the start.
pub(crate) struct Proof {
    credential: Option<Credential>,
    random: Random,
}

impl Proof {
    /// Reads the line.
    ///
    /// # Panics
    /// If a digit of it is wrong: that shows at the first boot.
    pub(crate) fn with(random: Random) -> Self {
        let read = |line| match Credential::parse(line) {
            Ok(credential) => credential,
            Err(_) => panic!("a digit of SENSOCK_KEY is wrong: its check fails"),
        };
        Proof { credential: LINE.map(read), random }
    }

    /// As a node takes it.
    pub(crate) fn key(&self) -> Key<'_> {
        match &self.credential {
            Some(credential) => Key::Sealed(credential, self.random),
            None => Key::Insecure,
        }
    }
}
