//! Page 9: updating one end and not the other.
//!
//! A board in a wall is flashed once. So the promise is one-sided on purpose: **a server of any release speaks every wire version since 1**, and a device of
//! any release is served. Update servers first, devices when you like, or never.
//!
//! # What never changes
//! The preface, the length prefix, the first three bytes of a Hello (header, lowest and highest version) and all of Refused. So two ends of any age
//! can tell each other what they speak, in words that a person can read.
//! ```
//! use sensock::deframe::PREFACE;
//! use sensock::wire::hello::{Refusal, Refused, VERSION};
//!
//! assert_eq!(PREFACE, [0xf5, b's', b'n', b'k']); // 0xf5 occurs in no text, no TLS record, no MQTT packet
//! assert_eq!(VERSION, 1);
//!
//! let no = Refused { code: Refusal::Version, backoff_ms: 3_600_000, versions: (1, 1), text: "update the server".into() };
//! let mut frame = [0; 256];
//! let len = no.encode(&mut frame).unwrap();
//! assert_eq!(Refused::decode(&frame[1..len]).unwrap(), no);
//! ```
//!
//! # What may be added within a version
//! Kinds, extensions and item kinds that SPEC section 15 reserves. A bit of each frame's first byte says whether an end that does not know the kind may skip
//! it. To keep everybody honest, both ends now and then send a kind that will never mean anything: who does not skip it fails on the first day,
//! not in five years.
//! ```
//! use sensock::error::Peer;
//! use sensock::wire::header::{Header, Kind};
//!
//! assert_eq!(Header::parse(6 | 2 << 5).unwrap().kind, Some(Kind::Data)); // lane 2
//! assert_eq!(Header::parse(31 | 0x80).unwrap().kind, None); // skipped
//! assert_eq!(Header::parse(31), Err(Peer::UnknownKind)); // must be understood, and is not: the connection ends in order
//! ```
//! A record of a kind that an old server does not know is not lost either: its bytes are kept in quarantine, a gap says so, and the lane goes on.
//!
//! # What holds it
//! Each section of `SPEC.md` that defines bytes has vectors: bytes and what they mean, in files that every implementation reads in its tests. A vector is
//! never deleted or changed. If you write an end in another language, begin with them.
//!
//! # And the Rust API?
//! That is another matter: before 1.0 a minor release may change it, with a note. Types from other crates (postcard, heapless) stay out of it, so that their
//! versions are not yours to care about. The catalogue's canonical bytes and their hash are part of the wire, not of the API: the same constant gives the
//! same hash for good.
