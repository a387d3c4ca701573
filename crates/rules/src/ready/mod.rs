//! Hazards that are ready to be used, each threshold with its source.
//!
//! A module gives the rules of its hazard, numbered from the place where they stand in the table, and the cells that weigh
//! them. All but [`earthquake`] are made for a grid of one second. They are constants: change what differs at your
//! place, and leave out what your sensors cannot tell. None of them replaces an approved alarm system.
//!
//! ```
//! use sensock_rules::{Calendar, Cell, Hazard, Rule, Table, ready::fire};
//!
//! const SENSOR: fire::Sensor =
//!     fire::Sensor { device: 0, battery: 4, temperature: 1, humidity: 2, co2: 3, interval_s: 10 };
//! const RULES: [Rule<'static>; 5] = fire::rules(SENSOR, 0);
//! const CELLS: [Cell; 6] = fire::cells(0);
//! const TABLE: Table<'static> = Table {
//!     grid_ms: 1_000,
//!     calendar: Calendar::UTC,
//!     rules: &RULES,
//!     hazards: &[Hazard::new("fire", &CELLS).from_score(50, 80, 10)],
//! };
//! const _: () = assert!(TABLE.check().is_ok());
//! ```

pub mod earthquake;
pub mod fire;
pub mod rain;
pub mod sensor;
pub mod storm;

#[cfg(test)]
mod tests;
