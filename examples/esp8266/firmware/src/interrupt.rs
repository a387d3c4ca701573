//! Which interrupt is whose.

use executors::Urgent;

use crate::{clock, lx106, net};

/// The executor in an interrupt.
pub static URGENT: Urgent = Urgent::new(|| lx106::raise(lx106::SOFTWARE));

/// Lets all of them interrupt.
pub(crate) fn start() {
    lx106::enable(lx106::TIMER | lx106::SOFTWARE | net::INTERRUPT);
}

/// Where `startup.S` goes in each interrupt.
// SAFETY: the name is this function's alone.
#[unsafe(no_mangle)]
extern "C" fn interrupted() {
    clock::woken();
    let pending = lx106::pending();
    if pending & lx106::TIMER != 0 {
        clock::alarm();
    }
    if pending & net::INTERRUPT != 0 {
        net::arrived();
    }
    // The timer may just have raised it.
    if lx106::pending() & lx106::SOFTWARE != 0 {
        lx106::lower(lx106::SOFTWARE);
        URGENT.interrupted();
    }
}
