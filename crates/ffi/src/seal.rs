//! What seals connections: the device's key, random bytes of C's, and the key pair for the next dial.

use sensock::seal::{BadCredential, Cover, Credential, Entropy, Ephemeral, NoEntropy};

use crate::types::Error;

/// C's source of random bytes. It is called in `memory`, as everything of C's is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source(pub(crate) unsafe extern "C" fn(*mut u8, usize) -> bool);

impl Entropy for Source {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        crate::memory::fill(*self, bytes)
    }
}

/// Makes covers.
#[derive(Debug)]
pub(crate) struct Covers {
    sealed: Option<Sealed>,
}

#[derive(Debug)]
struct Sealed {
    credential: Credential,
    source: Source,
    spare: Option<Ephemeral>,
    /// Key pairs so far: none is made of the same salt as another one of this boot.
    made: u64,
}

impl Covers {
    pub(crate) fn new(proof: Option<(Credential, Source)>) -> Self {
        let sealed = |(credential, source)| Sealed { credential, source, spare: None, made: 0 };
        Covers { sealed: proof.map(sealed) }
    }

    /// Makes the key pair of the next connection, if there is none.
    pub(crate) fn prepare(&mut self, boot: u32, now: u64) {
        if let Some(sealed) = self.sealed.as_mut().filter(|s| s.spare.is_none()) {
            // If there are no random bytes now, there may be some when they are needed.
            sealed.spare = sealed.pair(boot, now).ok();
        }
    }

    /// The cover of a connection.
    pub(crate) fn next(&mut self, boot: u32, now: u64) -> Result<Cover, Error> {
        let Some(sealed) = &mut self.sealed else { return Ok(Cover::insecure()) };
        let pair = match sealed.spare.take() {
            Some(pair) => pair,
            None => sealed.pair(boot, now).map_err(|NoEntropy| Error::NoRandom)?,
        };
        Ok(Cover::dial(sealed.credential.clone(), pair))
    }
}

impl Sealed {
    fn pair(&mut self, boot: u32, now: u64) -> Result<Ephemeral, NoEntropy> {
        self.made += 1;
        Ephemeral::make(&self.credential.key, &mut self.source, &[boot.into(), self.made, now])
    }
}

/// Reads a key line.
pub(crate) fn credential(line: &str) -> Result<Credential, Error> {
    Credential::parse(line).map_err(|bad| match bad {
        BadCredential::Form => Error::KeyForm,
        BadCredential::Digit => Error::KeyDigit,
        BadCredential::Check => Error::KeyCheck,
    })
}
