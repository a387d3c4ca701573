//! Rules: readings become levels, levels become hazards, hazards become alarms that say why.
//!
//! ```text
//!   records as they arrive          (device, lane, position), event time, encoded values
//!   ──────────┬───────────
//!         Reorder                   held back by the stated lateness, put in order; later than that is told
//!   ──────────┴───────────
//!         Engine                    time on a fixed grid; the same bits on a server, in a simulator, on a chip
//!     Rule     Row                  one quantity: is it plausible, is it vetoed …
//!       Signal                      … what of it is judged: value, rate, flow, deviation, shaking, silence …
//!       Levels                      … normal, warning, critical, with hysteresis and minimum duration
//!     Hazard   Danger               the matrix: cells (row, level, over which time) with weights
//!   ──────────┬───────────
//!         Alarm                     raised, worse, better, cleared; its cells as data, and in words
//!   what acts on it                 not here: the application, by key, age and owner
//! ```
//!
//! This crate names nothing but `core`: no clock, no I/O, no allocation, no floating point, no other crate. Values are what
//! the devices encoded, integers in a quantity's scale; time is a [`Step`] of the table's grid. Whoever feeds the engine
//! turns records into its terms: the server from its feed, firmware from what it has just measured.
//!
//! # An example
//! ```
//! use sensock_rules::*;
//!
//! // Quantity 1 of device 0: hundredths of a degree, every ten seconds.
//! static TABLE: Table<'static> = Table {
//!     grid_ms: 1_000,
//!     calendar: Calendar::UTC,
//!     rules: &[Rule::new("temperature", 0, 1, Signal::Value, Levels::above(5_000, 6_000))
//!         .unit("°C", -2)
//!         .every(10)
//!         .plausible(-4_000, 12_500)
//!         .hysteresis(200)
//!         .hold(20, 60)],
//!     hazards: &[Hazard::new("fire", &[Cell::now(0, Level::Warning, 60), Cell::lasting(0, Level::Critical, 40, 30)])],
//! };
//! const _: () = assert!(TABLE.check().is_ok());
//!
//! let mut engine = Engine::new(&TABLE, [Row::NEW], [Danger::NEW], [])?;
//! let mut said = Vec::new();
//! for n in 0..8 {
//!     let readings = [Reading { quantity: 1, value: Some(7_000) }];
//!     let record = Record { at: Step(n * 10), from: Cause { device: 0, lane: 2, position: n.into() }, readings: &readings };
//!     engine.record(&record, &mut |alarm| said.push(alarm.to_string()))?;
//! }
//! assert_eq!(said, ["fire 0.60: temperature critical", "fire 0.90: temperature critical for 40 s"]);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Event time, gaps and what comes late
//! - Nothing depends on when a record arrives, only on its place in the order of (time, device, lane, position). The final
//!   set of alarms is a pure function of the table and the records in that order. Time that passes without records is an
//!   input too, [`Engine::advance`]; how far it leaps makes no difference.
//! - [`Reorder`] holds records back by a stated lateness. Its input, records and idle markers as they came, is the live log: stored
//!   and played again, it gives the same alarms bit for bit, in the order in which they were told.
//! - What is later than the lateness is counted and handed back, [`Late`]. The final set is then put right by judging
//!   again: the engine is plain data, so keep a clone of it now and then; take the newest from before the late record
//!   and give it the stored records from there on. Alarms are compared by [`AlarmKey`]; what an alarm that is not in the final
//!   set has caused stays caused, and the application says so.
//! - A gap is neither normal nor an alarm. One that is shorter than the time for which a rule is patient
//!   ([`Rule::patience`]) stops the time that a level must last; a longer one makes the level unknown. A hazard is not cleared
//!   by readings that stop. That none come is a signal of its own, [`Signal::Silence`]; readings that are known to be
//!   lost ([`Engine::gap`]) are no silence.
//!
//! # Keeping what it knows
//! [`Engine::save`] gives all that an engine knows as bytes, baselines included, and [`Engine::restore`] puts an engine of the
//! same table back where it was. Kept in one transaction with the alarms and with how far the records were read, a restart
//! neither misses nor repeats anything.
//!
//! # What acts
//! An alarm has one owner ([`Owner`]: the server or the device that carries the table), an age beyond which it is history
//! and moves nothing ([`Alarm::is_historic`]), and a key that is the same in every run ([`AlarmKey`]: the table's hash, the hazard, when it
//! began and the record at which it began). Whoever stores alarms or sends commands uses that key, so that nothing is done
//! twice; which server judges a hazard is settled by a lease of the application's.
//!
//! # Sizes
//! A rule takes 60 bytes of memory ([`Row`]), a hazard 32 ([`Danger`]), a slot of a baseline 12 ([`Slot`]: 24 of them for the
//! hours of a day, 14 for the months of past years, 313 for the hours in each of these months). The table is constant and lies in
//! flash, some 90 bytes a rule; the ESP8266 cannot read its flash by bytes, so there it lies in memory too.
//!
//! A device links only the kinds of rules that its table has, if the table is [`Compiled`]. On the ESP8266's core (LX106), in bytes of code, with what
//! the compiler brings for 64-bit numbers and copies (some 650, which the rest of a firmware needs too), without words for people:
//!
//! | kinds | code |
//! |---|--:|
//! | [`Signal::Value`] | 3,984 |
//! | and [`Signal::Silence`] | 4,128 |
//! | and [`Signal::Rate`] | 4,884 |
//! | and [`Signal::Flow`] | 5,060 |
//! | and one of: [`Signal::Standard`], [`Signal::Shaking`], [`Signal::Running`] | 5,590, 5,820, 5,980 |
//! | [`Signal::Value`], [`Signal::Silence`] and [`Signal::Daily`] | 5,730 |
//! | all of these eight, but not [`Signal::Season`] | 7,824 |
//!
//! So 6 KiB carry values, silence, rates, flows and one kind more; with the table of [`ready::fire`] it is 4,860 and 720 of constants. Divisions are
//! made bit by bit there, some thousand instructions each: enough for readings by the second, and for shaking at 200 samples a second.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod alarm;
mod calendar;
mod divide;
mod engine;
mod explain;
mod hash;
mod hazard;
mod judged;
mod level;
mod levels;
mod matrix;
pub mod ready;
mod reorder;
mod row;
mod rule;
mod signal;
mod state;
mod step;
mod table;

pub use alarm::{Alarm, AlarmKey, Cause, Share};
pub use calendar::{Calendar, Slots};
pub use engine::{Danger, Engine, Reading, Record, TooLate};
pub use hazard::{Cell, Hazard, Over, Owner};
pub use judged::Judged;
pub use level::Level;
pub use levels::{Levels, Side};
pub use reorder::{Key, Late, Reorder};
pub use row::Row;
pub use rule::{Rule, Veto};
pub use signal::{Daily, Flow, Rate, Running, Season, Shaking, Signal, Slot, TRUST, Way, times};
pub use state::BadState;
pub use step::Step;
pub use table::{BadTable, Compiled, Table};
