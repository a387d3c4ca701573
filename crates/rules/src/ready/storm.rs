//! Storm, typhoon, hurricane: gusts now, and a barometer that says what comes.
//!
//! Gusts: the German weather service (DWD) warns from 18 m/s on (Beaufort 8, 65 km/h) and of severe weather from 25 m/s on
//! (Beaufort 10, 90 km/h); 33 m/s (Beaufort 12) is a hurricane. Pressure: in the marine reports of the United Kingdom's Met
//! Office it falls quickly from 3.6 hPa in three hours on, and very rapidly beyond 6.0 hPa.

use crate::{Cell, Level, Levels, Rate, Rule, Signal};

/// A weather station: gusts in tenths of m/s, pressure in tenths of hPa.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Station {
    /// The device's number in the zone.
    pub device: u8,
    /// The strongest gust since the last reading, in tenths of m/s.
    pub gust: u16,
    /// The pressure, in tenths of hPa (a hPa is a millibar).
    pub pressure: u16,
    /// Seconds between two readings, 1,800 at most.
    pub interval_s: u32,
}

/// The rules: gusts, gusts of a hurricane, and the pressure's fall in three hours.
pub const fn rules(of: Station) -> [Rule<'static>; 3] {
    let three_hours = Rate { window: 3 * 3_600, per: 3 * 3_600 };
    [
        gust(of, Levels::above(180, 250)),
        gust(of, Levels::above(290, 330)),
        Rule::new("pressure", of.device, of.pressure, Signal::Rate(three_hours), Levels::below(-36, -61))
            .unit("hPa", -1)
            .plausible(8_500, 11_000)
            .every(of.interval_s)
            .hysteresis(5),
    ]
}

const fn gust(of: Station, levels: Levels) -> Rule<'static> {
    Rule::new("gusts", of.device, of.gust, Signal::Value, levels)
        .unit("m/s", -1)
        .plausible(0, 1_200)
        .every(of.interval_s)
        .hysteresis(20)
        .hold(0, 1_800)
}

/// What they weigh: gusts of Beaufort 8 are a warning, of Beaufort 10 with a falling barometer or of Beaufort 12 alone
/// critical; a barometer that falls very rapidly warns before the wind.
pub const fn cells(first: u8) -> [Cell; 5] {
    [
        Cell::now(first, Level::Warning, 50),
        Cell::now(first, Level::Critical, 20),
        Cell::now(first + 1, Level::Critical, 30),
        Cell::within(first + 2, Level::Warning, 6 * 3_600, 20),
        Cell::now(first + 2, Level::Critical, 30),
    ]
}
