//! The two messages of the handshake, and what both ends have after them. SPEC 14.2 and 14.3.
//!
//! ```text
//!   device                                                            server
//!   Ephemeral::make, while idle
//!   Dialled::first   ── 24, suite, key id, e, sealed Hello ──►        First::read, the key of that id, First::open, Seen::admit
//!   Dialled::second  ◄── 24, e, sealed Welcome or Refused ──          Answer::second
//!   Transport        ◄──────── every frame, sealed ────────►          Transport
//! ```

use super::Denied;
use super::ephemeral::Ephemeral;
use super::key::{Credential, Key, KeyId};
use super::noise::{Cipher, Symmetric, TAG};
use crate::deframe::PREFACE;
use crate::error::Peer;
use crate::wire::cursor::NoRoom;
use crate::wire::header::{Kind, plain};
use core::ops::Range;
use zeroize::Zeroize;

/// The only suite so far.
const SUITE: u8 = 1;
const CLEAR: usize = 10;
pub(super) const FIRST_FRONT: usize = CLEAR + 32;
pub(super) const SECOND_FRONT: usize = 1 + 32;

/// Bytes that the first message is longer than Hello.
pub const FIRST_OVERHEAD: usize = FIRST_FRONT + TAG;
/// Bytes that the second message is longer than Welcome.
pub const SECOND_OVERHEAD: usize = SECOND_FRONT + TAG;

/// The device's side between the two messages.
pub struct Dialled {
    noise: Symmetric,
    ephemeral: Ephemeral,
}

impl Dialled {
    /// Makes the first message of the `n` bytes at `buf[42..]`, which are Hello. Returns what awaits the answer, and the message's length.
    ///
    /// # Errors
    /// [`NoRoom`] if `buf` is not [`FIRST_OVERHEAD`] bytes longer than Hello.
    pub fn first(
        credential: &Credential,
        ephemeral: Ephemeral,
        buf: &mut [u8],
        n: usize,
    ) -> Result<(Dialled, usize), NoRoom> {
        let message = buf.get_mut(..n + FIRST_OVERHEAD).ok_or(NoRoom)?;
        let (clear, rest) = message.split_at_mut(CLEAR);
        let (e, text) = rest.split_at_mut(32);
        (clear[0], clear[1]) = (plain(Kind::Seal), SUITE);
        clear[2..].copy_from_slice(&credential.id.0);
        e.copy_from_slice(&ephemeral.public);
        let mut noise = begin([&PREFACE, clear], &credential.key, &ephemeral.public);
        noise.close(text).map_err(|_| NoRoom)?;
        Ok((Dialled { noise, ephemeral }, n + FIRST_OVERHEAD))
    }

    /// Opens the second message in place. Returns where in it Welcome (or a Refused that is the server's own) stands.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn second(mut self, message: &mut [u8]) -> Result<(Transport, Range<usize>), Denied> {
        let Some((&mut [kind], rest)) = message.split_first_chunk_mut::<1>() else { return Err(Denied) };
        let Some((e, text)) = rest.split_first_chunk_mut::<32>() else { return Err(Denied) };
        if kind != plain(Kind::Seal) {
            return Err(Denied);
        }
        answer(&mut self.noise, e, &self.ephemeral.secret, e)?;
        let n = self.noise.open(text).map_err(|_| Denied)?;
        let (up, down) = self.noise.split();
        Ok((Transport { out: up, from: down }, SECOND_FRONT..SECOND_FRONT + n))
    }
}

/// What of a first message can be read without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct First {
    /// Which key it claims.
    pub id: KeyId,
    /// Its ephemeral, for [`Seen`](super::Seen): once it was opened.
    pub ephemeral: [u8; 32],
}

