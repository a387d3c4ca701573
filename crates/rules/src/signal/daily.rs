//! How far a value is from what it was at the same hour of past days.

use super::fixed::clamp;
use super::gather::Gathered;
use crate::Slots;
use crate::divide::divided;
use crate::state::Plain;

/// The distance from the same slot's past, in 256ths of the slot's mean deviation.
///
/// Each hour that has passed gives its mean to its slot, so a slot moves once a day, with 1/2, 1/3 … 1/8 of the way. An
/// hour that is further out than four deviations moves its slot only as far as that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Daily {
    /// What has a slot: [`Slots::Hours`], or [`Slots::One`] for all of them together.
    pub slots: Slots,
    /// Where this rule's slots begin in the memory that is lent to the engine for all rules that have some.
    pub first: u16,
    /// The deviation counts as at least so much, in the quantity's own scaled unit.
    pub least: u32,
    /// How many past hours a slot must have before it is believed.
    pub needed: u16,
}

/// What is known of one slot. It is plain data for the application to keep: 12 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// The mean of its hours, or of its years.
    pub mean: i32,
    /// The mean distance of its readings from that mean.
    pub deviation: u32,
    /// How many hours it has learned from, or years if it is of a season; 65,535 stands for more.
    pub learned: u16,
}

impl Slot {
    /// A slot that has learned nothing, as the default is: for statics.
    pub const EMPTY: Self = Self { mean: 0, deviation: 0, learned: 0 };
}

/// The hour that is being collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hour(Gathered);

impl Hour {
    pub(crate) const NEW: Self = Self(Gathered::new(0));

    /// How far out the value is for its local hour; an hour that is over is learned.
    pub(crate) fn read(&mut self, daily: &Daily, memory: &mut [Slot], hour: u32, value: i32) -> Option<i32> {
        if hour != self.0.period {
            if let Some(slot) = memory.get_mut(daily.slots.at(self.0.period)) {
                self.learn(daily, slot);
            }
            self.0 = Gathered::new(hour);
        }
        let slot = memory.get(daily.slots.at(hour))?;
        let error = i64::from(value) - i64::from(slot.mean);
        self.0.add(value, error);
        let deviation = i64::from(slot.deviation.max(daily.least).max(1));
        (slot.learned >= daily.needed.max(1)).then(|| clamp(divided(error * 256, deviation)))
    }

    fn learn(&self, daily: &Daily, slot: &mut Slot) {
        if self.0.readings == 0 {
            return;
        }
        let readings = i64::from(self.0.readings);
        let deviation = i64::from(slot.deviation.max(daily.least).max(1));
        let mut error = divided(self.0.sum.raw(), readings) - i64::from(slot.mean);
        let mut spread = divided(self.0.spread.raw(), readings);
        if slot.learned == 0 {
            (slot.mean, slot.learned) = (clamp(i64::from(slot.mean) + error), 1);
            return;
        }
        if slot.learned >= daily.needed.max(1) {
            error = error.clamp(-4 * deviation, 4 * deviation);
            spread = spread.min(4 * deviation);
        }
        let share = i64::from(slot.learned).saturating_add(1).min(8);
        slot.mean = clamp(i64::from(slot.mean) + divided(error, share));
        // The first hour had no mean to be off from, so the second sets the deviation.
        let share = share - 1;
        let moved = i64::from(slot.deviation) + divided(spread - i64::from(slot.deviation), share);
        slot.deviation = u32::try_from(moved).unwrap_or(u32::MAX);
        slot.learned = slot.learned.saturating_add(1);
    }
}

impl Plain for Hour {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        self.0.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Plain::take(from).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAILY: Daily = Daily { slots: Slots::Hours, first: 0, least: 10, needed: 5 };

    /// 30 degrees at noon, 10 at midnight, every six minutes, and a tenth of noise.
    fn usual(hour: u32, reading: i32) -> i32 {
        let of_day = (hour % 24) as i32;
        1_000 + (12 - (of_day - 12).abs()) * 170 + (reading * 7) % 21 - 10
    }

    #[test]
    fn noon_is_compared_with_noon() {
        let (mut hour, mut memory) = (Hour::NEW, [Slot::default(); 24]);
        for at in 0..24 * 10 {
            for reading in 0..10 {
                let out = hour.read(&DAILY, &mut memory, at, usual(at, reading));
                assert_eq!(out.is_some(), at >= 24 * 5, "hour {at}");
                assert!(out.is_none_or(|out| out.abs() < 256 * 4), "{out:?} at hour {at}");
            }
        }
        let noon = 24 * 10 + 12;
        assert!(hour.read(&DAILY, &mut memory, noon, usual(noon, 0)).unwrap().abs() < 256 * 4);
        let out = hour.read(&DAILY, &mut memory, noon, usual(noon - 12, 0)).unwrap();
        assert!(out < -256 * 50, "the warmth of midnight at noon: {out}");
    }

    proptest! {
        /// Any values at any hours: nothing overflows, and every slot's mean lies among the values.
        #[test]
        fn any_values(readings in prop::collection::vec((0u32..60, any::<i32>()), 1..300)) {
            let (mut hour, mut memory) = (Hour::NEW, [Slot::default(); 24]);
            let (mut least, mut most) = (i32::MAX, i32::MIN);
            let mut at = 0;
            for (hours, value) in readings {
                at += hours;
                hour.read(&DAILY, &mut memory, at, value);
                (least, most) = (least.min(value), most.max(value));
                for slot in memory.iter().filter(|slot| slot.learned > 0) {
                    prop_assert!((least..=most).contains(&slot.mean));
                }
            }
        }
    }
}
