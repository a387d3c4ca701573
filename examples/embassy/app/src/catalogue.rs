//! What the device says of itself: its quantities, commands and settings.

use sensock::{Catalog, Command, Quantity, Setting};

/// Air temperature, in steps of 0.01 °C.
pub const TEMPERATURE: Quantity<f32> = Quantity::new(1, "temperature", "Cel").scale(-2);

/// Relative humidity of the air, in steps of 0.01 %RH.
pub const HUMIDITY: Quantity<f32> = Quantity::new(2, "humidity", "%RH").scale(-2);

/// Samples since the start that were lost because too many waited to be recorded: measured with the record after such a loss, and only then.
pub const MISSED: Quantity<u32> = Quantity::new(3, "missed-samples", "count");

/// Switches the LED on (`true`) or off; the answer is the state that it is in afterwards.
pub const LED: Command<bool, bool> = Command::new(1, "led");

/// The worst since it was last asked for, in microseconds: how long after its time a sample was taken, and how long one that was taken waited
/// to be recorded.
pub const LATE: Command<(), (u32, u32)> = Command::new(2, "late");

/// Milliseconds between two records: [`INTERVAL_MS`](crate::catalogue::INTERVAL_MS) says from where to where.
pub const INTERVAL: Setting<u32> = Setting::new(1, "interval-ms");

/// The least and the most that [`INTERVAL`] takes; what lies beyond is brought to the nearer one.
pub const INTERVAL_MS: (u32, u32) = (5, 3_600_000);

/// Milliseconds between two records until the server says otherwise.
pub const INTERVAL_DEFAULT_MS: u32 = 1_000;

/// Everything that the device says of itself.
pub const CATALOGUE: Catalog<'_> = Catalog::new(
    concat!("embassy-node ", env!("CARGO_PKG_VERSION")),
    &[TEMPERATURE.entry(), HUMIDITY.entry(), MISSED.entry()],
    &[LED.entry(), LATE.entry()],
    &[INTERVAL.entry()],
);