impl First {
    /// Reads the clear part.
    ///
    /// # Errors
    /// [`Peer::Malformed`] if it is too short, [`Peer::Version`] if its suite is not known.
    pub fn read(message: &[u8]) -> Result<First, Peer> {
        if message.len() < FIRST_OVERHEAD || message[0] != plain(Kind::Seal) {
            return Err(Peer::Malformed);
        }
        if message[1] != SUITE {
            return Err(Peer::Version);
        }
        let (mut id, mut ephemeral) = ([0; 8], [0; 32]);
        id.copy_from_slice(&message[2..CLEAR]);
        ephemeral.copy_from_slice(&message[CLEAR..FIRST_FRONT]);
        Ok(First { id: KeyId(id), ephemeral })
    }

    /// Opens the message in place with the key of that id. Returns what makes the answer, and where in the message Hello stands.
    ///
    /// For an id that nobody has, call it with [`Key::unknown`]: it costs the same and says the same.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn open(&self, key: &Key, message: &mut [u8]) -> Result<(Answer, Range<usize>), Denied> {
        let Some((clear, rest)) = message.split_at_mut_checked(CLEAR) else { return Err(Denied) };
        let Some((e, text)) = rest.split_first_chunk_mut::<32>() else { return Err(Denied) };
        let mut noise = begin([&PREFACE, clear], key, e);
        let n = noise.open(text).map_err(|_| Denied)?;
        Ok((Answer { noise, device: *e }, FIRST_FRONT..FIRST_FRONT + n))
    }
}

/// The server's side between the two messages. Nothing may change because of a first message: it may be a replay until a
/// frame of [`Transport`] was opened.
pub struct Answer {
    noise: Symmetric,
    device: [u8; 32],
}

impl Answer {
    /// Makes the second message of the `n` bytes at `buf[33..]`, which are Welcome or Refused. Returns both directions, and the message's length.
    ///
    /// # Errors
    /// [`NoRoom`] if `buf` is not [`SECOND_OVERHEAD`] bytes longer than what it holds, or if the device's ephemeral is no point of the curve that
    /// gives a secret: no honest device sends such a one.
    pub fn second(
        mut self,
        ephemeral: Ephemeral,
        buf: &mut [u8],
        n: usize,
    ) -> Result<(Transport, usize), NoRoom> {
        let message = buf.get_mut(..n + SECOND_OVERHEAD).ok_or(NoRoom)?;
        let (head, text) = message.split_at_mut(SECOND_FRONT);
        head[0] = plain(Kind::Seal);
        head[1..].copy_from_slice(&ephemeral.public);
        answer(&mut self.noise, &ephemeral.public, &ephemeral.secret, &self.device).map_err(|_| NoRoom)?;
        self.noise.close(text).map_err(|_| NoRoom)?;
        let (up, down) = self.noise.split();
        Ok((Transport { out: down, from: up }, n + SECOND_OVERHEAD))
    }
}

/// `-> psk, e`
fn begin(prologue: [&[u8]; 2], key: &Key, e: &[u8; 32]) -> Symmetric {
    let mut noise = Symmetric::new(prologue);
    noise.mix_key_and_hash(key.bytes());
    noise.mix_hash([e, &[]]);
    noise.mix_key(e);
    noise
}

/// `<- e, ee`
fn answer(noise: &mut Symmetric, e: &[u8; 32], secret: &[u8; 32], public: &[u8; 32]) -> Result<(), Denied> {
    noise.mix_hash([e, &[]]);
    noise.mix_key(e);
    let mut shared = x25519_dalek::x25519(*secret, *public);
    let given = shared.iter().fold(0, |all, b| all | b) != 0;
    noise.mix_key(&shared);
    shared.zeroize();
    if given { Ok(()) } else { Err(Denied) }
}

/// Both directions after the handshake: each frame is sealed by itself, in order.
pub struct Transport {
    out: Cipher,
    from: Cipher,
}

impl Transport {
    /// As if so many frames had gone in the direction that it sends in, and in the other one.
    #[cfg(test)]
    pub(super) fn skip_to(&mut self, out: u64, from: u64) {
        self.out.skip_to(out);
        self.from.skip_to(from);
    }

