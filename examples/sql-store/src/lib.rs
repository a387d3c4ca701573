//! A sensock store in SQLite or MySQL.
//!
//! ```no_run
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! use sensock_sql::SqlStore;
//! let store = SqlStore::open("sqlite:plants.sqlite").await?;           // made if it is not there
//! let store = SqlStore::open("mysql://sensock:secret@db.local/plants").await?;
//! # Ok(()) }
//! ```
//! The schema is made and brought up to date by `open`; it is plain SQL, under `schema/`. Tables have singular names and belong
//! to the program, views have plural names and belong to people:
//! ```sql
//! SELECT time, quantity, value, unit, plus_minus, quality FROM readings WHERE device = 'cellar-3' ORDER BY time;
//! ```
//! Beside `readings` there are `gaps`, `commands`, `connections`, `boots`, `alarms` and `alarm_actions`. To write tables of your own
//! in the same transaction see [`Hook`], to write and read them by themselves [`SqlStore::begin_own`].
//!
//! # What was tested
//! SQLite as bundled by `libsqlite3-sys` (3.51), and MariaDB 10.11, both by the conformance suite of `sensock-store`. Oracle's
//! MySQL 8 is **untested**: what differs (JSON, row aliases in upserts) is avoided, but its default authentication needs TLS or
//! RSA, neither of which is compiled in. Many servers may share one MySQL database; one SQLite file takes several processes too,
//! one writing at a time.
//!
//! # Durability
//! SQLite runs with a write-ahead log and `synchronous = FULL`: a commit is on the disk. With MySQL it depends on the server's
//! settings, which [`info`](sensock_store::Store::info) reads and judges. A SQLite file on a network file system is not safe.
//!
//! # Where to change what
//! A third database is a variant of `Dialect` and a file beside `mysql.rs`; every statement is written once, in `tables.rs` (to
//! write) and `load.rs` and `history.rs` (to read).

#![forbid(unsafe_code)]

mod address;
mod codes;
mod commands;
mod dialect;
mod error;
mod feed;
mod gaps;
mod held;
mod history;
mod hook;
mod lanes;
mod links;
mod load;
mod merge;
mod migrate;
mod mysql;
mod open;
mod own;
mod pool;
mod range;
mod readings;
mod records;
mod series;
mod session;
mod shared;
mod sheets;
mod sqlite;
mod store;
mod tables;
mod transaction;

pub use error::{OpenError, SqlError};
pub use hook::{Hook, HookTx};
pub use own::{OwnRow, OwnTx};
pub use session::Arg;
pub use store::SqlStore;
pub use transaction::SqlTx;
