//! A sentence for people, as it came.

use crate::limits::TEXT_MAX;
use core::fmt::{self, Write};

/// A sentence that a person can read: UTF-8, as far as its writer kept the rule. What is not shows as U+FFFD and is no error (SPEC 1.4): a
/// device without a screen need not look at it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// None.
    pub const EMPTY: Text<'static> = Text(&[]);

    /// What came.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Text(bytes)
    }

    /// The bytes as they came; not always UTF-8.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether there is nothing to read.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// What a person reads.
    pub fn chars(self) -> impl Iterator<Item = char> + Clone + use<'a> {
        self.0.utf8_chunks().flat_map(|chunk| {
            let garbled = (!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER);
            chunk.valid().chars().chain(garbled)
        })
    }

    /// At most 160 bytes of it, cut between characters.
    pub(crate) fn cut(self) -> &'a [u8] {
        let mut end = self.0.len().min(TEXT_MAX);
        // What follows the first byte of a character begins with the bits 10.
        while end > 0 && self.0.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
            end -= 1;
        }
        &self.0[..end]
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Text(text.as_bytes())
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|c| f.write_char(c))
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        self.chars().flat_map(char::escape_debug).try_for_each(|c| f.write_char(c))?;
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::format;

    #[test]
    fn what_is_no_text_is_shown_and_does_no_harm() {
        assert_eq!(format!("{}", Text::from("23 °C")), "23 °C");
        assert_eq!(format!("{}", Text::new(b"caf\xe9, closed")), "caf\u{fffd}, closed");
        assert_eq!(format!("{:?}", Text::new(b"a\n\xff")), "\"a\\n\u{fffd}\"");
        assert_eq!(format!("{}", Text::EMPTY), "");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let whole = format!("{}°°", "x".repeat(TEXT_MAX - 3));
        let cut = &whole.as_bytes()[..TEXT_MAX - 1];
        assert_eq!(Text::from(&*whole).cut(), cut);
        assert_eq!(Text::new(cut).cut(), cut);
        // No text at all: what is left need not be one either.
        assert!(Text::new(&[0x80; 300]).cut().is_empty());
    }
}
