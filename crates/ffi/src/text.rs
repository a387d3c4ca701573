//! Sentences, without the formatting machinery: that would be half of the library.

use core::ffi::CStr;

use sensock::error::Peer;
use sensock::wire::text::Text;

use crate::types::{Error, Status};

/// What a person reads of an error code.
pub(crate) fn error(code: i32) -> &'static CStr {
    const ALL: [(Error, &CStr); 22] = [
        (Error::None, c"it went well"),
        (Error::Null, c"a pointer is NULL: this call needs all of its pointers"),
        (Error::Device, c"this is no device: call sensock_init first, and keep its memory in place"),
        (Error::Abi, c"sensock.h and the library are of different versions: take both from one release, and set abi to SENSOCK_ABI"),
        (Error::Security, c"say how the device proves itself: SENSOCK_SEALED with its key, or SENSOCK_INSECURE without one, in plain text"),
        (Error::Memory, c"the memory is too small: give as many bytes as sensock_size says"),
        (Error::Id, c"a device's id is 1 to 32 of A-Z a-z 0-9 . _ -"),
        (Error::Name, c"a name or unit is longer than 48 bytes or not UTF-8"),
        (Error::Key, c"an id or key is not 1 to 16127, or given twice, or there are more than 64 of one sort"),
        (Error::Catalog, c"a scale is not -9 to 9, a range is empty, a type does not exist, or the catalogue exceeds 8192 bytes"),
        (Error::Size, c"outbox_bytes is 1024 or more, frame_bytes 256 to 16383 (or 0)"),
        (Error::Readings, c"a record holds 1 to 16 readings, each of another quantity, of 200 bytes at most together"),
        (Error::Unlisted, c"the catalogue does not list this id or key, or no such command waits for an answer"),
        (Error::Values, c"the values do not fit the types that the catalogue states"),
        (Error::State, c"this call means nothing now: there is no connection, or the boot was ended by sensock_sleep"),
        (Error::Full, c"there is no room now: call it again later"),
        (Error::Exhausted, c"all numbers of this boot are used up: restart the device"),
        (Error::Number, c"a lane, policy or kind has a number that is not defined"),
        (Error::KeyForm, c"a key line is snk1 and 88 hexadecimal digits, without spaces: copy the whole line that sensockd keys add printed"),
        (Error::KeyDigit, c"the key line holds a character that is no hexadecimal digit"),
        (Error::KeyCheck, c"a digit of the key line is wrong: its check fails; copy it again"),
        (Error::NoRandom, c"there are no random bytes, and no connection is made without: give random, and see that its generator runs"),
    ];
    ALL.iter().find(|(e, _)| *e as i32 == code).map_or(c"no such error code", |(_, text)| text)
}

/// What a person reads of a message that cannot be opened.
pub(crate) const FORGED: &str =
    "what came cannot be opened with this device's key: compare the key with the server's";

/// What a person reads of a peer that broke the protocol.
pub(crate) fn peer(peer: Peer) -> &'static str {
    match peer {
        Peer::Preface => "the peer does not speak sensock: is the port right?",
        Peer::Oversized => "the server sent a frame that is larger than frame_bytes",
        Peer::Malformed => "the server sent a malformed frame",
        Peer::UnknownKind => "the server sent a frame of a later version: update this device",
        Peer::Unexpected => "the server sent a frame that makes no sense now",
        Peer::Version => "the two ends share no protocol version: update one of them",
        Peer::AckBeyondSent => "the server acknowledged what was never sent",
        Peer::Limit => "the server sent a number outside of its limits",
        Peer::Silent => "nothing came for too long",
        _ => "the server broke the protocol",
    }
}

