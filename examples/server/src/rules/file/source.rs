//! A TOML text with what was found wrong in it so far: every mistake is told, not only the first.

use std::cell::RefCell;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::FileError;
use crate::show::words::nearest;

/// A mistake that was told already; nothing can be made of the part that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told;

/// A file's text.
pub(super) struct Source<'t> {
    pub(super) file: &'t str,
    text: &'t str,
    errors: RefCell<Vec<FileError>>,
}

/// A table of the file, of which all keys are known.
#[derive(Clone, Copy)]
pub(super) struct Section<'t> {
    pub(super) source: &'t Source<'t>,
    /// What it is called: "rule", "hazard".
    pub(super) what: &'t str,
    table: &'t DeTable<'t>,
    at: usize,
}

/// A value of the file, with the key that it stands under.
#[derive(Clone, Copy)]
pub(super) struct Value<'t> {
    pub(super) source: &'t Source<'t>,
    pub(super) key: &'t str,
    pub(super) is: &'t DeValue<'t>,
    at: usize,
}

impl<'t> Source<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, errors: RefCell::default() }
    }

    /// The line of a byte.
    pub(super) fn line(&self, at: usize) -> usize {
        self.text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
    }

    /// Notes a mistake.
    pub(super) fn wrong(&self, at: usize, what: impl Into<String>) -> Told {
        let error = FileError { file: self.file.to_owned(), line: Some(self.line(at)), what: what.into() };
        self.errors.borrow_mut().push(error);
        Told
    }

    /// The same on a line.
    pub(super) fn wrong_line(&self, line: usize, what: impl Into<String>) -> Told {
        let error = FileError { file: self.file.to_owned(), line: Some(line), what: what.into() };
        self.errors.borrow_mut().push(error);
        Told
    }

    /// Whether a mistake was told.
    pub(super) fn has_errors(&self) -> bool {
        !self.errors.borrow().is_empty()
    }

    /// Everything that is wrong, by line; a quantity that two rules judge is told once.
    pub(super) fn errors(&self) -> Vec<FileError> {
        let mut errors = self.errors.take();
        errors.sort_by_key(|error| error.line);
        errors.dedup();
        errors
    }
}

