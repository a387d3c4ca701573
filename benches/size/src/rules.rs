//! The rule engine as a device has it, around a table of the device's.

use core::hint::black_box;
use sensock_rules::{AlarmKey, Compiled, Danger, Engine, Level, Record, Row, Slot, Step, TooLate};

/// The engine, over memory of arrays.
pub type Device<const RULES: usize, const SLOTS: usize> =
    Engine<'static, [Row; RULES], [Danger; 1], [Slot; SLOTS]>;

/// What a device does about an alarm, as functions that the compiler cannot see through.
#[derive(Clone, Copy)]
pub struct Acts {
    /// A hazard changed its level.
    pub changed: fn(AlarmKey, Level, u8, bool),
    /// One of its cells holds.
    pub because: fn(u8, Level, i32),
}

/// An engine of the table.
pub fn start<const RULES: usize, const SLOTS: usize>(
    table: &'static Compiled<'static>,
) -> Option<Device<RULES, SLOTS>> {
    Engine::compiled(table, [Row::NEW; RULES], [Danger::NEW], [Slot::EMPTY; SLOTS]).ok()
}

/// All that a device says to it: a record, time that passes.
pub fn step<const RULES: usize, const SLOTS: usize>(
    engine: &mut Device<RULES, SLOTS>,
    record: &Record<'_>,
    to: Step,
    acts: Acts,
) -> Result<(), TooLate> {
    let mut tell = |alarm: &sensock_rules::Alarm<'_>| {
        (acts.changed)(alarm.key(), alarm.to, alarm.score, alarm.is_historic(to));
        for share in alarm.cells() {
            (acts.because)(share.cell.rule, share.row.level(), share.row.number());
        }
    };
    engine.record(record, &mut tell)?;
    engine.advance(black_box(to), &mut tell)
}
