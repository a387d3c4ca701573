//! What a device says of itself: its quantities, commands, settings and asks. SPEC section 5.

mod entry;
mod fault;
pub mod health;
mod list;
mod reading;
mod shape;
mod value;
mod view;

pub use entry::{AskEntry, Command, CommandEntry, Policy, Quantity, QuantityEntry, Setting, SettingEntry};
pub use fault::Fault;
pub use list::{Catalog, fnv1a};
pub use reading::{Measure, Reading};
pub use shape::{Bytes, Scalar, Shape, Shaped, Text};
pub use value::{BadValue, Value, Values};
pub use view::{BadCatalog, CatalogView};

/// Built-in command: "take a reading now". Its answer is the position of the record that followed.
pub const READ_NOW: Command<(), u64> = Command::built_in(READ_NOW_KEY, "read-now");

pub(crate) const READ_NOW_KEY: u16 = 0;
