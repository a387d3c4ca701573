//! Where sensock records are kept: the store trait, rule A, an in-memory store and a conformance suite.

#![forbid(unsafe_code)]

pub mod append;
pub mod batch;
pub mod conformance;
pub mod floor;
pub mod history;
pub mod identity;
pub mod keys;
pub mod memory;
pub mod rows;
pub mod store;
pub mod work;

pub use append::commit;
pub use batch::Batch;
pub use floor::{LaneState, Missing, Subtracted, subtract};
pub use history::{Cursor, FeedItem, History, NamedReading, Span};
pub use identity::judge;
pub use keys::{Admission, AnyDevice, Keys, Listed};
pub use memory::MemoryStore;
pub use rows::*;
pub use store::{Durability, Failure, Resume, Store, StoreInfo, Transaction};