    /// Seals the `n` bytes at the start of `buf` in place; returns the length of the message, [`TAG`] more.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub fn close(&mut self, buf: &mut [u8], n: usize) -> Result<usize, NoRoom> {
        let message = buf.get_mut(..n + TAG).ok_or(NoRoom)?;
        self.out.close(&[], message).map_err(|_| NoRoom)?;
        Ok(n + TAG)
    }

    /// Opens a message in place; the frame is its first so many bytes.
    ///
    /// # Errors
    /// [`Denied`]: the connection is over.
    pub fn open(&mut self, message: &mut [u8]) -> Result<usize, Denied> {
        self.from.open(&[], message).map_err(|_| Denied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |i: usize| char::from(hex.as_bytes()[i]).to_digit(16).unwrap() as u8;
        (0..hex.len()).step_by(2).map(|i| digit(i) << 4 | digit(i + 1)).collect()
    }

    fn array(hex: &str) -> [u8; 32] {
        bytes(hex).try_into().unwrap()
    }

    /// The numbers are of the published set of the cacophony project (released into the public domain) for this very protocol name.
    #[test]
    fn the_published_vector_holds() {
        let prologue = b"John Galt";
        let key = Key::new(array("54686973206973206d7920417573747269616e20706572737065637469766521"));
        let device =
            Ephemeral::from_secret(array("893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a"));
        let server =
            Ephemeral::from_secret(array("bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b"));
        let messages = [
            (
                "4c756477696720766f6e204d69736573",
                "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c794479b962b8aff8485742ac32f905ba45369e2465fb59e138a93d67a0d1266b6a54",
            ),
            (
                "4d757272617920526f746862617264",
                "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843d6062704d5a9c422a8e834423f8c1feada7e8d0d910a1a2cd030fb584221e3",
            ),
            ("462e20412e20486179656b", "e632c3763d7669067383433197a3baddf146e9e70ad4b4e9e59e0f"),
            ("4361726c204d656e676572", "64c6bee32ea91c8474bb4c21d7a700109ad45af77b29764ba5eb1e"),
            (
                "4a65616e2d426170746973746520536179",
                "e2fa0bed0603b62d3ccac2ecabbf3fe33f3e86514909b323361626266cb2471cc8",
            ),
            (
                "457567656e2042f6686d20766f6e2042617765726b",
                "0c01dc9cec1fe4ddd692e8dd32188aa351088dc91183639a53b57aa4692b5ebdef8b8ca111",
            ),
        ]
        .map(|(plain, sealed)| (bytes(plain), bytes(sealed)));
        let padded = |plain: &[u8]| [plain, &[0; TAG]].concat();

        let mut from = begin([prologue, &[]], &key, &device.public);
        let mut text = padded(&messages[0].0);
        from.close(&mut text).unwrap();
        assert_eq!([&device.public[..], &text].concat(), messages[0].1);
        let mut to = begin([prologue, &[]], &key, &device.public);
        assert_eq!(to.open(&mut text).unwrap(), messages[0].0.len());

        answer(&mut to, &server.public, &server.secret, &device.public).unwrap();
        let mut text = padded(&messages[1].0);
        to.close(&mut text).unwrap();
        assert_eq!([&server.public[..], &text].concat(), messages[1].1);
        answer(&mut from, &server.public, &device.secret, &server.public).unwrap();
        from.open(&mut text).unwrap();

        let ((mut up, mut down), (mut up_at_server, mut down_at_server)) = (from.split(), to.split());
        for (i, (plain, sealed)) in messages.iter().enumerate().skip(2) {
            let (close, open) = match i % 2 {
                0 => (&mut up, &mut up_at_server),
                _ => (&mut down_at_server, &mut down),
            };
            let mut text = padded(plain);
            close.close(&[], &mut text).unwrap();
            assert_eq!(&text, sealed, "message {i}");
            let n = open.open(&[], &mut text).unwrap();
            assert_eq!(&text[..n], plain);
        }
    }
}
