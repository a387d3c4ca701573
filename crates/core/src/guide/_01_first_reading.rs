//! Page 1: one reading's life, from a cellar into a table.
//!
//! A sensor reads 23.45 °C and 56.7 %RH. Both were read at one instant, so they are one *record*; it gets the device's *tick* (ms since its boot)
//! and the next *position* of its lane, and lies in the outbox. Nobody asked whether there is a network.
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/road.rs"));
//! # fn main() {
//! let mut road = Road::new();
//! let position = road.record(&[TEMPERATURE.is(23.45), HUMIDITY.is(56.7)]);
//! assert_eq!(position, Position::new(1, 0)); // boot 1, record 0: what makes it unique, in order, and placed in time
//!
//! // Two hours later the access point is back.
//! road.now += 2 * 3_600_000;
//! road.dial();
//! road.settle();
//! assert_eq!(road.stored, ["1/0 at 1000 ms: 2345 567"]); // 23.45 in steps of 0.01, 56.7 in steps of 0.1
//!
//! // Acknowledged means committed, and only that frees the device's memory.
//! assert!(road.outbox.with(|o| o.is_drained(Lane::Readings)));
//! # }
//! ```
//!
//! # What went over the wire
//! ```text
//!  device                                           server
//!    Hello   who I am, where each lane stands  ───▶   look it up in the store
//!    ◀───  Welcome   what is stored, first credit      (nothing is written yet)
//!    Pong    the nonce: I am live              ───▶   write boot and gaps; an older connection ends here
//!    Data    positions, ticks, values in columns ──▶  one transaction: rows and mark
//!    ◀───  Ack   committed up to here                  the outbox frees them
//! ```
//! Welcome says what is *stored*, not what some earlier connection acknowledged. So a lost acknowledgement costs nothing, and neither does a
//! server that is another one than yesterday: a device resumes at the mark.
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/road.rs"));
//! # fn main() {
//! # let mut road = Road::new();
//! road.dial();
//! road.settle();
//! for _ in 0..3 {
//!     road.record(&[TEMPERATURE.is(20.0)]);
//!     road.now += 10_000;
//! }
//! // The device framed all three, and the line broke before any of it arrived.
//! let mut lost = [0; 512];
//! while let Transmit::Frame(_) = road.device.poll_transmit(&road.outbox, Tick(road.now), &mut lost) {}
//! road.device.lost();
//!
//! road.dial();
//! road.settle();
//! let all = road.stored.join("\n");
//! assert_eq!(all, "1/0 at 1000 ms: 2000\n1/1 at 11000 ms: 2000\n1/2 at 21000 ms: 2000"); // each of them, once
//! # }
//! ```
//!
//! # Both ends in one file
//! This is all that stands between the two sessions on these pages. A runtime does the same with sockets and clocks: bytes and the time go
//! in, frames and one deadline come out, and a session never waits for anything.
//! ```
#![doc = include_str!("road.rs")]
//! ```
