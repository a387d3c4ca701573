//! What a level is taken from: a reading turned into one number.

mod daily;
mod fixed;
mod flow;
mod gather;
mod kinds;
mod running;
mod season;
mod shaking;
mod window;

pub use daily::{Daily, Slot};
pub use flow::Flow;
pub(crate) use kinds::Kinds;
pub use running::{Running, TRUST, Way};
pub use season::Season;
pub use shaking::Shaking;
pub use window::Rate;

use crate::state::Plain;
use crate::{Calendar, Slots, Step};

/// How the readings of one quantity become the number that has levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal<'t> {
    /// The value itself, in the quantity's scaled unit.
    Value,
    /// How fast it changes, in the scaled unit per [`Rate::per`].
    Rate(Rate),
    /// How fast a counter counts, in the scaled unit per [`Rate::per`].
    Flow(Flow),
    /// How far it is from its own running mean, in 256ths of the mean deviation.
    Running(Running),
    /// How far it is from the same hour of past days, in 256ths of the mean deviation.
    Daily(Daily),
    /// How far it is from the same month of past years, in 256ths of the mean deviation.
    Season(Season),
    /// How far it is from a standard table, in the scaled unit.
    Standard {
        /// What the table has a value for.
        slots: Slots,
        /// As many values as there are slots.
        table: &'t [i32],
    },
    /// How much more it moves than it usually does, in 256ths.
    Shaking(Shaking),
    /// For how many steps no plausible reading has come.
    Silence,
}

/// The deviation, or the ratio, that is this many times the usual one: what levels of a signal in 256ths are written in.
///
/// ```
/// use sensock_rules::{Levels, times};
/// let levels = Levels::above(times(6, 0), times(8, 50));
/// assert_eq!(levels.critical, 8 * 256 + 128);
/// ```
pub const fn times(whole: i32, hundredths: i32) -> i32 {
    whole * 256 + hundredths * 256 / 100
}

/// Where a signal gets what its state does not hold.
pub(crate) struct Around<'a> {
    pub(crate) calendar: &'a Calendar<'a>,
    pub(crate) grid_ms: u32,
    pub(crate) at: Step,
    /// The value of the reading before this one; this one's if there is none.
    pub(crate) before: i32,
    pub(crate) slots: &'a mut [Slot],
}

impl Around<'_> {
    /// The local hour, counted from 1970.
    fn hour(&self) -> u32 {
        self.calendar.hour(self.grid_ms, self.at)
    }
}

/// What a signal remembers: 28 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Nothing,
    Rate(window::Window),
    Flow(window::Window),
    Running(running::Usual),
    Daily(daily::Hour),
    Shaking(shaking::Averages),
    Season(season::Period),
}

impl State {
    /// After a gap that was too long: what only makes sense without a gap starts again, what was learned stays.
    pub(crate) fn after_gap(&mut self) {
        if matches!(self, Self::Rate(_) | Self::Shaking(_)) {
            *self = Self::Nothing;
        }
    }
}

impl Plain for State {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        match self {
            Self::Nothing => 0u8.put(out),
            Self::Rate(window) => {
                1u8.put(out);
                window.put(out);
            }
            Self::Flow(window) => {
                2u8.put(out);
                window.put(out);
            }
            Self::Running(usual) => {
                3u8.put(out);
                usual.put(out);
            }
            Self::Daily(hour) => {
                4u8.put(out);
                hour.put(out);
            }
            Self::Shaking(averages) => {
                5u8.put(out);
                averages.put(out);
            }
            Self::Season(period) => {
                6u8.put(out);
                period.put(out);
            }
        }
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(from)? {
            0 => Self::Nothing,
            1 => Self::Rate(Plain::take(from)?),
            2 => Self::Flow(Plain::take(from)?),
            3 => Self::Running(Plain::take(from)?),
            4 => Self::Daily(Plain::take(from)?),
            5 => Self::Shaking(Plain::take(from)?),
            6 => Self::Season(Plain::take(from)?),
            _ => return None,
        })
    }
}
