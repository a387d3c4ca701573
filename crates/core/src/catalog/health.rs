//! Built-in quantities in which a device reports on itself: list those that it can measure in its catalogue.

use super::Quantity;

/// Seconds since boot.
pub const UPTIME: Quantity<u32> = Quantity::built_in(16_128, "uptime", "s");
/// Why the board last reset, as its own code.
pub const RESET_CAUSE: Quantity<u16> = Quantity::built_in(16_129, "reset-cause", "");
/// Received signal strength.
pub const SIGNAL: Quantity<i32> = Quantity::built_in(16_130, "signal", "dBm");
/// Free memory in bytes.
pub const FREE_MEMORY: Quantity<u32> = Quantity::built_in(16_131, "free-memory", "B");
/// How full the outbox is, in percent.
pub const OUTBOX_FILL: Quantity<u16> = Quantity::built_in(16_132, "outbox-fill", "%");
/// Dials since the last session.
pub const DIAL_ATTEMPTS: Quantity<u16> = Quantity::built_in(16_133, "dial-attempts", "");
