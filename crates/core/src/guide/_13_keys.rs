//! Page 13: a key for each device.
//!
//! A device and the server share a key: 32 random bytes, of this one device, made by the tool and never by a person. With it each proves to the other who it
//! is, and what they say is closed to everybody else, on any transport. Keys are the normal way; a server takes devices without only where it
//! is told `--insecure`, and says so at each start.
//!
//! # From the tool to the board
//! ```console
//! $ sensockd keys add cellar-3 --keys keys.txt      # prints the key's line once, as text and QR code, and the line for your sketch
//! $ sensockd run --keys keys.txt --store sqlite:plants.sqlite
//! $ sensockd keys list --keys keys.txt              # whose keys there are, never the keys
//! ```
//! The line is `snk1` and 88 digits: the key's clear name, the key, and a check, so that a digit copied wrongly is found on the bench and not in the cellar.
//! ```
//! # #[cfg(feature = "seal")] {
//! use sensock::seal::{BadCredential, Credential};
//!
//! let line = "snk10102030405060708000306090c0f1215181b1e2124272a2d303336393c3f4245484b4e5154575a5de993fd56";
//! let credential = Credential::parse(line).unwrap();
//! assert_eq!(credential.id.to_string(), "0102030405060708");
//! assert_eq!(format!("{:?}", credential.key), "Key(hidden)"); // no log and no panic prints it
//!
//! let misread = line.replace("de993", "de998");
//! assert_eq!(Credential::parse(&misread).unwrap_err(), BadCredential::Check);
//! # }
//! ```
//! On the device it is `Key::Sealed(&credential, random)` in its `Node`. `random` fills bytes from a hardware generator; where that fails, no
//! connection is made, because a repeated number would open the lock. On an ESP8266 or ESP32 the generator is good only while the radio is on, which it is when you dial.
//!
//! # Another key, and no key
//! ```console
//! $ sensockd keys rotate cellar-3 --for 7d --keys keys.txt    # both keys are valid for a week: flash the board within it
//! $ sensockd keys revoke cellar-3 --keys keys.txt             # stolen: out at once, a live connection included
//! ```
//! A running server sees the changed file by itself.
//!
//! # What it costs
//! No round trip: Hello and Welcome ride in the handshake. 58 bytes up and 49 down for it, then 16 for each frame. On a chip, two multiplications on a
//! curve for each connection; the runner makes one of them while it waits to dial. `sensock_device::Buffers` of at least 320 bytes.
//!
//! # What it does not hide
//! That a sealed device is there, the key's name (a random pseudonym, by which its connections can be told to be the same device's), and lengths and times of
//! frames. What protects from what, attacker by attacker, is in `SECURITY.md` of the repository; the bytes are in SPEC 14.
