//! Page 3: how much memory, and what happens when it is full.
//!
//! The outbox is the only memory that grows with an outage, and you choose its size. An eighth each is set aside for alarms and for
//! answers to commands (256 bytes at least), the rest is for readings. How long it lasts is best counted, not guessed:
//! ```
//! use sensock::device::Outbox;
//! use sensock::{Cause, Lane, Position, Quantity, Tick};
//!
//! const TEMPERATURE: Quantity<f32> = Quantity::new(1, "temperature", "Cel").scale(-2);
//! const HUMIDITY: Quantity<f32> = Quantity::new(2, "humidity", "%RH").scale(-1);
//!
//! let mut memory = Outbox::<8192>::new();
//! let mut outbox = memory.as_mut();
//! outbox.start(Some(1));
//! let mut made = 0;
//! while outbox.floor(Lane::Readings).floor == Position::new(1, 0) {
//!     let tick = Tick(made * 10_000); // a record each ten seconds
//!     outbox.record(Lane::Readings, tick, &[TEMPERATURE.is(20.0 + (made % 90) as f32 / 10.0), HUMIDITY.is(56.7)]).unwrap();
//!     made += 1;
//! }
//! assert!(made > 500, "{made}"); // so 8 KiB bridge more than 80 minutes at this rate: some 10 bytes a record
//!
//! // The oldest made room, and the device knows why, from when, and from where it can still deliver.
//! let floor = outbox.floor(Lane::Readings);
//! assert_eq!(floor.cause, Cause::Overflow);
//! assert!(floor.floor > Position::new(1, 0) && floor.span.is_some());
//! ```
//! Twice the outage needs twice the bytes. What no memory bridges becomes a gap row, with its cause; with the `flash` feature of
//! `sensock-device` the outbox spills to flash and survives a loss of power too.
//!
//! # What is dropped
//! | [`Policy`](crate::device::Policy) | when full | choose it for |
//! |---|---|---|
//! | `DropOldest` (unless told) | the oldest records go, the floor rises | most readings: the present matters |
//! | `DropNewest` | new ones go into one gap at the tail | a log whose beginning matters |
//! | `KeepLatest` | nothing queues: the newest value of each quantity waits | a gauge that nobody plots |
//! | `Refuse` | the call fails with [`Misuse::Full`](crate::error::Misuse::Full) | the control lane: answers are never dropped |
//!
//! A time to live drops what is too old to be of use, with the cause `expired`.
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/road.rs"));
//! # fn main() {
//! # let mut road = Road::new();
//! use sensock::device::Policy;
//!
//! road.outbox.with(|o| o.policy(Lane::Readings, Policy::DropOldest, 60_000)); // nobody wants readings older than a minute
//! for _ in 0..10 {
//!     road.record(&[TEMPERATURE.is(20.0)]);
//!     road.now += 15_000;
//! }
//! road.dial();
//! road.settle();
//! assert_eq!(road.stored[0], "1/0 to 1/5: gap");
//! assert!(road.stored[1].starts_with("1/6 at 91000 ms"));
//! # }
//! ```
//!
//! # Reading a gap
//! The device never counts what it lost; it states its *floor*, and the server subtracts. So a gap's count is exact within a boot, and unknown
//! only for the tail of a boot that died with records in memory.
//! | [`Cause`](crate::Cause) | what to do |
//! |---|---|
//! | overflow | a larger outbox, a longer interval, or a better link |
//! | expired | nothing: that is what the time to live is for |
//! | power | a battery, or the `flash` feature |
//! | flash | the chip wears out, or its partition is too small |
//! | rejected | look into the quarantine: the raw bytes and the reason are there |
//! | store | the database was restored from a backup: what it had acknowledged since is gone |
//! | mixed | several of these in one stretch |
//!
//! # Alarms
//! Lane 0 has memory, credit and order of its own, and goes first into every frame: a backlog of hours holds an alarm up for two frames at
//! most. Use it for what must wake somebody, and let the reading itself go its usual way as well.
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/road.rs"));
//! # fn main() {
//! # let mut road = Road::new();
//! for _ in 0..200 {
//!     road.record(&[TEMPERATURE.is(20.0)]);
//!     road.now += 10_000;
//! }
//! road.outbox.with(|o| o.record(Lane::Alarm, Tick(road.now), &[TEMPERATURE.is(71.5)])).unwrap();
//! road.dial();
//! road.settle();
//! assert_eq!(road.stored[0], "1/0 at 2001000 ms: 7150"); // recorded last, stored first
//! # }
//! ```
