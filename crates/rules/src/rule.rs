//! One row of the matrix: a quantity of a device, and how it is judged.

use crate::{Level, Levels, Signal};

/// How one quantity of one device gets its level. A constant: firmware keeps it in flash, a server builds it from a file.
///
/// ```
/// use sensock_rules::{Levels, Rule, Signal};
/// /// Quantity 1 of the zone's device 0, in hundredths of a degree, every 10 steps.
/// const HEAT: Rule = Rule::new("temperature", 0, 1, Signal::Value, Levels::above(5_000, 5_700))
///     .unit("°C", -2)
///     .every(10)
///     .plausible(-4_000, 12_500)
///     .hysteresis(200)
///     .hold(20, 60);
/// assert_eq!(HEAT.patience(), 60);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule<'t> {
    /// What a person calls it: "temperature".
    pub name: &'t str,
    /// The unit that a person reads.
    pub unit: &'t str,
    /// The quantity's scale: a value counts 10^scale units.
    pub scale: i8,
    /// Which device of the zone, as the application numbers them.
    pub device: u8,
    /// The quantity's id in that device's catalogue.
    pub quantity: u16,
    /// Values from here on can be.
    pub least: i32,
    /// Values up to here can be; what is outside is a fault of the sensor, and is never judged.
    pub most: i32,
    /// How many steps lie between two readings, as the catalogue says. 0: nobody knows, and no time is a gap.
    pub interval: u32,
    /// What of the value is judged.
    pub signal: Signal<'t>,
    /// When it is bad.
    pub levels: Levels,
    /// What makes this quantity's readings worthless.
    pub veto: Option<Veto>,
}

/// While another rule is at a level or worse, readings are a fault: a dying battery's 90 °C is no fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Veto {
    /// The rule that decides, by its place in the table; it must stand before the rule that it silences.
    pub rule: u8,
    /// From which level on.
    pub at: Level,
}

impl<'t> Rule<'t> {
    /// A rule with no unit, any plausible value, no known interval and no veto.
    pub const fn new(name: &'t str, device: u8, quantity: u16, signal: Signal<'t>, levels: Levels) -> Self {
        Self {
            name,
            unit: "",
            scale: 0,
            device,
            quantity,
            least: i32::MIN,
            most: i32::MAX,
            interval: 0,
            signal,
            levels,
            veto: None,
        }
    }

    /// States the unit and the scale: `("°C", -2)` for hundredths of a degree.
    pub const fn unit(mut self, unit: &'t str, scale: i8) -> Self {
        (self.unit, self.scale) = (unit, scale);
        self
    }

    /// States how many steps lie between two readings.
    pub const fn every(mut self, interval: u32) -> Self {
        self.interval = interval;
        self
    }

    /// Takes values outside for faults.
    pub const fn plausible(mut self, least: i32, most: i32) -> Self {
        (self.least, self.most) = (least, most);
        self
    }

    /// How far back the signal must go before a level is left.
    pub const fn hysteresis(mut self, by: i32) -> Self {
        self.levels.hysteresis = by;
        self
    }

    /// For how many steps a level must last before it counts, and for how many it must be over.
    pub const fn hold(mut self, hold: u32, release: u32) -> Self {
        (self.levels.hold, self.levels.release) = (hold, release);
        self
    }

    /// Takes readings for faults while that rule is at that level or worse.
    pub const fn unless(mut self, rule: u8, at: Level) -> Self {
        self.veto = Some(Veto { rule, at });
        self
    }

    /// For how many steps without a reading the level is still believed: the longest of three intervals, `hold` and
    /// `release`. A shorter gap stops the time that a level must last, a longer one makes the level unknown.
    pub const fn patience(&self) -> u32 {
        if self.interval == 0 {
            return u32::MAX;
        }
        let mut longest = self.interval.saturating_mul(3);
        if self.levels.hold > longest {
            longest = self.levels.hold;
        }
        if self.levels.release > longest {
            longest = self.levels.release;
        }
        longest
    }

    /// Whether the rule judges that no reading comes.
    pub(crate) const fn is_silence(&self) -> bool {
        matches!(self.signal, Signal::Silence)
    }
}
