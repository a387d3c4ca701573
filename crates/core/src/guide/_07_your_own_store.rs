//! Page 7: records in a database of yours.
//!
//! A store is four calls: `load` all that a connection needs to know, `begin` a transaction that locks the lanes, `write` a batch of plain rows, `commit`.
//! The traits are in `sensock-store`; its `conformance::run` checks any implementation, and should be your first test.
//!
//! What a store does *not* do is decide. Which record is new, which is a duplicate, what is missing: that is rule A, and it is written once, for
//! all stores. It fits here, because a position is one integer:
//! ```
//! use sensock::Position;
//!
//! #[derive(Debug, PartialEq)]
//! enum Append {
//!     /// Insert from this position on, and set the mark, in one transaction.
//!     Insert { from: Position, mark: Position },
//!     /// All of it is there already: acknowledge the mark again.
//!     Duplicate,
//!     /// Something is missing in between: store nothing, ask for `mark + 1`.
//!     Rewind,
//! }
//!
//! /// `mark` is read under the lane's lock.
//! fn append(mark: Position, first: Position, count: u64) -> Append {
//!     let last = first.plus(count - 1);
//!     match (first <= mark.next(), last > mark) {
//!         (false, _) => Append::Rewind,
//!         (true, false) => Append::Duplicate,
//!         (true, true) => Append::Insert { from: mark.next(), mark: last },
//!     }
//! }
//!
//! let at = |n| Position::new(4, n);
//! let mark = at(9); // boot 4, records 0 to 9 are stored
//! assert_eq!(append(mark, at(10), 5), Append::Insert { from: at(10), mark: at(14) });
//! assert_eq!(append(mark, at(5), 5), Append::Duplicate); // an acknowledgement got lost
//! assert_eq!(append(mark, at(8), 4), Append::Insert { from: at(10), mark: at(11) }); // half of it is there
//! assert_eq!(append(mark, at(12), 1), Append::Rewind);
//! ```
//! Why it needs the lock: two servers may hold the same records of the same device, one of them in a connection that has been dead for a minute. Whoever locks
//! the mark second finds it moved, and drops what is there. So a late commit changes nothing, on any server.
//!
//! # What your store must promise
//! - **The lock is real.** `begin` returns the marks as they are *under the lock*, and takes the locks in the order given. A lane without a row is
//!   locked all the same. (In MySQL that is `SELECT … FOR UPDATE` on rows that exist; make them first.)
//! - **One transaction.** Rows, gaps, marks, anchors and command states of a batch are there together or not at all. A dropped future leaves nothing.
//! - **Say what failed.** `Retry` for deadlocks, a lost connection, a full disk: the same works are run again. `Rejected` for rows that can never be stored: the
//!   group is halved until the guilty row stands alone; it goes to quarantine with its bytes and a gap, and holds up nobody.
//! - **Say how durable.** `Flushed`, or `Weaker` with the setting that is to blame. The server shows it at its start.
//! - **Positions and marks are never purged.** Delete old readings if you like. A mark that goes back makes a device's past come again.
//!
//! # Your tables instead of ours, or beside them
//! With the SQL store, a hook writes your rows in the same transaction (`own_tables` among the server's examples): stored readings and your table can never
//! disagree. With a store of your own, all tables are yours; keep one for marks, `(device, lane, mark)`.
//!
//! # Restoring a backup
//! A store has an id, drawn when it was made, and devices remember which store acknowledged. After a restore they find marks below what was
//! acknowledged, can no longer deliver it, and say so; the server writes gaps with the cause `store`. Nothing is silently wrong.
