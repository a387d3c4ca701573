//! The cover of the next connection, and the key pair for it.

use sensock::Tick;
use sensock::seal::Cover;
#[cfg(feature = "seal")]
use sensock::seal::{Ephemeral, NoEntropy};

use crate::node::Key;

/// Makes covers: nothing to do without a key.
pub(super) struct Covers<'a> {
    key: Key<'a>,
    #[cfg(feature = "seal")]
    spare: Option<Ephemeral>,
    /// Key pairs so far: none is made of the same salt as another one of this boot.
    #[cfg(feature = "seal")]
    made: u64,
}

impl<'a> Covers<'a> {
    pub(super) const fn new(key: Key<'a>) -> Self {
        Covers {
            key,
            #[cfg(feature = "seal")]
            spare: None,
            #[cfg(feature = "seal")]
            made: 0,
        }
    }

    /// Whether [`Covers::prepare`] has nothing to do.
    pub(super) fn is_ready(&self) -> bool {
        match self.key {
            #[cfg(feature = "seal")]
            Key::Sealed(..) => self.spare.is_some(),
            _ => true,
        }
    }

    /// Makes the key pair of the next connection: half of a handshake's work, at a time when nobody waits for it.
    pub(super) fn prepare(&mut self, boot: u32, now: Tick) {
        #[cfg(feature = "seal")]
        if !self.is_ready() {
            // If there are no random bytes now, there may be some when they are needed.
            self.spare = self.pair(boot, now).ok();
        }
        #[cfg(not(feature = "seal"))]
        let _ = (boot, now);
    }

    /// The cover of a connection; `None` without random bytes.
    pub(super) fn next(&mut self, boot: u32, now: Tick) -> Option<Cover> {
        match self.key {
            #[cfg(feature = "seal")]
            Key::Sealed(credential, _) => {
                let pair = match self.spare.take() {
                    Some(pair) => pair,
                    None => self.pair(boot, now).ok()?,
                };
                Some(Cover::dial(credential.clone(), pair))
            }
            _ => {
                let _ = (boot, now);
                Some(Cover::insecure())
            }
        }
    }

    #[cfg(feature = "seal")]
    fn pair(&mut self, boot: u32, now: Tick) -> Result<Ephemeral, NoEntropy> {
        let Key::Sealed(credential, mut random) = self.key else { return Err(NoEntropy) };
        self.made += 1;
        Ephemeral::make(&credential.key, &mut random, &[boot.into(), self.made, now.0])
    }
}
