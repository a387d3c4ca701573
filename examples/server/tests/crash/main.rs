//! Crashes of real processes over real TCP, against real databases.
//!
//! Twenty devices stream; servers and devices are killed with SIGKILL, at random moments and, for servers, at four points
//! of their work. In the end every record that a device said it accepted must be stored once, or lie in one gap that was
//! allowed. Each test prints its seed; `SENSOCK_SEED=…` repeats its choices (not the operating system's).
//!
//! A kill ends a process, not the machine: what the operating system was told survives. That committed rows survive a power
//! cut is the database's promise, and not tested here.

#![cfg(unix)]

mod check;
mod crew;
mod daemon;
mod hopping;
mod kills;
mod ledger;
mod said;
mod scene;
