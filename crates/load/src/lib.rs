//! Load for a sensock server, and for its peers in the same run: what a record costs, what a connection weighs, how long an answer takes.
//!
//! Everything runs on this machine's loopback, is bounded in time, and starts its own servers as child processes, which die with it:
//! the real `sensockd`, a bare tokio echo, mosquitto. Both ends are pinned to one CPU, so that no wake-up across CPUs is measured.
//! The CPU that a server used is read from its process clock (all threads, user and system), before and after a window. This is Linux's;
//! on other systems the library is empty and the program says so.
//!
//! | module | gives |
//! |---|---|
//! | [`server`] | the servers as children: start, port, CPU, end |
//! | [`serve`] | what the children run that are no programs of their own |
//! | [`client`] | one connection's end, for each protocol |
//! | [`cover`] | the keys of the fleet's devices |
//! | [`fleet`] | many of them, a window of time, what it cost |
//! | [`turns`] | when a client sends, and what it saw |
//! | [`usage`] | CPU time and memory of a process, affinity, file descriptors |
//! | [`served`] | a server with its store: a fresh start, a count at the end |
//! | [`stored`] | what lies in a database at the end |
//! | [`table`], [`limit`] | figures in columns, and what they must not exceed |
//! | [`modes`] | a measurement each: what the command line offers |
#![cfg(target_os = "linux")]

pub mod client;
pub mod cover;
pub mod direct;
pub mod fleet;
pub mod limit;
pub mod modes;
pub mod serve;
pub mod served;
pub mod server;
pub mod stored;
pub mod table;
pub mod turns;
pub mod usage;
