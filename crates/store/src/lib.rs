//! Where sensock records are kept: the store trait, rule A, an in-memory store and a conformance suite.

#![forbid(unsafe_code)]

pub mod batch;
pub mod conformance;
pub mod history;
pub mod keys;
pub mod memory;
pub mod rows;
pub mod store;
pub mod work;

pub use batch::Batch;
pub use history::{Cursor, FeedItem, History, NamedReading, Span};
pub use keys::{Admission, AnyDevice, Keys, Listed};
pub use memory::MemoryStore;
pub use rows::*;
pub use store::{Durability, Failure, Resume, Store, StoreInfo, Transaction};
