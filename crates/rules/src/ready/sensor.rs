//! The dying sensor: a battery that runs out, and readings that do not come or cannot be.
//!
//! Battery: Sensirion's SHT11, which stands for many, tells the end of the battery at 2.47 V and is specified from 2.4 V on;
//! below that its readings are worth nothing, so at critical this rule is fit to veto others.

use crate::{Cell, Level, Levels, Rule, Signal};

/// The battery's voltage in mV.
pub const fn battery(device: u8, quantity: u16, interval_s: u32) -> Rule<'static> {
    Rule::new("battery", device, quantity, Signal::Value, Levels::below(2_470, 2_400))
        .unit("V", -3)
        .plausible(0, 6_000)
        .every(interval_s)
        .hysteresis(50)
}

/// No plausible reading of a quantity for three intervals, which a catalogue states, is a warning, for thirty critical.
pub const fn silence(
    name: &str,
    device: u8,
    quantity: u16,
    plausible: (i32, i32),
    interval_s: u32,
) -> Rule<'_> {
    let interval = if interval_s > 60_000_000 { 60_000_000 } else { interval_s as i32 };
    Rule::new(name, device, quantity, Signal::Silence, Levels::above(3 * interval, 30 * interval))
        .plausible(plausible.0, plausible.1)
}

/// What a battery's rule and a silence's rule weigh.
pub const fn cells(battery: u8, silence: u8) -> [Cell; 4] {
    [
        Cell::now(battery, Level::Warning, 50),
        Cell::now(battery, Level::Critical, 30),
        Cell::now(silence, Level::Warning, 50),
        Cell::now(silence, Level::Critical, 30),
    ]
}
