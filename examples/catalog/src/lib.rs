//! What a cellar's device measures, obeys and asks: written once, shared by firmware and server.
//!
//! The firmware says `TEMPERATURE.is(23.45)`, the server `server.device("cellar-3").command(&RELAY, true, ..)`; both mean the
//! same numbers on the wire, and the compiler checks the types of both.
//!
//! A device says of itself what [`CELLAR`] lists. Two entries with the same id do not get past the compiler:
//! ```compile_fail,E0080
//! use sensock::{Catalog, Quantity};
//!
//! const PRESSURE: Quantity<f32> = Quantity::new(2, "pressure", "Pa"); // 2 is the humidity's
//! const CELLAR: Catalog<'_> =
//!     Catalog::new("cellar-node 1.5.0", &[catalog::HUMIDITY.entry(), PRESSURE.entry()], &[], &[]);
//! assert!(!CELLAR.is_empty());
//! ```
//! With an id of its own it is welcome:
//! ```
//! use sensock::{Catalog, Quantity};
//!
//! const PRESSURE: Quantity<f32> = Quantity::new(3, "pressure", "Pa");
//! const CELLAR: Catalog<'_> =
//!     Catalog::new("cellar-node 1.5.0", &[catalog::HUMIDITY.entry(), PRESSURE.entry()], &[], &[]);
//! assert!(!CELLAR.is_empty());
//! ```
//! A value of another type than the quantity's is refused too:
//! ```compile_fail,E0308
//! catalog::TEMPERATURE.is("warm");
//! ```
#![no_std]

use sensock::{Catalog, Command, Quantity, Setting};

/// Air temperature, in steps of 0.01 °C.
pub const TEMPERATURE: Quantity<f32> = Quantity::new(1, "temperature", "Cel").scale(-2);

/// Relative humidity of the air, in steps of 0.1 %RH.
pub const HUMIDITY: Quantity<f32> = Quantity::new(2, "humidity", "%RH").scale(-1);

/// Switches the relay on (`true`) or off; the answer is the state that it is in afterwards.
pub const RELAY: Command<bool, bool> = Command::new(1, "relay");

/// Asked by the device: which temperature, in °C, does zone n want now?
pub const SETPOINT: Command<u32, f32> = Command::new(3, "setpoint");

/// Seconds between two records. Desired state, the latest wins; the device reports what it applied.
pub const INTERVAL: Setting<u32> = Setting::new(1, "interval-s");

/// Everything that a cellar's device says of itself.
pub const CELLAR: Catalog<'_> = Catalog::new(
    "cellar-node 1.4.0",
    &[TEMPERATURE.entry(), HUMIDITY.entry()],
    &[RELAY.entry()],
    &[INTERVAL.entry()],
)
.asks(&[SETPOINT.ask_entry()]);

#[cfg(test)]
mod tests {
    use super::*;
    use sensock::{CatalogView, Fault, batch::Cell, catalog::fnv1a};

    #[test]
    fn a_server_reads_from_the_bytes_what_the_firmware_wrote() {
        let mut bytes = [0; 256];
        let len = CELLAR.copy_at(0, &mut bytes);
        assert_eq!(len, CELLAR.len());
        let view = CatalogView::new(&bytes[..len]).unwrap();
        assert_eq!(view.firmware(), "cellar-node 1.4.0");
        assert!(view.quantities().eq([TEMPERATURE.entry(), HUMIDITY.entry()]));
        assert!(view.commands().eq([RELAY.entry()]));
        assert!(view.settings().eq([INTERVAL.entry()]));
        assert!(view.asks().eq([SETPOINT.ask_entry()]));
        assert_eq!(fnv1a(view.bytes()), CELLAR.hash());
    }

    #[test]
    fn readings_keep_the_steps_that_the_catalogue_promises() {
        assert_eq!(TEMPERATURE.is(23.45).cell, Cell::Value(2_345));
        assert_eq!(HUMIDITY.is(56.7).cell, Cell::Value(567));
        assert_eq!(HUMIDITY.is(f32::NAN).cell, Cell::Fault(Fault::NOT_A_NUMBER.0));
    }
}
