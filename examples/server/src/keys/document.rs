//! All lines of a keys file, in their order, with their comments.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, anyhow, bail};
use example_device::private::random;
use sensock::DeviceId;
use sensock::seal::{Credential, KeyId};
use zeroize::Zeroizing;

use super::line::{Entry, Line};

/// What a keys file says.
#[derive(Default)]
pub(crate) struct Document {
    lines: Vec<Line>,
}

impl Document {
    /// Reads a text; `file` is what errors call it.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Document> {
        let (mut lines, mut first) = (Vec::new(), BTreeMap::new());
        for (number, text) in (1..).zip(text.lines()) {
            let line = Line::parse(text).map_err(|what| anyhow!("{file}, line {number}: {what}"))?;
            if let Line::Key(entry, _) = &line
                && let Some(other) = first.insert(entry.credential.id, number)
            {
                bail!(
                    "{file}, line {number}: line {other} has the key {} too: remove one, and give each device a key of its own",
                    entry.credential.id
                );
            }
            lines.push(line);
        }
        Ok(Document { lines })
    }

    /// Its keys.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.lines.iter().filter_map(|line| match line {
            Line::Key(entry, _) => Some(entry),
            Line::Other(_) => None,
        })
    }

    /// The keys of a device.
    pub(crate) fn of(&self, device: &DeviceId) -> impl Iterator<Item = &Entry> {
        self.entries().filter(move |entry| entry.device == *device)
    }

    /// Adds a key: behind the device's others, or at the end.
    pub(crate) fn add(&mut self, device: DeviceId, credential: Credential) {
        let last = self.lines.iter().rposition(|line| matches!(line, Line::Key(e, _) if e.device == device));
        let at = last.map_or(self.lines.len(), |last| last + 1);
        let entry = Entry { device, credential, until_us: None };
        self.lines.insert(at, Line::Key(entry, Zeroizing::default()));
    }

    /// Ends all keys of a device at this time, if they did not end before.
    pub(crate) fn limit(&mut self, device: &DeviceId, until_us: i64) {
        for line in &mut self.lines {
            if let Line::Key(entry, _) = line
                && entry.device == *device
            {
                entry.until_us = Some(entry.until_us.map_or(until_us, |before| before.min(until_us)));
            }
        }
    }

    /// Takes keys out; says which.
    pub(crate) fn remove(&mut self, which: impl Fn(&Entry) -> bool) -> Vec<(DeviceId, KeyId)> {
        let mut gone = Vec::new();
        self.lines.retain(|line| match line {
            Line::Key(entry, _) if which(entry) => {
                gone.push((entry.device, entry.credential.id));
                false
            }
            _ => true,
        });
        gone
    }

    /// The text of the file.
    pub(super) fn text(&self) -> Zeroizing<String> {
        // A line has some 130 characters; a text that moves as it grows leaves copies behind.
        let comments = self.lines.iter().map(|line| match line {
            Line::Other(text) | Line::Key(_, text) => text.len(),
        });
        let room = self.lines.len() * 200 + comments.sum::<usize>();
        let mut text = Zeroizing::new(String::with_capacity(room));
        for line in &self.lines {
            // Writing to a string does not fail.
            let _infallible = writeln!(text, "{line}");
        }
        text
    }
}

/// A new key, of an id that no other has.
pub(crate) fn made(document: &Document) -> Result<Credential> {
    loop {
        let made = Credential::make(&mut random)
            .map_err(|_| anyhow!("the system gives no random bytes: no key was made"))?;
        if document.entries().all(|e| e.credential.id != made.id) {
            return Ok(made);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::tests::{credential, key};
    use super::*;

    fn id(name: &str) -> DeviceId {
        DeviceId::new(name).unwrap()
    }

    #[test]
    fn a_change_leaves_everything_else_as_it_was() {
        let (six, seven) = (key(6), key(7));
        let before = format!("# upstairs\n\nattic-6  {six}  # by the window\n  # and\nattic-7  {seven}\n");
        let mut document = Document::parse("keys.txt", &before).unwrap();
        assert_eq!(*document.text(), before);

        document.limit(&id("attic-6"), 1_796_083_200_000_000);
        document.add(id("attic-6"), credential(8));
        document.add(id("shed"), credential(9));
        let expected = format!(
            "# upstairs\n\nattic-6  {six}  until 2026-12-01T00:00:00Z  # by the window\nattic-6  {}\n  # and\nattic-7  {seven}\nshed  {}\n",
            key(8),
            key(9)
        );
        assert_eq!(*document.text(), expected);
        // An earlier end stays.
        document.limit(&id("attic-6"), 1_896_083_200_000_000);
        let until: Vec<_> = document.of(&id("attic-6")).map(|e| e.until_us.unwrap()).collect();
        assert_eq!(until, [1_796_083_200_000_000, 1_896_083_200_000_000]);

        let gone = document.remove(|entry| entry.device == id("attic-6"));
        assert_eq!(gone, [(id("attic-6"), KeyId([6; 8])), (id("attic-6"), KeyId([8; 8]))]);
        assert_eq!(*document.text(), format!("# upstairs\n\n  # and\nattic-7  {seven}\nshed  {}\n", key(9)));
    }

    #[test]
    fn a_wrong_line_is_named_and_a_key_stands_once() {
        let said = |text: &str| Document::parse("keys.txt", text).err().unwrap().to_string();
        let form = "keys.txt, line 2: expected a key behind the device's name, as `keys add` wrote it";
        assert_eq!(said("# upstairs\nattic-6\n"), form);
        assert_eq!(
            said(&format!("attic-6 {}\nattic-7 {}", key(6), key(6))),
            "keys.txt, line 2: line 1 has the key 0606060606060606 too: remove one, and give each device a key of its own"
        );
    }
}
