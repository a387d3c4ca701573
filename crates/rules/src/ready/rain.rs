//! Heavy rain and flood: what a rain gauge counts, and how high the water stands.
//!
//! Rain: the criteria of the German weather service (DWD). From 15 l/m² in an hour or 20 l/m² in six hours on it warns of
//! heavy rain, from 25 and 35 l/m² on of severe weather. A litre on a square metre is a millimetre.
//!
//! Where a river or a cellar is flooded, nobody but you knows: the two levels of the water are yours.

use crate::{Cell, Flow, Level, Levels, Rate, Rule, Signal};

/// A rain gauge, a counter in tenths of a millimetre, and a water level in millimetres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauge {
    /// The device's number in the zone.
    pub device: u8,
    /// The rain that has fallen, in tenths of a millimetre.
    pub rain: u16,
    /// Where that starts again at 0; 0 if it does not.
    pub modulus: u32,
    /// The water's level in millimetres.
    pub water: u16,
    /// From where on it is a warning, and from where on critical.
    pub levels: (i32, i32),
    /// Seconds between two readings, 600 at most.
    pub interval_s: u32,
}

/// The rules: rain in an hour, rain in six hours, the water's level, and how fast it rises.
pub const fn rules(of: Gauge) -> [Rule<'static>; 4] {
    [
        rain(of, 3_600, Levels::above(150, 250)),
        rain(of, 6 * 3_600, Levels::above(200, 350)),
        Rule::new("water", of.device, of.water, Signal::Value, Levels::above(of.levels.0, of.levels.1))
            .unit("mm", 0)
            .every(of.interval_s)
            .hysteresis((of.levels.1 - of.levels.0) / 4)
            .hold(of.interval_s, 900),
        Rule::new(
            "water",
            of.device,
            of.water,
            Signal::Rate(Rate { window: 3_600, per: 3_600 }),
            WATER_RISES,
        )
        .unit("mm", 0)
        .every(of.interval_s),
    ]
}

/// Half a metre an hour is some flash flood's rise, a metre every one's: our own judgement, and only ever an addition.
const WATER_RISES: Levels = Levels::above(500, 1_000);

const fn rain(of: Gauge, window: u32, levels: Levels) -> Rule<'static> {
    let rate = Rate { window, per: window };
    Rule::new("rain", of.device, of.rain, Signal::Flow(Flow { rate, modulus: of.modulus }), levels)
        .unit("mm", -1)
        .every(of.interval_s)
        .hysteresis(levels.warning / 10)
}

/// What rain weighs: its warnings and severe warnings, as the weather service tells them.
pub const fn rain_cells(first: u8) -> [Cell; 4] {
    [
        Cell::now(first, Level::Warning, 60),
        Cell::now(first, Level::Critical, 40),
        Cell::now(first + 1, Level::Warning, 60),
        Cell::now(first + 1, Level::Critical, 40),
    ]
}

/// What a flood weighs: the water's level counts, rain and rise make it worse.
pub const fn flood_cells(first: u8) -> [Cell; 5] {
    [
        Cell::now(first + 2, Level::Warning, 50),
        Cell::now(first + 2, Level::Critical, 30),
        Cell::now(first + 3, Level::Warning, 30),
        Cell::within(first, Level::Critical, 6 * 3_600, 20),
        Cell::within(first + 1, Level::Critical, 6 * 3_600, 20),
    ]
}
