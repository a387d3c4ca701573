//! Typed doors (`Quantity<f32>`, `Command<bool, bool>`, `Setting<u32>`) and the plain entries that a catalogue lists.

use core::marker::PhantomData;

use super::shape::{Shape, Shaped};

/// Something that a device measures.
#[derive(Clone, Copy, Debug)]
pub struct Quantity<T> {
    entry: QuantityEntry<'static>,
    value: PhantomData<fn(T)>,
}

impl<T> Quantity<T> {
    /// A quantity with its id (1 to 16,127), its name and its unit as SenML spells it (`Cel`, `%RH`, `Pa`, `lx`).
    pub const fn new(id: u16, name: &'static str, unit: &'static str) -> Self {
        assert!(id >= 1 && id <= 16_127, "a quantity's id is 1 to 16127");
        Self::built_in(id, name, unit)
    }

    pub(crate) const fn built_in(id: u16, name: &'static str, unit: &'static str) -> Self {
        let entry = QuantityEntry { id, name, unit, scale: 0, low: i32::MIN, high: i32::MAX, interval_ms: 0 };
        Self { entry, value: PhantomData }
    }

    /// Values are integers x 10^`scale`: at -2, 23.45 is 2345. 0 unless said.
    pub const fn scale(mut self, scale: i8) -> Self {
        assert!(scale >= -9 && scale <= 9, "a scale is -9 to 9");
        self.entry.scale = scale;
        self
    }

    /// The lowest and the highest plausible value, as scaled integers: what lies outside becomes a fault.
    pub const fn range(mut self, low: i32, high: i32) -> Self {
        assert!(low < high, "a range's low end lies below its high end");
        self.entry.low = low;
        self.entry.high = high;
        self
    }

    /// How often a reading is to be expected, in milliseconds; lets a server tell silence from absence.
    pub const fn every_ms(mut self, interval: u32) -> Self {
        self.entry.interval_ms = interval;
        self
    }

    /// What the catalogue lists.
    pub const fn entry(&self) -> QuantityEntry<'static> {
        self.entry
    }
}

/// A quantity as a catalogue lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuantityEntry<'a> {
    /// Id within the catalogue.
    pub id: u16,
    /// Name, for people and for the store's series.
    pub name: &'a str,
    /// Unit in SenML's spelling.
    pub unit: &'a str,
    /// Value = integer x 10^scale.
    pub scale: i8,
    /// Lowest plausible scaled integer.
    pub low: i32,
    /// Highest plausible scaled integer.
    pub high: i32,
    /// Expected interval in ms; 0 if not stated.
    pub interval_ms: u32,
}

/// What may be done with a command whose outcome is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Policy {
    /// Never run twice, not even across a reboot. The default.
    Once = 0,
    /// May run again: the result is the same.
    Idempotent = 1,
}

/// A request of the server with an answer: `Q` goes down, `A` comes back.
#[derive(Clone, Copy, Debug)]
pub struct Command<Q, A> {
    key: u16,
    name: &'static str,
    policy: Policy,
    shapes: PhantomData<fn(Q) -> A>,
}

impl<Q: Shaped, A: Shaped> Command<Q, A> {
    /// A command with its key (1 to 16,127) and its name. Runs at most once unless [`Command::idempotent`].
    pub const fn new(key: u16, name: &'static str) -> Self {
        assert!(key >= 1 && key <= 16_127, "a command's key is 1 to 16127");
        Self::built_in(key, name)
    }

    pub(crate) const fn built_in(key: u16, name: &'static str) -> Self {
        Self { key, name, policy: Policy::Once, shapes: PhantomData }
    }

    /// Declares that running it twice does no harm, so that it may be sent again freely.
    pub const fn idempotent(mut self) -> Self {
        self.policy = Policy::Idempotent;
        self
    }

    /// Its key.
    pub const fn key(&self) -> u16 {
        self.key
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What may be done when its outcome is unknown.
    pub const fn policy(&self) -> Policy {
        self.policy
    }

    /// What the catalogue lists.
    pub const fn entry(&self) -> CommandEntry<'static> {
        CommandEntry {
            key: self.key,
            name: self.name,
            policy: self.policy,
            request: Q::SHAPE,
            answer: A::SHAPE,
        }
    }

    /// The same as an ask: a question that the device puts to the server.
    pub const fn ask_entry(&self) -> AskEntry<'static> {
        AskEntry { key: self.key, name: self.name, request: Q::SHAPE, answer: A::SHAPE }
    }
}

/// A command as a catalogue lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandEntry<'a> {
    /// Key within the catalogue.
    pub key: u16,
    /// Name.
    pub name: &'a str,
    /// What may be done when its outcome is unknown.
    pub policy: Policy,
    /// Shape of the request.
    pub request: Shape,
    /// Shape of the answer.
    pub answer: Shape,
}

/// A device's question to the server, as a catalogue lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskEntry<'a> {
    /// Key within the catalogue.
    pub key: u16,
    /// Name.
    pub name: &'a str,
    /// Shape of the question.
    pub request: Shape,
    /// Shape of the answer.
    pub answer: Shape,
}

/// Desired state: the server keeps the latest value, the device reports what it applied.
#[derive(Clone, Copy, Debug)]
pub struct Setting<T> {
    key: u16,
    name: &'static str,
    shape: PhantomData<fn(T)>,
}

impl<T: Shaped> Setting<T> {
    /// A setting with its key (1 to 16,127) and its name.
    pub const fn new(key: u16, name: &'static str) -> Self {
        assert!(key >= 1 && key <= 16_127, "a setting's key is 1 to 16127");
        Self { key, name, shape: PhantomData }
    }

    /// Its key.
    pub const fn key(&self) -> u16 {
        self.key
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What the catalogue lists.
    pub const fn entry(&self) -> SettingEntry<'static> {
        SettingEntry { key: self.key, name: self.name, shape: T::SHAPE }
    }
}

/// A setting as a catalogue lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingEntry<'a> {
    /// Key within the catalogue.
    pub key: u16,
    /// Name.
    pub name: &'a str,
    /// Shape of the value.
    pub shape: Shape,
}
