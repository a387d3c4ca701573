//! Page 8: running a server for years, and finding out what happened last night.
//!
//! The store keeps what you will ask: each connection (from, to, how it ended, address, records), each boot (firmware, reset cause), each gap with its
//! cause, and what the device said of itself when it came back. `sensockd why cellar-3 03:00..04:00` puts these into one timeline with a
//! verdict; in SQL they are the views `connections`, `boots`, `gaps`, `commands` and `readings`:
//! ```sql
//! SELECT begun, ended, reason, offline_seconds, dial_attempts, dbm FROM connections WHERE device = 'cellar-3' ORDER BY begun DESC LIMIT 5;
//! SELECT cause, records, not_before, not_after, detail FROM gaps WHERE device = 'cellar-3' ORDER BY first_position DESC LIMIT 5;
//! SELECT boot, seen, firmware, reset_cause, uptime_seconds FROM boots WHERE device = 'cellar-3' ORDER BY boot DESC LIMIT 5;
//! ```
//!
//! # Read it in this order
//! | you see | it was |
//! |---|---|
//! | no gap, a connection that ended, the next with `offline_seconds` | the link; the outbox bridged it, nothing is missing |
//! | the server heard nothing for minutes, and the device says `offline_seconds` near 0 | a half-open connection: neither end knew. Shorten the ping interval |
//! | a gap `overflow` over the outage | the outbox is too small for such an outage: [page 3](super::_03_the_outbox) |
//! | a new boot, a gap `power` without a count | the board lost power, or its watchdog bit: look at `reset_cause` |
//! | neither connection nor boot, and no gap yet | it is still away. `status` says whether it announced a sleep |
//! | connected, and no reading for ten intervals | the sensor, or the task that reads it: the link is fine. "Read now" tells |
//! | `rebased_by` above 0 | the board's boot counter went back (flash erased, board replaced): some records may be stored twice |
//! | events `Collision` | two boards with one name. The one that is connected stays; give the other its own |
//!
//! # The words of both ends
//! A connection has two ends, and each says how it saw the end. The device's view arrives with its next Hello, as a number:
//! ```
//! use sensock::wire::hello::{Account, End};
//!
//! let account = Account { last_end: 2, offline_ms: 94_000, dial_attempts: 7, signal: 87, ..Account::default() };
//! assert_eq!(End::from_number(account.last_end).words(), "nothing came for too long");
//! // 94 s away, seven dials, -87 dBm: the access point, not the server.
//! ```
//! What dials without speaking sensock is named, with what to do about it, and is answered in its own protocol where that has words:
//! ```
//! use sensock::deframe::Foreign;
//!
//! let dialled = Foreign::guess(b"GET /socket.io/?EIO=3&transport=websocket HTTP/1.1\r\n");
//! assert!(dialled.words().contains("EIO=3"));
//! assert!(dialled.answer().starts_with(b"HTTP/1.1 421"));
//! ```
//!
//! # Before you go to bed
//! - **Disk.** A full disk stops acknowledgements, not devices: they keep their records, and go on when there is room. Watch it all the same.
//! - **Database.** While it is away nothing is acknowledged and nothing is lost; credit runs out, and outboxes fill. `StoreAway` and `StoreBack` are events.
//! - **Clock.** Keep time synchronisation running. A server whose clock is before its store's newest row holds all credit, and says so.
//! - **Restart whenever you like.** Ctrl-C drains: what was received is committed and acknowledged, and devices are told when to come back. After a `SIGKILL`
//!   the devices still hold what was not acknowledged, and send it again.
//! - **Backups.** Any consistent one of the database. See the end of [page 7](super::_07_your_own_store).
//! - **A second server** over the same database needs nothing but its address in the devices' list: there is no state outside the store.
