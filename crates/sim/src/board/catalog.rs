//! What every board of the simulation says of itself.

use sensock::catalog::{Catalog, Command, Quantity, Setting};

/// Air temperature.
pub const TEMPERATURE: Quantity<f32> = Quantity::new(1, "temperature", "Cel").scale(-2);
/// Relative humidity.
pub const HUMIDITY: Quantity<f32> = Quantity::new(2, "humidity", "%RH").scale(-1);
/// Switches; must never run twice.
pub const TOGGLE: Command<(), bool> = Command::new(1, "toggle");
/// Sets; may run twice.
pub const SET: Command<bool, bool> = Command::new(2, "set").idempotent();
/// Desired interval.
pub const INTERVAL: Setting<u32> = Setting::new(1, "interval-s");
/// All of it.
pub static BOARD: Catalog<'static> = Catalog::new(
    "sim-board 1",
    &[TEMPERATURE.entry(), HUMIDITY.entry()],
    &[TOGGLE.entry(), SET.entry()],
    &[INTERVAL.entry()],
);
/// The same under other firmware, with another scale: rows under the wrong one are ten times off.
const COARSE: Quantity<f32> = Quantity::new(2, "humidity", "%RH");
macro_rules! firmware {
    ($($name:literal),*) => {[$(Catalog::new(
        $name,
        &[TEMPERATURE.entry(), COARSE.entry()],
        &[TOGGLE.entry(), SET.entry()],
        &[INTERVAL.entry()],
    )),*]};
}
/// Versions that a random run goes through, over and over: more than a store keeps at hand.
pub static FIRMWARE: [Catalog<'static>; 6] =
    firmware!["sim-board 2", "sim-board 3", "sim-board 4", "sim-board 5", "sim-board 6", "sim-board 7"];
