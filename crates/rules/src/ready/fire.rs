//! Fire in a room: hot, or getting hot quickly, with air that dries and fills with CO2.
//!
//! Heat: point detectors of class A1 of EN 54-5, for rooms of usually 25 °C, must respond between 54 and 65 °C; the class
//! with suffix R also to the speed of the rise, which is tested from 10 K/min on. The two other quantities only
//! confirm: warm air holds more water, so its relative humidity falls; CO2 of 1,500 ppm is a stuffy room and
//! 5,000 ppm the limit for a working day (European directive 2006/15/EC), which a fire passes quickly.

use crate::{Cell, Level, Levels, Rate, Rule, Signal, ready::sensor};

/// Which quantities one device has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sensor {
    /// The device's number in the zone.
    pub device: u8,
    /// The battery's voltage in mV.
    pub battery: u16,
    /// Temperature in hundredths of a degree.
    pub temperature: u16,
    /// Relative humidity in tenths of a percent.
    pub humidity: u16,
    /// CO2 in ppm.
    pub co2: u16,
    /// Seconds between two readings, 30 at most.
    pub interval_s: u32,
}

/// The rules, for a table in which the first stands at `first`: battery, temperature, its rise, humidity's fall, CO2.
pub const fn rules(of: Sensor, first: u8) -> [Rule<'static>; 5] {
    let a_minute = Rate { window: 60, per: 60 };
    let heat =
        Rule::new("temperature", of.device, of.temperature, Signal::Value, Levels::above(5_400, 6_500))
            .unit("°C", -2)
            .plausible(-4_000, 12_500)
            .hysteresis(300)
            .hold(of.interval_s, 60)
            .unless(first, Level::Critical);
    let rise = Levels::above(500, 1_000);
    let fall = Levels::below(-50, -100);
    [
        sensor::battery(of.device, of.battery, of.interval_s),
        heat.every(of.interval_s),
        Rule::new("temperature", of.device, of.temperature, Signal::Rate(a_minute), rise)
            .unit("°C", -2)
            .plausible(-4_000, 12_500)
            .hysteresis(200)
            .every(of.interval_s)
            .unless(first, Level::Critical),
        Rule::new("humidity", of.device, of.humidity, Signal::Rate(a_minute), fall)
            .unit("%RH", -1)
            .plausible(0, 1_000)
            .every(of.interval_s)
            .unless(first, Level::Critical),
        Rule::new("CO2", of.device, of.co2, Signal::Value, Levels::above(1_500, 5_000))
            .unit("ppm", 0)
            .plausible(0, 60_000)
            .hysteresis(200)
            .every(of.interval_s),
    ]
}

/// What they weigh: heat above 65 °C is a warning alone, and with any other sign or lasting for a minute it is critical;
/// below that, two signs make a warning.
pub const fn cells(first: u8) -> [Cell; 6] {
    let (heat, rise, fall, co2) = (first + 1, first + 2, first + 3, first + 4);
    [
        Cell::now(heat, Level::Warning, 30),
        Cell::now(heat, Level::Critical, 30),
        Cell::lasting(heat, Level::Critical, 60, 20),
        Cell::within(rise, Level::Critical, 60, 25),
        Cell::within(fall, Level::Critical, 60, 20),
        Cell::now(co2, Level::Warning, 20),
    ]
}