/// Writes text into a buffer and keeps room for a NUL; what does not fit is cut.
pub(crate) struct Line<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> Line<'a> {
    pub(crate) fn new(out: &'a mut [u8]) -> Self {
        Line { out, len: 0 }
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().copied() {
            if self.len + 1 < self.out.len()
                && let Some(slot) = self.out.get_mut(self.len)
            {
                *slot = byte;
                self.len += 1;
            }
        }
    }

    /// A text of the server's: U+FFFD stands in the place of what is not UTF-8.
    pub(crate) fn said(&mut self, text: Text<'_>) {
        let mut rest = text.as_bytes();
        while let Err(garbled) = core::str::from_utf8(rest) {
            let (valid, after) = rest.split_at(garbled.valid_up_to());
            self.bytes(valid);
            self.text("\u{fffd}");
            rest = garbled.error_len().and_then(|len| after.get(len..)).unwrap_or_default();
        }
        self.bytes(rest);
    }

    pub(crate) fn number(&mut self, mut n: u32) {
        let mut digits = [b'0'; 10];
        let mut used = 0;
        for slot in digits.iter_mut().rev() {
            *slot = b'0' + (n % 10) as u8;
            n /= 10;
            used += 1;
            if n == 0 {
                break;
            }
        }
        let digits = digits.get(10 - used..).unwrap_or_default();
        self.bytes(digits);
    }

    /// Ends it with a NUL; returns the length before that. A character that was cut in two is left out.
    pub(crate) fn end(mut self) -> usize {
        let whole = self.out.get(..self.len).unwrap_or_default();
        if let Err(cut) = core::str::from_utf8(whole) {
            self.len = cut.valid_up_to();
        }
        if let Some(slot) = self.out.get_mut(self.len) {
            *slot = 0;
        }
        self.len
    }
}

/// "stored 118, waiting 3, link up"
pub(crate) fn status(status: &Status, why_down: &str, out: &mut [u8]) -> usize {
    let mut line = Line::new(out);
    line.text("stored ");
    line.number(status.stored);
    line.text(", waiting ");
    line.number(status.waiting);
    match (status.connected, why_down) {
        (true, _) => line.text(", link up"),
        (false, "") => line.text(", no link yet"),
        (false, why) => {
            line.text(", link down: ");
            line.text(why);
        }
    }
    line.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_sentence_of_its_own() {
        let all: std::collections::BTreeSet<_> = (0..22).map(error).collect();
        assert_eq!(all.len(), 22);
        assert_eq!(error(22), c"no such error code");
        assert_eq!(error(-1), c"no such error code");
    }

    #[test]
    fn a_status_is_a_plain_sentence_and_is_cut_where_it_must_be() {
        let mut out = [0xff; 64];
        let up = Status { stored: 118, waiting: 3, connected: true, ..Status::default() };
        let n = status(&up, "whatever was before", &mut out);
        assert_eq!((&out[..n], out[n]), (&b"stored 118, waiting 3, link up"[..], 0));
        let n = status(&Status { stored: u32::MAX, ..Status::default() }, "", &mut out);
        assert_eq!(&out[..n], b"stored 4294967295, waiting 0, no link yet");
        let mut small = [0xff; 8];
        assert_eq!(status(&up, "", &mut small), 7);
        assert_eq!(&small, b"stored \0");
        assert_eq!(status(&up, "", &mut []), 0);
    }

    #[test]
    fn what_a_server_says_is_shown_where_it_is_no_text() {
        let mut out = [0xff; 24];
        for (said, shown) in [
            (&b"f\xfcr heute voll"[..], "f\u{fffd}r heute voll"),
            (b"caf\xe9", "caf\u{fffd}"),
            (b"\xff\xff.", "\u{fffd}\u{fffd}."),
            (b"23 \xc2\xb0C", "23 °C"),
        ] {
            let mut line = Line::new(&mut out);
            line.said(Text::new(said));
            let len = line.end();
            assert_eq!(&out[..len], shown.as_bytes());
        }
    }

    #[test]
    fn a_character_is_never_cut_in_two() {
        let mut out = [0xff; 5];
        let mut line = Line::new(&mut out);
        line.text("ab°°");
        assert_eq!(line.end(), 4);
        let mut out = [0xff; 4];
        let mut line = Line::new(&mut out);
        line.text("ab°°");
        assert_eq!((line.end(), out[2]), (2, 0));
    }
}
