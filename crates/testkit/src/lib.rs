//! What the test suites share: MariaDB in a temporary directory, child processes, a faulty proxy.
//!
//! Nothing here is published. Everything works without root and without a network beyond loopback, every
//! process that a test starts dies with the test (even when the test is killed), and a part that the machine
//! does not have is skipped aloud or, where [`require`] says so, demanded.
//!
//! | module | gives |
//! |---|---|
//! | [`mariadb`] | a private MariaDB server, a fresh database a call, kill and restart |
//! | [`process`] | a child process: lines it prints, signals, exit code |
//! | [`binary`] | the path of a program of this workspace, built when needed |
//! | [`proxy`] | a TCP proxy whose line can be cut, stalled, swallowed, delayed, slowed, mirrored |
//! | [`net`] | free ports and an address at which a dial hangs |
//! | [`keys`] | keys of devices, the same for the same name |
//! | [`rng`] | seeded random numbers that print their seed |
//! | [`effort`] | how much a proof should do in this run |
//! | [`require`] | which optional parts this run must have |

pub mod binary;
pub mod effort;
mod guard;
pub mod keys;
pub mod mariadb;
pub mod net;
pub mod process;
pub mod proxy;
pub mod require;
pub mod rng;
