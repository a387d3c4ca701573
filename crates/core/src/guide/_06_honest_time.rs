//! Page 6: when was it measured, and how well is that known?
//!
//! Devices have no calendar, only ticks. A server that asks for a tick at S1 and has it at S2 knows one thing for certain: the device's clock showed it
//! *between* S1 and S2. No average of round trips is better than that; a queue of four seconds in one direction would make it wrong without a sign.
//! ```
//! use sensock::link::Bounds;
//! use sensock::{Micros, Tick};
//!
//! // Asked at 10.000 s of the server's clock, answered at 10.040 s: the device's clock showed 7,000 ms in between.
//! let bounds = Bounds::measure(Micros(10_000_000), Micros(10_040_000), Tick(7_000));
//! let (not_before, not_after) = bounds.moment(Tick(7_000));
//! assert!(not_before <= 10_000_000 && not_after >= 10_040_000);
//! assert!(not_after - not_before < 43_000); // the round trip, and the tick's own millisecond on either side
//! ```
//! So each row has two times, a lower and an upper bound. Clocks drift, so bounds widen with the distance, by 250 parts per million, which covers both
//! crystals. Each new exchange is intersected with what was known.
//! ```
//! # use sensock::link::Bounds;
//! # use sensock::{Micros, Tick};
//! # let bounds = Bounds::measure(Micros(10_000_000), Micros(10_040_000), Tick(7_000));
//! let hour = Tick(7_000 + 3_600_000);
//! let (not_before, not_after) = bounds.moment(hour);
//! assert!(not_after - not_before < 1_850_000); // an hour away from any exchange: less than ± 1 s
//!
//! // The hour is over, and the device answers again, within 20 ms: the row is known as well as ever.
//! let now = Micros(10_020_000 + 3_600_000_000);
//! let newer = Bounds::measure(now, now.plus_ms(20), hour);
//! let (not_before, not_after) = bounds.intersect(newer).unwrap().moment(hour);
//! assert!(not_after - not_before < 25_000);
//! ```
//! Two exchanges that exclude each other are no matter of opinion: one of the two clocks stepped. That is an event, and the union holds from there on.
//! ```
//! # use sensock::link::{Bounds, ClockFault};
//! # use sensock::{Micros, Tick};
//! # let bounds = Bounds::measure(Micros(10_000_000), Micros(10_040_000), Tick(7_000));
//! let a_minute_too_far = Bounds::measure(Micros(80_000_000), Micros(80_040_000), Tick(17_000));
//! let ClockFault(union) = bounds.intersect(a_minute_too_far).unwrap_err();
//! assert!(union.width() >= 60_000_000);
//! ```
//!
//! # What that means for your rows
//! - The first exchange of a connection precedes its first record, so no row of a connected device is ever without a time, and nothing is stamped 1970.
//! - Readings from an outage of two hours are known within two seconds: 250 ppm of the distance to the nearest exchange, before or after.
//! - A boot that died before it met a server lies between its neighbours: not after the next boot began. Its lower bound may be unknown (`NULL`, quality
//!   "upper bound" in the SQL view).
//! - A committed time is never rewritten. What would have been better later can be computed from the stored anchors.
//! - A server whose own clock is not plausible (before its build, before its store's newest row) grants no credit. The devices keep their records
//!   meanwhile; a night without a network time is an outage like any other.
//! - Within a boot, compare ticks: they are exact to the millisecond. Compare times only across devices.
