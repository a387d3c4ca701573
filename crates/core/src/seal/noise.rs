//! What Noise calls CipherState and SymmetricState, for one suite: X25519, ChaCha20-Poly1305, SHA-256.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// Bytes that a sealed message is longer than what it holds.
pub const TAG: usize = 16;

/// Of Curve25519: the public key of the number 9 is where all public keys begin.
#[cfg(any(test, not(feature = "seal-tables")))]
pub(super) const BASE: [u8; 32] = {
    let mut base = [0; 32];
    base[0] = 9;
    base
};

const NAME: &[u8] = b"Noise_NNpsk0_25519_ChaChaPoly_SHA256";

/// What could not be opened: it was changed, is of another key, or came out of turn. Nothing of it may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forged;

/// A key and the number of the next message under it. The key is erased when dropped.
pub(super) struct Cipher {
    key: [u8; 32],
    next: u64,
}

impl Drop for Cipher {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl Cipher {
    fn new(key: [u8; 32]) -> Self {
        Cipher { key, next: 0 }
    }

    fn nonce(n: u64) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&n.to_le_bytes());
        nonce
    }

    /// Seals the bytes before the last [`TAG`] in place; the tag goes into those.
    pub(super) fn close(&mut self, aad: &[u8], message: &mut [u8]) -> Result<(), Forged> {
        let Some((plain, tag)) = message.split_last_chunk_mut::<TAG>() else { return Err(Forged) };
        let cipher = ChaCha20Poly1305::new(&self.key.into());
        let made = cipher.encrypt_inout_detached(&Self::nonce(self.next).into(), aad, plain.into());
        *tag = made.map_err(|_| Forged)?.into();
        self.step();
        Ok(())
    }

    /// Opens a message in place and returns its length without the tag. If it cannot be opened nothing changed but the bytes.
    pub(super) fn open(&mut self, aad: &[u8], message: &mut [u8]) -> Result<usize, Forged> {
        let Some((text, tag)) = message.split_last_chunk_mut::<TAG>() else { return Err(Forged) };
        let n = text.len();
        let cipher = ChaCha20Poly1305::new(&self.key.into());
        let nonce = Self::nonce(self.next).into();
        cipher.decrypt_inout_detached(&nonce, aad, text.into(), &(*tag).into()).map_err(|_| Forged)?;
        self.step();
        Ok(n)
    }

    /// As if messages had been sealed and opened up to the one of this number.
    #[cfg(test)]
    pub(super) fn skip_to(&mut self, number: u64) {
        (self.next..number).for_each(|_| self.step());
    }

    /// A new key after each so many messages, by counting alone; both ends count the same.
    fn step(&mut self) {
        self.next += 1;
        if self.next.is_multiple_of(REKEY_MESSAGES) {
            let mut sealed = [0; 32 + TAG];
            let cipher = ChaCha20Poly1305::new(&self.key.into());
            let (plain, _) = sealed.split_at_mut(32);
            // 32 bytes are never too long, and the tag is of no use here.
            let _ = cipher.encrypt_inout_detached(&Self::nonce(u64::MAX).into(), &[], plain.into());
            self.key.copy_from_slice(plain);
            sealed.zeroize();
        }
    }
}

/// Messages in one direction under one key.
pub(super) const REKEY_MESSAGES: u64 = 1 << 16;

/// What a handshake knows so far: the chaining key, the hash of all that was said, and a cipher once there is one.
pub(super) struct Symmetric {
    chain: [u8; 32],
    hash: [u8; 32],
    cipher: Cipher,
}

impl Drop for Symmetric {
    fn drop(&mut self) {
        self.chain.zeroize();
    }
}

impl Symmetric {
    pub(super) fn new(prologue: [&[u8]; 2]) -> Self {
        let hash: [u8; 32] = Sha256::digest(NAME).into();
        let mut this = Symmetric { chain: hash, hash, cipher: Cipher::new([0; 32]) };
        this.mix_hash(prologue);
        this
    }

    pub(super) fn mix_hash(&mut self, data: [&[u8]; 2]) {
        let mut sha = Sha256::new_with_prefix(self.hash);
        data.iter().for_each(|d| sha.update(d));
        self.hash = sha.finalize().into();
    }

    pub(super) fn mix_key(&mut self, input: &[u8; 32]) {
        let [chain, key, _] = expand(&self.chain, input);
        self.chain = chain;
        self.cipher = Cipher::new(key);
    }

    pub(super) fn mix_key_and_hash(&mut self, input: &[u8; 32]) {
        let [chain, hash, key] = expand(&self.chain, input);
        self.chain = chain;
        self.mix_hash([&hash, &[]]);
        self.cipher = Cipher::new(key);
    }

    pub(super) fn close(&mut self, message: &mut [u8]) -> Result<(), Forged> {
        let hash = self.hash;
        self.cipher.close(&hash, message)?;
        self.mix_hash([message, &[]]);
        Ok(())
    }

    pub(super) fn open(&mut self, message: &mut [u8]) -> Result<usize, Forged> {
        let before = self.hash;
        self.mix_hash([message, &[]]);
        self.cipher.open(&before, message)
    }

    /// Ciphers of the two directions: from who dialled, and to it.
    pub(super) fn split(self) -> (Cipher, Cipher) {
        let [up, down, _] = expand(&self.chain, &[]);
        (Cipher::new(up), Cipher::new(down))
    }
}

/// HKDF with SHA-256, as Noise writes it: three outputs, of which a caller may drop the last.
pub(super) fn expand(chain: &[u8; 32], input: &[u8]) -> [[u8; 32]; 3] {
    let mut secret = mac(chain, &[input]);
    let first = mac(&secret, &[&[1]]);
    let second = mac(&secret, &[&first, &[2]]);
    let third = mac(&secret, &[&second, &[3]]);
    secret.zeroize();
    [first, second, third]
}

#[inline(never)]
pub(super) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // A key shorter than a block stands for itself followed by zeros.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new(&block.into());
    block.zeroize();
    parts.iter().for_each(|p| mac.update(p));
    mac.finalize().into_bytes().into()
}
