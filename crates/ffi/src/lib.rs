//! The device end of sensock for C: what `sensock.h` declares. No std, no alloc, no clock, no sockets.
//!
//! The caller gives the memory, moves the bytes and passes the time; the session, the outbox, the frames and the catalogue are inside. One
//! device is used by one thread at a time.
//!
//! ```text
//!   C:     sensock_init ─▶ sensock_record ─▶ ...            sensock_connected ─▶ receive ◀─▶ poll, transmit ─▶ sensock_lost
//!          ─────┬──────────────┬──────────────────────────────────┬─────────────────┬───────────────────────────────┬─────
//!   door        pointers are checked here, and nowhere else: what follows is safe Rust
//!          ─────┴──────────────┴──────────────────────────────────┴─────────────────┴───────────────────────────────┴─────
//!   device      the application's side: records, calls, settings, sleep         link, news      the connection's side
//! ```
//! | module | holds |
//! |---|---|
//! | `door` | the functions of `sensock.h` |
//! | `memory` | C's memory and texts, carved up and checked |
//! | `types` | the structures of `sensock.h` |
//! | `setup` | a configuration checked, a catalogue made of it |
//! | `device`, `calls`, `link`, `news` | the device |
//! | `seal` | the device's key and the cover of the next connection |
//! | `values`, `text`, `clock` | bodies, sentences, time |
//!
//! Every pointer and length that can be checked is checked: what cannot be is whether memory is as large, and lives as long, as C says.
#![no_std]

// On a host the panic handler is the standard library's. On a chip it is the one below.
#[cfg(not(target_os = "none"))]
extern crate std;

mod calls;
mod clock;
mod device;
mod door;
mod link;
mod memory;
mod news;
mod seal;
mod setup;
mod text;
mod types;
mod values;

pub use device::Device;
pub use door::*;
pub use types::*;

/// Never called by any input or order of calls. The library is built so that this is all that is left of panics.
#[cfg(all(target_os = "none", not(test)))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
