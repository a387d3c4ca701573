//! Page 12: a device that sleeps most of the time.
//!
//! Wake, measure, connect, send, hear what is wanted, disconnect, deep sleep: with one wake each five minutes a battery lasts for years. `sensock-device`
//! has this cycle as one call, which is all that firmware has to say:
//! ```ignore
//! let node = Node { id: "bog-7", key: Key::Sealed(&KEY, random), catalog: &BOG, boot: Boot::kept(&rtc::read()) };
//! let (device, mut runner) = OUTBOX.start(&node, EmbassyClock, &mut buffers);
//! let mut keep = |carry: &Carry| rtc::write(&carry.to_bytes());
//! runner.keep(&mut keep);                                          // this boot began: a crash is noticed
//! device.record(&[TEMPERATURE.is(sensor.read())])?;
//! let network = async { loop { dial_and_run(&mut runner).await } };// the dial loop of any device
//! let wake = device.cycle(EmbassyClock, AWAKE, ASLEEP, network);
//! let slept = first_of(wake, obey, tune).await;                    // commands and settings as ever
//! rtc::write(&slept.carry.to_bytes());
//! board::deep_sleep(ASLEEP)
//! ```
//! It returns when everything is stored and the server knows until when the device sleeps, or after `AWAKE` if there is no server: that is the
//! longest that a dead access point can keep it awake, dialling included.
//!
//! # What goes over the air
//! Two flights, if nothing is wanted of the device. Sleep does not wait for the acks; it goes with the records, and the server's Bye comes with its acks, once
//! all is committed:
//! ```text
//!   device                              server
//!     Hello ─────────────────────────────▶            about 95 B up
//!          ◀───────────────────────────── Welcome     about 70 B down: nothing waits for you
//!     proof, records, Sleep ─────────────▶            about 60 B up with three records of two readings
//!          ◀───────────────────────────── acks, Bye   about 20 B down: stored, and "asleep until"
//! ```
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/road.rs"));
//! # fn main() {
//! # let mut road = Road::new();
//! use sensock::device::Transmit;
//!
//! road.record(&[TEMPERATURE.is(4.2)]);
//! road.dial();
//! road.settle();
//! road.record(&[TEMPERATURE.is(4.3)]);
//! road.device.sleep(300_000, true);
//! // Records, and Sleep behind them, before any ack:
//! let (mut frame, mut frames) = ([0; 512], 0);
//! while let Transmit::Frame(_) = road.device.poll_transmit(&road.outbox, Tick(road.now), &mut frame) {
//!     frames += 1;
//! }
//! assert_eq!((frames, road.device.is_leaving()), (2, true));
//! // The boot has ended: its last positions are final, so nothing is recorded any more.
//! let late = road.outbox.with(|o| o.record(Lane::Readings, Tick(road.now), &[TEMPERATURE.is(4.4)]));
//! assert!(late.is_err());
//! # }
//! ```
//!
//! # What waits for the device
//! A command or setting that is made while the device sleeps is stored, shown as waiting, and reaches it in the next wake: Welcome says how many there are, and
//! Sleep is not said before they have come and are answered. One that is made in the very moment at which the device leaves does not get lost between
//! the two either: if it is on its way, the device takes its Sleep back, answers, and says it again; if not, it waits for the next wake. A command is never
//! left "unknown" by a nap. An application that does not answer is waited for until nothing has been heard for ten seconds.
//!
//! # What is kept, and what is lost
//! | | where | survives deep sleep | survives power loss |
//! |---|---|---|---|
//! | boot, tag, positions, last command | [`Carry`](crate::device::Carry): 96 bytes with a checksum, in RTC memory | yes | no: the server numbers the boots then |
//! | records that were not sent | RAM | no: a gap with cause *power* says which boots | no |
//! | records, with the `flash` feature | flash | yes | yes |
//!
//! On an ESP8266 RTC memory has 512 bytes, the first 128 of which an update over the air overwrites: keep the 96 at an offset of 128. Unsent records are
//! not put beside them. Some 28 would fit; a night without a server wants flash, which has the room for all of them.
//!
//! At the start of a boot [`Carry::unfinished`](crate::device::Carry::unfinished) is kept, which `Runner::keep` does: if the board crashes while it is awake, the next wake
//! tells the server that this boot's end is unknown, instead of nothing.
