//! A device's key, its clear name, and the line in which a person carries both.

use super::ephemeral::{Entropy, NoEntropy};
use super::noise::mac;
use core::fmt;
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// The random name of a key. It travels in clear: whoever looks on can tell that two connections used the same key, and no more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 8]);

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// A device's secret: 32 random bytes, never a pass-phrase (one recorded handshake would let anybody try phrases at home). Erased from memory when
/// dropped, and never printed.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// From 32 random bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Key(bytes)
    }

    /// The key of an id that nobody has: of one server always the same, known to nobody, so that a guess costs and answers what a wrong key does.
    pub fn unknown(server: &[u8; 32], id: KeyId) -> Self {
        Key(mac(server, &[b"sensock unknown", &id.0]))
    }

    /// The bytes, for who stores them.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

/// A key and its name: what a device is given once, as a line of text, a QR code or a line of a sketch.
///
/// The line is `snk1` and 88 hexadecimal digits: the name (8 bytes), the key (32 bytes), and the first 4 bytes of SHA-256 over
/// `snk1`, name and key, so that a digit read wrongly is found before the device is bricked in its cellar.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The name.
    pub id: KeyId,
    /// The secret.
    pub key: Key,
}

/// Characters of a [`Credential`]'s line.
pub const CREDENTIAL_TEXT: usize = PREFIX.len() + 2 * BYTES;

const PREFIX: &[u8; 4] = b"snk1";
const BYTES: usize = 8 + 32 + 4;

/// Why a line is no credential. What the line said is not repeated: it may be nearly right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCredential {
    /// Another length, or it begins with something else.
    #[error(
        "a key line is snk1 and 88 hexadecimal digits, without spaces: copy the whole line that `keys add` printed"
    )]
    Form,
    /// A digit is none.
    #[error("a key line holds a character that is no hexadecimal digit")]
    Digit,
    /// The check at its end fails.
    #[error("a digit of the key line is wrong: its check fails; copy it again")]
    Check,
}

impl Credential {
    /// Makes a key and its name of 40 random bytes: the operating system's, never those of a chip that has just started.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn make(entropy: &mut impl Entropy) -> Result<Self, NoEntropy> {
        let (mut id, mut key) = ([0; 8], [0; 32]);
        let filled = entropy.fill(&mut id).and_then(|()| entropy.fill(&mut key));
        let credential = Credential { id: KeyId(id), key: Key(key) };
        key.zeroize();
        filled.map(|()| credential)
    }

    /// Reads a line; upper and lower case digits are the same.
    ///
    /// # Errors
    /// [`BadCredential`].
    pub fn parse(text: &str) -> Result<Self, BadCredential> {
        let text = text.as_bytes();
        let digits = text.strip_prefix(PREFIX).filter(|d| d.len() == 2 * BYTES).ok_or(BadCredential::Form)?;
        let mut bytes = [0; BYTES];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |d: u8| char::from(d).to_digit(16).ok_or(BadCredential::Digit);
            *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
        }
        let (mut id, mut key) = ([0; 8], [0; 32]);
        id.copy_from_slice(&bytes[..8]);
        key.copy_from_slice(&bytes[8..40]);
        let credential = Credential { id: KeyId(id), key: Key(key) };
        let right = credential.check() == bytes[40..];
        bytes.zeroize();
        key.zeroize();
        if right { Ok(credential) } else { Err(BadCredential::Check) }
    }

    /// The line, for the person who carries it to the device: it is the secret itself.
    pub fn text(&self) -> [u8; CREDENTIAL_TEXT] {
        let mut text = [0; CREDENTIAL_TEXT];
        text[..PREFIX.len()].copy_from_slice(PREFIX);
        let check = self.check();
        let bytes = self.id.0.iter().chain(&self.key.0).chain(&check);
        for (pair, byte) in text[PREFIX.len()..].chunks_exact_mut(2).zip(bytes) {
            let digit = |d: u8| if d < 10 { b'0' + d } else { b'a' + d - 10 };
            (pair[0], pair[1]) = (digit(byte >> 4), digit(byte & 15));
        }
        text
    }

    fn check(&self) -> [u8; 4] {
        let hash =
            Sha256::new().chain_update(PREFIX).chain_update(self.id.0).chain_update(self.key.0).finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::format;
    use std::string::String;

    fn credential() -> Credential {
        let mut key = [0; 32];
        key.iter_mut().enumerate().for_each(|(i, b)| *b = 3 * i as u8);
        Credential { id: KeyId([1, 2, 3, 4, 5, 6, 7, 255]), key: Key::new(key) }
    }

    fn line() -> String {
        String::from_utf8(credential().text().to_vec()).unwrap()
    }

    #[test]
    fn a_line_comes_back() {
        for text in [line(), format!("snk1{}", line()[4..].to_uppercase())] {
            let back = Credential::parse(&text).unwrap();
            assert_eq!((back.id, back.key.bytes()), (credential().id, credential().key.bytes()));
        }
    }

    #[test]
    fn every_wrong_digit_is_found() {
        for i in 0..CREDENTIAL_TEXT {
            let mut text = line().into_bytes();
            text[i] = if text[i] == b'7' { b'8' } else { b'7' };
            let text = String::from_utf8(text).unwrap();
            let why = Credential::parse(&text).unwrap_err();
            assert_eq!(why, if i < 4 { BadCredential::Form } else { BadCredential::Check }, "{i}");
        }
        assert_eq!(Credential::parse(&line()[..91]).unwrap_err(), BadCredential::Form);
        assert_eq!(Credential::parse(&line().replace("ff", "fg")).unwrap_err(), BadCredential::Digit);
    }

    #[test]
    fn a_made_key_is_what_the_generator_gave_or_none() {
        let mut next = 0;
        let mut counting = |bytes: &mut [u8]| {
            bytes.iter_mut().for_each(|b| (*b, next) = (next, next + 1));
            Ok(())
        };
        let made = Credential::make(&mut counting).unwrap();
        assert_eq!(made.id.0, [0, 1, 2, 3, 4, 5, 6, 7]);
        assert!(made.key.bytes().iter().copied().eq(8..40));
        assert_eq!(Credential::make(&mut |_: &mut [u8]| Err(NoEntropy)).unwrap_err(), NoEntropy);
    }

    #[test]
    fn nothing_prints_the_secret() {
        let shown = format!("{:?}", credential());
        assert_eq!(shown, "Credential { id: 01020304050607ff, key: Key(hidden) }");
    }
}
