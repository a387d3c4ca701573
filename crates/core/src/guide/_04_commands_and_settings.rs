//! Page 4: commands, settings and questions: which of the three you want.
//!
//! | you want | take | it |
//! |---|---|---|
//! | something to happen now, once | a [`Command`](crate::Command) | is a stored ticket with a deadline and an outcome |
//! | something to hold from now on | a [`Setting`](crate::Setting) | is kept by the store; the latest wins, a sleeper gets it when it wakes |
//! | a device to know something | an ask | is a question upwards, answered while connected, never stored |
//!
//! "Sample each minute from now on" as a command with an hour's deadline never reaches a device that sleeps for a day. "Open the valve" as a
//! setting would be opened again by each new board of that name.
//!
//! # A command, once
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/road.rs"));
//! # fn main() {
//! use sensock::catalog::Shaped;
//! use sensock::wire::call::Call;
//! use sensock::wire::data::Outcome;
//! use sensock::CommandId;
//!
//! # let mut road = Road::new();
//! # road.dial();
//! # road.settle();
//! // Server: the row says "sent to boot 1" before the frame leaves.
//! let (mut body, mut frame) = ([0; 8], [0; 256]);
//! let len = true.encode(&mut body).unwrap();
//! let not_after = Some(Tick(road.now + 5_000)); // on the device's clock: a command that sat in a dead link for a minute does not run
//! let call = Call { id: CommandId(1), key: RELAY.key(), policy: RELAY.policy(), not_after, body: &body[..len] };
//! let len = road.server.command(&call, &mut frame).unwrap();
//! let mut again = frame; // (for later)
//!
//! // Device: note it as begun, then run it. Where memory survives a reset, `begin` is persisted before the relay clicks.
//! let event = road.device.handle_frame(&road.outbox, Tick(road.now), &mut frame[..len]).unwrap();
//! let Some(device::Event::Command(call)) = event else { panic!("{event:?}") };
//! assert!(road.outbox.with(|o| o.begin(call.id)));
//! let on = bool::decode(call.body).unwrap();
//! let answer = [u8::from(on)];
//! road.device.reply(&road.outbox, CommandId(1), Outcome::Done, &answer).unwrap();
//!
//! // The answer is a record in the control lane: it survives a cut link, and is stored like any other.
//! road.settle();
//! assert_eq!(road.stored, ["1/0: command 1 Done [1]"]);
//!
//! // The same call again, from a server that had not heard of the answer: it does not run twice.
//! assert_eq!(road.device.handle_frame(&road.outbox, Tick(road.now), &mut again[..len]), Ok(None));
//! # }
//! ```
//! A caller learns one of five ends. Four are certain: **done** (with the answer), **refused** (with a code: below 16 the protocol's, from 16
//! on yours), **expired** (its deadline passed before it was begun), **undeliverable** (cancelled, replaced by a newer one, or larger than the
//! device's frame). The fifth is honest: **unknown**. The board lost power between the click of the relay and its answer, and has no memory
//! that survives. No protocol can know more; ask the device for its state.
//!
//! A command that may run twice (`set the display to 7`) declares it with [`Command::idempotent`](crate::Command::idempotent): it is sent again freely, and is
//! never unknown. A caller that repeats its own request (an HTTP client after a timeout) gives an idempotency key, and gets the first one's
//! ticket.
//!
//! # A setting
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/road.rs"));
//! # fn main() {
//! # let mut road = Road::new();
//! # road.dial();
//! # road.settle();
//! use sensock::wire::call::SettingValue;
//!
//! let mut frame = [0; 256];
//! let wanted = SettingValue { key: INTERVAL.key(), revision: 1, body: &[60] }; // revisions count up over all settings of a device
//! let len = road.server.setting(&wanted, &mut frame).unwrap();
//! let event = road.device.handle_frame(&road.outbox, Tick(road.now), &mut frame[..len]).unwrap();
//! assert_eq!(event, Some(device::Event::Setting(wanted)));
//! road.outbox.with(|o| o.applied(1, None)).unwrap(); // sampled each minute from here on
//! road.settle();
//! assert_eq!(road.stored, ["1/0: setting 1 applied"]);
//! # }
//! ```
//! What a device applied is a stored record too. Between "wanted" and "applied" lie the seconds of a link or the day of a sleeper, and the store shows
//! both times.
//!
//! # A question
//! `device.ask(&SETPOINT, 3, within)` is answered by the application on the server, or ends as offline, late or refused, and then the device acts
//! alone: it must know what to do without an answer anyway.
