//! Firmware under QEMU against the real server: what the tests in `tests/` are made of.
//!
//! ```text
//!   QEMU machine            relay, a process           proxy, in the test        sensockd, a process
//!   ────────────────        a connection               ──────────────────        ───────────────────
//!   firmware `node`  ────▶  stdin/stdout to a   ────▶  cuts, stalls, refuses ──▶ SQLite file, which the
//!   10.0.2.100:7070         loopback port                                        test reads by itself
//! ```
//! | module | gives |
//! |---|---|
//! | [`board`] | the three machines, and how QEMU is told of each |
//! | [`images`] | where the firmware lies that `cargo xtask firmware` has built |
//! | [`machine`] | a running machine: its console, its exit code, its CPU time; killed when dropped |
//! | [`daemon`] | a sensockd process that is killed, stopped and started again on the same port |
//! | [`mod@bench`] | a machine, a proxy, a daemon and a store, put together |
//! | [`stored`] | what the store holds of the device |
//! | [`check`] | what must be true of it |
//! | [`recording`] | what the firmware's sensor measures |
//!
//! # How the network is confined
//! A machine has user-mode networking with `restrict=on`: it sees no host, no other machine and no network, and nobody sees it. Its
//! addresses come from QEMU's own DHCP server. One address is let through, 10.0.2.100 port 7070: for each connection to it QEMU starts
//! the program `relay`, which joins its standard input and output to one port on the loopback address of the computer that runs the
//! tests. There the test's proxy listens, and behind it sensockd, on loopback too. No root, no bridge, no firewall rule, no packet that
//! leaves the computer. (QEMU could dial by itself, but does so once in a machine's life: such a line could not be cut and come back.)
//!
//! # When these tests run
//! `cargo xtask firmware` builds the images and runs them. A plain `cargo test` has no images, says so, and skips what needs them.

#![forbid(unsafe_code)]

pub mod bench;
pub mod board;
pub mod check;
pub mod daemon;
pub mod images;
pub mod machine;
pub mod recording;
pub mod stored;
