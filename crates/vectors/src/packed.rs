//! A view of packed values, and the forms that positions and words take in them.
//!
//! The bytes are those of our own build script. What is not there reads as null, and null as 0, "" or false: a check that relies on it
//! fails, since it then finds another value than the vector's, or fewer fields than the vector has.

use crate::key;
use sensock::{Position, Tick};

/// One packed value; `pack.rs` has the table of forms.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a>(&'a [u8]);

/// Nothing.
pub(crate) const NULL: Value<'static> = Value(&[0]);

impl<'a> Value<'a> {
    /// The values that lie one after the other in `packed`.
    pub(crate) const fn all(packed: &'a [u8]) -> Items<'a> {
        Items(packed)
    }

    fn tag(self) -> u8 {
        self.0.first().copied().unwrap_or(0)
    }

    /// What lies between `from` and `to` bytes behind the tag.
    fn part(self, from: usize, to: usize) -> &'a [u8] {
        self.0.get(1 + from..1 + to).unwrap_or(&[])
    }

    /// The bytes of a text, a list or an object.
    fn content(self) -> &'a [u8] {
        match self.tag() {
            8..=11 => self.part(2, 2 + little(self.part(0, 2)) as usize),
            _ => &[],
        }
    }

    /// How many bytes it takes, tag included.
    fn size(self) -> usize {
        match self.tag() {
            3 => 2,
            4 => 3,
            5 | 7 => 5,
            6 => 9,
            8..=11 => 3 + self.content().len(),
            _ => 1,
        }
    }

    pub(crate) fn is_null(self) -> bool {
        self.tag() == 0
    }

    /// `Some` unless it is null.
    pub(crate) fn some(self) -> Option<Self> {
        (!self.is_null()).then_some(self)
    }

    pub(crate) fn flag(self) -> bool {
        self.tag() == 2
    }

    pub(crate) fn signed(self) -> i64 {
        match self.tag() {
            3 => little(self.part(0, 1)) as i64,
            4 => i64::from(little(self.part(0, 2)) as u16 as i16),
            5 => i64::from(little(self.part(0, 4)) as u32 as i32),
            _ => little(self.part(0, 8)) as i64,
        }
    }

    pub(crate) fn number(self) -> u64 {
        self.signed() as u64
    }

    /// A number that a field of this size holds; one that does not fit is the largest, so that its bytes differ.
    pub(crate) fn int<T: TryFrom<u64> + Limit>(self) -> T {
        T::try_from(self.number()).unwrap_or(T::MAX)
    }

    pub(crate) fn fraction(self) -> f32 {
        match self.tag() {
            7 => f32::from_bits(little(self.part(0, 4)) as u32),
            _ => self.signed() as f32,
        }
    }

    pub(crate) fn text(self) -> &'a str {
        core::str::from_utf8(self.content()).unwrap_or("")
    }

    pub(crate) fn bytes(self) -> &'a [u8] {
        self.content()
    }

    /// 64 bits as 16 hexadecimal digits.
    pub(crate) fn word(self) -> u64 {
        u64::from_str_radix(self.text(), 16).unwrap_or(0)
    }

    /// "boot/n".
    pub(crate) fn position(self) -> Position {
        let (boot, n) = self.text().split_once('/').unwrap_or(("", ""));
        Position::new(boot.parse().unwrap_or(0), n.parse().unwrap_or(0))
    }

    /// `[first, last]`, or null.
    pub(crate) fn span(self) -> Option<(Tick, Tick)> {
        self.some().map(|span| (Tick(span.item(0).number()), Tick(span.item(1).number())))
    }

    /// The value of a field, null if there is none.
    pub(crate) fn at(self, name: &str) -> Value<'a> {
        let number = key::number(name);
        self.fields().find(|(key, _)| *key == number).map_or(NULL, |(_, value)| value)
    }

    /// The fields of an object, by the numbers of their names.
    pub(crate) fn fields(self) -> impl Iterator<Item = (u16, Value<'a>)> {
        let mut rest = if self.tag() == 11 { self.content() } else { &[] };
        core::iter::from_fn(move || {
            let (key, value) = rest.split_at_checked(2)?;
            let value = Value(value);
            rest = value.0.get(value.size()..)?;
            Some((little(key) as u16, value))
        })
    }

    /// The items of a list.
    pub(crate) fn items(self) -> Items<'a> {
        Items(if self.tag() == 10 { self.content() } else { &[] })
    }

    pub(crate) fn item(self, index: usize) -> Value<'a> {
        self.items().nth(index).unwrap_or(NULL)
    }
}

/// The items of a list, in order.
#[derive(Clone, Copy)]
pub(crate) struct Items<'a>(&'a [u8]);

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        (!self.0.is_empty()).then(|| {
            let value = Value(self.0);
            self.0 = self.0.get(value.size()..).unwrap_or(&[]);
            value
        })
    }
}

/// Integers with a largest value.
pub(crate) trait Limit {
    const MAX: Self;
}

impl Limit for u8 {
    const MAX: Self = u8::MAX;
}
impl Limit for u16 {
    const MAX: Self = u16::MAX;
}
impl Limit for u32 {
    const MAX: Self = u32::MAX;
}
impl Limit for u64 {
    const MAX: Self = u64::MAX;
}

fn little(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
