//! Page 5: devices that sleep.
//!
//! "No word for an hour" means nothing for a device that said it would sleep for two. So it says so, and the server calls it *asleep*, and *lost*
//! only when 10 % and 30 seconds more than that have passed (sleeping clocks are that bad).
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/road.rs"));
//! # fn main() {
//! # let mut road = Road::new();
//! use sensock::wire::hello::End;
//!
//! road.dial();
//! road.settle();
//! road.record(&[TEMPERATURE.is(4.2)]);
//! road.device.sleep(3_600_000, false); // a wish: Sleep is sent behind the last record
//! road.settle();
//! assert_eq!(road.stored.len(), 1);
//! assert!(road.device.is_leaving());
//!
//! // The server stores it and answers with Bye; the device may switch its radio off.
//! let mut frame = [0; 256];
//! let len = road.server.bye(End::Slept, 0, "", &mut frame).unwrap();
//! road.device.handle_frame(&road.outbox, Tick(road.now), &mut frame[..len]).unwrap();
//! assert!(road.device.is_closed());
//! # }
//! ```
//! If the Bye gets lost the device does not burn its battery waiting: 200 ms and two round trips after the last ack
//! [`handle_timeout`](crate::device::Session::handle_timeout) closes the session, and the store has the Sleep or does not. Nothing depends on it.
//!
//! # Light or deep
//! | | light sleep | deep sleep |
//! |---|---|---|
//! | memory | is kept | is gone, but for some bytes (RTC memory) |
//! | clock | goes on, or is corrected | starts again |
//! | boot | the same | a new one: ticks before and after cannot be compared |
//! | call | `device.sleep(for)` | `device.deep_sleep(for)`, then keep what it returns |
//!
//! A deep sleep ends the boot: the last positions are final, and the server needs no "unknown tail" gap for it. What must be kept is a
//! [`Carry`](crate::device::Carry) of 96 bytes with a checksum: boot number, where each lane stood, the last command that was begun, the newest setting.
//! Without it the device is one without memory: the server numbers its boots, and what it held at power-off is a gap of unknown length.
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/road.rs"));
//! # fn main() {
//! # let mut road = Road::new();
//! use sensock::device::Carry;
//!
//! road.record(&[TEMPERATURE.is(4.2)]);
//! road.dial();
//! road.settle();
//! let kept = road.outbox.with(|o| o.carry()).to_bytes(); // into RTC memory, then power down
//! let woken = Carry::from_bytes(&kept).unwrap();
//! assert_eq!((woken.boot, woken.last[2]), (1, Position::new(1, 0)));
//! assert_eq!(Carry::from_bytes(&[0xff; Carry::LEN]), None); // the battery was changed: a device without memory
//! # }
//! ```
//!
//! # A 32-bit counter of milliseconds
//! `millis()` wraps after 49.7 days. [`Extend`](crate::Extend) makes ticks of it that do not, if it is asked at least every 24 days.
//! ```
//! use sensock::{Extend, Tick};
//!
//! let mut clock = Extend::new();
//! assert_eq!(clock.tick(u32::MAX), Tick(4_294_967_295));
//! assert_eq!(clock.tick(9), Tick(4_294_967_305)); // ten milliseconds later
//! ```
//!
//! # What costs energy
//! The radio's time, so: few wakes with many records each. A handshake is one round trip for Hello and Welcome; records may follow at once behind the
//! proof, and the same record costs less in company. Welcome says how many commands and settings wait
//! ([`Event::Connected`](crate::device::Event::Connected)), so that a device stays awake for them and for nothing else: if there are none, Sleep
//! goes with the records, and two round trips are all. [Page 12](super::_12_deep_sleep) has the whole cycle.