impl<'t> Section<'t> {
    /// A table in which no key but these may stand. Keys that are not known are told, and otherwise ignored.
    pub(super) fn new(
        source: &'t Source<'t>,
        what: &'t str,
        table: &'t DeTable<'t>,
        at: usize,
        keys: &[&'static str],
    ) -> Self {
        for key in table.keys().filter(|key| !keys.contains(&key.get_ref().as_ref())) {
            let (name, place) = (key.get_ref().as_ref(), key.span().start);
            let meant = match nearest(name, keys.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", list(keys)),
            };
            source.wrong(place, format!("a {what} has no key `{name}`: {meant}"));
        }
        Self { source, what, table, at }
    }

    /// What stands under a key.
    pub(super) fn value(&self, key: &'t str) -> Option<Value<'t>> {
        let value = self.table.get(key)?;
        Some(Value { source: self.source, key, is: value.get_ref(), at: value.span().start })
    }

    /// What stands under a key, read; none if there is no such key.
    pub(super) fn optional<T>(
        &self,
        key: &'t str,
        read: impl FnOnce(Value<'t>) -> Result<T, Told>,
    ) -> Result<Option<T>, Told> {
        self.value(key).map(read).transpose()
    }

    /// What stands under a key that must be there.
    pub(super) fn required<T>(
        &self,
        key: &'t str,
        expected: &str,
        read: impl FnOnce(Value<'t>) -> Result<T, Told>,
    ) -> Result<T, Told> {
        match self.value(key) {
            Some(value) => read(value),
            None => Err(self.lacks(key, expected)),
        }
    }

    /// A key is missing.
    pub(super) fn lacks(&self, key: &str, expected: &str) -> Told {
        self.wrong(format!("this {} lacks `{key}`: expected {expected}", self.what))
    }

    /// Something is wrong with the whole of it.
    pub(super) fn wrong(&self, what: impl Into<String>) -> Told {
        self.source.wrong(self.at, what)
    }

    /// The line that it begins on.
    pub(super) fn line(&self) -> usize {
        self.source.line(self.at)
    }

    /// Every key with its value, in the order of the file.
    pub(super) fn entries(&self) -> Vec<Value<'t>> {
        let value = |(key, value): (&'t Spanned<_>, &'t Spanned<DeValue<'t>>)| {
            let key: &'t std::borrow::Cow<'t, str> = key.get_ref();
            Value { source: self.source, key, is: value.get_ref(), at: value.span().start }
        };
        let mut entries: Vec<Value<'t>> = self.table.iter().map(value).collect();
        entries.sort_by_key(|entry| entry.at);
        entries
    }
}

impl<'t> Value<'t> {
    /// It is not what was expected.
    pub(super) fn wrong(&self, expected: &str) -> Told {
        self.says(format!("`{}` is {}: expected {expected}", self.key, shown(self.is)))
    }

    /// Something else is wrong with it.
    pub(super) fn says(&self, what: impl Into<String>) -> Told {
        self.source.wrong(self.at, what)
    }

    pub(super) fn line(&self) -> usize {
        self.source.line(self.at)
    }

    /// A text that is not empty.
    pub(super) fn text(&self, expected: &str) -> Result<&'t str, Told> {
        self.is.as_str().filter(|text| !text.is_empty()).ok_or_else(|| self.wrong(expected))
    }

    /// A whole number within these.
    pub(super) fn whole(&self, least: i64, most: i64) -> Result<i64, Told> {
        let number = self.is.as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
        number
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| self.wrong(&format!("a whole number from {least} to {most}")))
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&'static str, T)]) -> Result<T, Told> {
        let words: Vec<&'static str> = choices.iter().map(|(word, _)| *word).collect();
        let Some(text) = self.is.as_str() else { return Err(self.wrong(&quoted(&words))) };
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == text) {
            return Ok(*choice);
        }
        Err(self.unknown(text, &quoted(&words), words))
    }

    /// A name that is none of those that there are.
    pub(super) fn unknown<'n>(
        &self,
        name: &str,
        expected: &str,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Told {
        match nearest(name, names) {
            Some(near) => self.says(format!("`{}` is \"{name}\": did you mean \"{near}\"?", self.key)),
            None => self.wrong(expected),
        }
    }

    /// A list.
    pub(super) fn items(&self, expected: &str) -> Result<Vec<Value<'t>>, Told> {
        let list = self.is.as_array().ok_or_else(|| self.wrong(expected))?;
        let item =
            |value: &'t Spanned<DeValue<'t>>| Value { is: value.get_ref(), at: value.span().start, ..*self };
        Ok(list.iter().map(item).collect())
    }

    /// A table with these keys.
    pub(super) fn section(
        &self,
        what: &'t str,
        expected: &str,
        keys: &[&'static str],
    ) -> Result<Section<'t>, Told> {
        let table = self.is.as_table().ok_or_else(|| self.wrong(expected))?;
        Ok(Section::new(self.source, what, table, self.at, keys))
    }

    /// A table with any keys.
    pub(super) fn open_section(&self, what: &'t str, expected: &str) -> Result<Section<'t>, Told> {
        let table = self.is.as_table().ok_or_else(|| self.wrong(expected))?;
        Ok(Section { source: self.source, what, table, at: self.at })
    }
}

/// A value as an error names it; never an address, which may hold a password.
pub(super) fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) if text.contains("://") => "a URL".to_owned(),
        DeValue::String(text) => format!("{:?}", text.as_ref()),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(is) => is.to_string(),
        DeValue::Datetime(at) => at.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// `a`, `b`.
fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// "a", "b" or "c".
fn quoted(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
