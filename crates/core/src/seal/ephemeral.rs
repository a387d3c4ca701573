//! Key pairs for one handshake each.

use super::key::Key;
use super::noise::mac;
use zeroize::Zeroize;

/// Where random bytes come from: a hardware generator, an operating system.
pub trait Entropy {
    /// Fills the bytes.
    ///
    /// # Errors
    /// [`NoEntropy`] if there are none to be had now: no connection is made then.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy>;
}

impl<F: FnMut(&mut [u8]) -> Result<(), NoEntropy>> Entropy for F {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        self(bytes)
    }
}

/// There are no random bytes: a connection made without them would not be secure, so none is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no random bytes could be had; no connection is made without: see that the generator runs before you dial"
)]
pub struct NoEntropy;

/// A key pair for one handshake. Making one is half of a handshake's work: a device makes the next while it is idle.
///
/// It cannot be cloned, and a handshake takes it away: the same pair under the same key would seal two messages alike.
pub struct Ephemeral {
    pub(super) secret: [u8; 32],
    pub(super) public: [u8; 32],
}

impl Drop for Ephemeral {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl Ephemeral {
    /// Makes a pair. `salt` is something that this key has never been used with: say boot, number of the dial, and tick. If the
    /// generator repeats itself after a reset, as weak ones do, the pair is still another one; if the salt repeats, the generator has to be good.
    ///
    /// Costs one multiplication on the curve: some 15 million instructions on a chip of 32 bits without a multiplier for 64.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn make(key: &Key, entropy: &mut impl Entropy, salt: &[u64; 3]) -> Result<Self, NoEntropy> {
        let mut random = [0; 32];
        entropy.fill(&mut random)?;
        let [a, b, c] = salt.map(u64::to_le_bytes);
        let secret = mac(key.bytes(), &[b"sensock ephemeral", &random, &a, &b, &c]);
        random.zeroize();
        Ok(Self::from_secret(secret))
    }

    pub(super) fn from_secret(secret: [u8; 32]) -> Self {
        #[cfg(feature = "seal-tables")]
        let public = x25519_dalek::PublicKey::from(&x25519_dalek::StaticSecret::from(secret)).to_bytes();
        #[cfg(not(feature = "seal-tables"))]
        let public = x25519_dalek::x25519(secret, super::noise::BASE);
        Ephemeral { secret, public }
    }
}

impl core::fmt::Debug for Ephemeral {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Ephemeral(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::noise::BASE;

    #[test]
    fn the_public_half_is_the_same_by_tables_and_by_the_ladder() {
        for n in 0..32_u8 {
            let mut secret = [n.wrapping_mul(37); 32];
            secret[usize::from(n)] = 255 - n;
            let pair = Ephemeral::from_secret(secret);
            assert_eq!(pair.public, x25519_dalek::x25519(secret, BASE));
        }
    }
}
