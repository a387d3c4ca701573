//! Recordings of real sensors, as a device can replay them.
//!
//! [`Recording::open`] reads a file and says what it holds: quantities (name, unit, scale) and rows (milliseconds
//! since the first row, one cell for each quantity). Values are whole numbers, read from the decimal text without a
//! floating point number in between: 23.45 at scale -2 is 2345, half-way cases go to the even neighbour.
//!
//! Known recordings are recognised by their header (see [`Recording::profile`]). Any other file is read with its
//! first column as the time and every further column of numbers as a quantity, with as many decimals as it shows.
//!
//! At most 16 quantities are taken, the most that a record holds.
//!
//! The same file always gives the same rows.

mod columns;
mod decimal;
mod error;
mod guess;
mod profile;
mod recording;
mod source;
mod stamp;
mod table;
#[cfg(test)]
mod tests;

pub use error::{Problem, ReplayError};
pub use recording::{Notes, QuantityInfo, Recording, Row, StepBack};
