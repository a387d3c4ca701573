//! What was read against what the vector says, field by field.

use crate::packed::Value;
use crate::{ABOUT, key};
use sensock::deframe::cobs::LineFault;
use sensock::error::Peer;
use sensock::wire::text::Text;
use sensock::{Position, Tick};

/// The name of the first field that differs, if any does.
pub(crate) type Agreed = Result<(), &'static str>;

/// Why bytes were refused, in the words of the vectors.
#[derive(Clone, Copy)]
pub(crate) struct Refused(pub(crate) &'static str);

/// What reading a vector's bytes gave.
pub(crate) type Read = Result<Agreed, Refused>;

/// Compares an object's fields, and counts them, so that none is left out.
#[must_use = "the comparison is over with `end`"]
pub(crate) struct Fields<'a> {
    object: Value<'a>,
    of_vector: bool,
    seen: usize,
    differs: Option<&'static str>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(object: Value<'a>) -> Self {
        Self { object, of_vector: false, seen: 0, differs: None }
    }

    /// The fields of a vector that say what its bytes mean.
    pub(crate) fn of_vector(vector: Value<'a>) -> Self {
        Self { of_vector: true, ..Self::of(vector) }
    }

    pub(crate) fn check(mut self, name: &'static str, agrees: impl FnOnce(Value<'a>) -> bool) -> Self {
        self.seen += 1;
        if self.differs.is_none() && !agrees(self.object.at(name)) {
            self.differs = Some(name);
        }
        self
    }

    /// A field that is an object itself.
    pub(crate) fn inside(mut self, name: &'static str, agrees: impl FnOnce(Value<'a>) -> Agreed) -> Self {
        self.seen += 1;
        if self.differs.is_none() {
            self.differs = agrees(self.object.at(name)).err();
        }
        self
    }

    /// A field that is a list.
    pub(crate) fn list<T>(
        self,
        name: &'static str,
        found: impl Iterator<Item = T>,
        agrees: impl Fn(Value<'a>, T) -> bool,
    ) -> Self {
        self.check(name, |list| same(list, found, agrees))
    }

    pub(crate) fn number(self, name: &'static str, found: impl Into<u64>) -> Self {
        self.check(name, |v| !v.is_null() && v.number() == found.into())
    }

    pub(crate) fn signed(self, name: &'static str, found: impl Into<i64>) -> Self {
        self.check(name, |v| !v.is_null() && v.signed() == found.into())
    }

    pub(crate) fn optional(self, name: &'static str, found: Option<u64>) -> Self {
        self.check(name, |v| v.some().map(Value::number) == found)
    }

    pub(crate) fn flag(self, name: &'static str, found: bool) -> Self {
        self.check(name, |v| v.flag() == found)
    }

    pub(crate) fn text(self, name: &'static str, found: &str) -> Self {
        self.check(name, |v| !v.is_null() && v.text() == found)
    }

    /// A text for people: what they see.
    pub(crate) fn shown(self, name: &'static str, found: Text<'_>) -> Self {
        self.check(name, |v| !v.is_null() && v.text().chars().eq(found.chars()))
    }

    pub(crate) fn bytes(self, name: &'static str, found: &[u8]) -> Self {
        self.check(name, |v| !v.is_null() && v.bytes() == found)
    }

    pub(crate) fn word(self, name: &'static str, found: u64) -> Self {
        self.check(name, |v| !v.is_null() && v.word() == found)
    }

    pub(crate) fn position(self, name: &'static str, found: Position) -> Self {
        self.check(name, |v| !v.is_null() && v.position() == found)
    }

    pub(crate) fn span(self, name: &'static str, found: Option<(Tick, Tick)>) -> Self {
        self.check(name, |v| v.span() == found)
    }

    pub(crate) fn end(self) -> Agreed {
        let about = |key: u16| self.of_vector && ABOUT.iter().any(|name| key::number(name) == key);
        let fields = self.object.fields().filter(|(key, _)| !about(*key)).count();
        match self.differs {
            Some(name) => Err(name),
            None if fields == self.seen => Ok(()),
            None => Err("number of fields"),
        }
    }
}

/// Whether a list has as many items as were found, each as found.
pub(crate) fn same<'a, T>(
    list: Value<'a>,
    found: impl Iterator<Item = T>,
    agrees: impl Fn(Value<'a>, T) -> bool,
) -> bool {
    let mut items = list.items();
    let mut found = found;
    found.all(|one| items.next().is_some_and(|item| agrees(item, one))) && items.next().is_none()
}

impl From<Peer> for Refused {
    fn from(peer: Peer) -> Self {
        Refused(match peer {
            Peer::Preface => "preface",
            Peer::Oversized => "oversized",
            Peer::Malformed => "malformed",
            Peer::UnknownKind => "unknown-kind",
            Peer::Version => "version",
            Peer::Limit => "limit",
            _ => "a fault that no codec finds",
        })
    }
}

impl From<LineFault> for Refused {
    fn from(fault: LineFault) -> Self {
        Refused(match fault {
            LineFault::Garbled => "garbled",
            LineFault::Missing => "missing",
            _ => "a fault that no vector has",
        })
    }
}
