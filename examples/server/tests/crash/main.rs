//! Crashes and faults of real processes over real TCP, against real databases.
//!
//! Crashes: twenty devices stream; servers and devices are killed with SIGKILL, at random moments and, for servers, at four points
//! of their work. In the end every record that a device said it accepted must be stored once, or lie in one gap that was
//! allowed. Each test prints its seed; `SENSOCK_SEED=…` repeats its choices (not the operating system's).
//!
//! Faults: devices behind lines that are cut, stalled, half-open, …; strangers; databases that are away, full or read-only;
//! and a soak, which is called endurance since it must begin before the others to end with them.
//!
//! All is sealed, except in the test that says so.
//!
//! A kill ends a process, not the machine: what the operating system was told survives. That committed rows survive a power
//! cut is the database's promise, and not tested here.

#![cfg(unix)]

mod check;
mod crew;
mod daemon;
#[cfg(target_os = "linux")]
mod endurance;
mod fault;
#[cfg(target_os = "linux")]
mod flood;
mod hopping;
mod kills;
mod ledger;
mod line;
mod lines;
mod said;
mod scene;
mod sealed;
mod stores;
#[cfg(target_os = "linux")]
mod storm;
#[cfg(target_os = "linux")]
mod strangers;
#[cfg(target_os = "linux")]
mod usage;
