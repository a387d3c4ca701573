//! Where sensock records are kept: the store trait, rule A, an in-memory store and a conformance suite.
//!
//! ```text
//!            works                                   four calls
//!  server ──────────▶ append::commit (rule A, once) ──────────▶ Store + Transaction ◀── your database
//!     │                  │ identity::judge (rule B)               ▲
//!     │                  │ floor::subtract (rule F)               │ conformance::run checks it
//!     └──────────────────┴──────── History: latest, range, feed ──┘
//! ```
//!
//! | you want to | see |
//! |---|---|
//! | keep records in a database of your own | [`Store`], [`Transaction`], [`History`], then run [`conformance`] |
//! | try things without a database | [`MemoryStore`] |
//! | read what is stored | [`History`] |
//! | say which devices may connect | [`Keys`] |
//! | know what becomes of a device that dials | [`judge`], [`identity`] |
//! | know why a gap is there | [`floor`], [`rows::GapRow`] |

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
pub use history::{Cursor, FeedItem, FeedPage, History, NamedReading, Span};
pub use identity::judge;
pub use keys::{Admission, AnyDevice, DeviceKey, Keyring, Keys, Listed, LookupError};
pub use memory::MemoryStore;
pub use rows::*;
pub use store::{Durability, Failure, Resume, Store, StoreInfo, Transaction};
