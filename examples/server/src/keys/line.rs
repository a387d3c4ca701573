//! One line of a keys file.

use std::fmt;

use jiff::Timestamp;
use sensock::DeviceId;
use sensock::seal::Credential;
use zeroize::Zeroizing;

/// A key, whose it is, and how long it is valid.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) device: DeviceId,
    pub(crate) credential: Credential,
    /// In microseconds since 1970; `None`: for ever.
    pub(crate) until_us: Option<i64>,
}

impl Entry {
    /// Whether the key is still valid.
    pub(crate) fn is_valid(&self, now_us: i64) -> bool {
        self.until_us.is_none_or(|until| now_us < until)
    }
}

/// A line.
pub(super) enum Line {
    /// Nothing, or a comment. A comment may be a key that somebody took out for a while, so it is treated as one.
    Other(Zeroizing<String>),
    /// A key, and the comment behind it.
    Key(Entry, Zeroizing<String>),
}

impl Line {
    /// Reads a line. An error says what was expected and never what was found, for it may be nearly a key.
    pub(super) fn parse(text: &str) -> Result<Line, String> {
        let (said, comment) = text.split_at(text.find('#').unwrap_or(text.len()));
        let mut words = said.split_whitespace();
        let Some(name) = words.next() else { return Ok(Line::Other(Zeroizing::new(text.to_owned()))) };
        let device = DeviceId::new(name).map_err(|error| {
            format!("expected a device's name and its key, as `keys add` wrote them: {error}")
        })?;
        let key = words.next().ok_or("expected a key behind the device's name, as `keys add` wrote it")?;
        let credential = Credential::parse(key).map_err(|error| error.to_string())?;
        let until_us = match (words.next(), words.next(), words.next()) {
            (None, ..) => None,
            (Some("until"), Some(time), None) => {
                Some(moment(time).ok_or("expected a time behind `until`, as in until 2026-12-01T00:00:00Z")?)
            }
            _ => {
                return Err(
                    "expected nothing behind the key but a time, as in until 2026-12-01T00:00:00Z, and a # comment"
                        .to_owned(),
                );
            }
        };
        Ok(Line::Key(Entry { device, credential, until_us }, Zeroizing::new(comment.to_owned())))
    }
}

fn moment(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(|time| time.as_microsecond())
}

/// The line as the file has it: this writes the secret.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (entry, comment) = match self {
            Line::Other(text) => return f.write_str(text),
            Line::Key(entry, comment) => (entry, comment),
        };
        let text = Zeroizing::new(entry.credential.text());
        // All of its characters are ASCII.
        write!(f, "{}  {}", entry.device, str::from_utf8(&*text).unwrap_or_default())?;
        if let Some(until) = entry.until_us.and_then(|us| Timestamp::from_microsecond(us).ok()) {
            write!(f, "  until {until}")?;
        }
        if !comment.is_empty() {
            write!(f, "  {}", comment.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;
    use sensock::seal::{Key, KeyId};

    /// The key number `n`.
    pub(crate) fn credential(n: u8) -> Credential {
        Credential { id: KeyId([n; 8]), key: Key::new([n ^ 0xa5; 32]) }
    }

    /// As a line of text.
    pub(crate) fn key(n: u8) -> String {
        String::from_utf8(credential(n).text().to_vec()).unwrap()
    }

    fn back(text: &str) -> String {
        Line::parse(text).map(|line| line.to_string()).unwrap()
    }

    fn wrong(text: &str) -> String {
        Line::parse(text).err().unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn a_line_comes_back() {
        for line in [
            "".to_owned(),
            "  # upstairs ".to_owned(),
            format!("attic-6  {}", key(6)),
            format!("attic-6  {}  # by the window", key(6)),
            format!("attic-6  {}  until 2026-12-01T00:00:00Z", key(6)),
            format!("attic-6  {}  until 2026-12-01T00:00:00.25Z  # old", key(6)),
        ] {
            assert_eq!(back(&line), line);
        }
        assert_eq!(back(&format!("\tattic-6 {} ", key(6))), format!("attic-6  {}", key(6)));
        let line = format!("attic-6 {} until 2026-12-01T01:00:00+01:00", key(6));
        assert_eq!(back(&line), format!("attic-6  {}  until 2026-12-01T00:00:00Z", key(6)));
    }

    #[test]
    fn a_wrong_line_is_answered_with_what_was_expected() {
        let form = "a key line is snk1 and 88 hexadecimal digits";
        assert!(wrong("attic-6").starts_with("expected a key behind the device's name"));
        assert!(wrong("attic-6 until 2026-12-01T00:00:00Z").starts_with(form));
        assert!(wrong(&format!("{} attic-6", key(6))).contains("a device id is longer than 32 bytes"));
        assert!(wrong(&format!("attic-6 {}", &key(6)[..90])).starts_with(form));
        let digit = wrong(&format!("attic-6 {}", key(6).replacen("a3", "b3", 1)));
        assert_eq!(digit, "a digit of the key line is wrong: its check fails; copy it again");
        for behind in ["till 2026-12-01T00:00:00Z", "until 2026-12-01T00:00:00Z 7", "7d"] {
            let said = wrong(&format!("attic-6 {} {behind}", key(6)));
            assert!(said.starts_with("expected nothing behind the key but a time"), "{said}");
        }
        for time in ["", "tomorrow", "2026-12-01", "2026-12-01T00:00:00"] {
            let said = wrong(&format!("attic-6 {} until {time}", key(6)));
            assert!(said.starts_with("expected "), "{said}");
        }
    }

    proptest! {
        /// However a line was mangled, its error repeats nothing of it that could be a secret.
        #[test]
        fn no_error_says_a_secret(at in 0usize..120, with in "[ a-f0-9#\\-]{0,3}", cut in 0usize..3) {
            let line = format!("attic-6  {}  until 2026-12-01T00:00:00Z", key(6));
            let at = at.min(line.len() - cut);
            let mangled = format!("{}{with}{}", &line[..at], &line[at + cut..]);
            if let Err(said) = Line::parse(&mangled) {
                prop_assert!(!said.contains("a3a3") && !said.contains("0606"), "{said}");
            }
        }

        #[test]
        fn any_text_is_read_or_answered(text in "\\PC{0,140}") {
            let _either = Line::parse(&text).map(|line| line.to_string());
        }
    }
}
