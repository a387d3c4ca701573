//! Rules
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod alarm;
mod calendar;
mod engine;
mod explain;
mod hash;
mod hazard;
mod level;
mod levels;
mod matrix;
pub mod ready;
mod reorder;
mod row;
mod rule;
mod signal;
mod step;
mod table;

pub use alarm::{Alarm, AlarmKey, Cause, Share};
pub use calendar::{Calendar, Slots};
pub use engine::{Danger, Engine, Reading, Record, TooLate};
pub use hazard::{Cell, Hazard, Over, Owner};
pub use level::Level;
pub use levels::{Levels, Side};
pub use reorder::{Key, Late, Reorder};
pub use row::Row;
pub use rule::{Rule, Veto};
pub use signal::{Daily, Flow, Rate, Running, Shaking, Signal, Slot, TRUST, Way, times};
pub use step::Step;
pub use table::{BadTable, Table};
