//! Embassy's executor, asleep while nothing is to be done. embassy-executor has none for this core.

use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use embassy_executor::{Spawner, raw};
use static_cell::StaticCell;

use crate::{clock, net};

static WOKEN: AtomicBool = AtomicBool::new(false);

/// What embassy calls when a task of the executor wants to be polled.
// SAFETY: embassy-executor names this function so, and nobody else does.
#[unsafe(export_name = "__pender")]
fn pender(_: *mut ()) {
    WOKEN.store(true, Ordering::SeqCst);
}

/// Calls `init` with a spawner, then runs what was spawned, for ever.
pub(crate) fn run(init: impl FnOnce(Spawner)) -> ! {
    static EXECUTOR: StaticCell<raw::Executor> = StaticCell::new();
    let executor: &'static raw::Executor = EXECUTOR.init(raw::Executor::new(ptr::null_mut()));
    init(executor.spawner());
    loop {
        // Before the tasks run: what wakes one of them from here on is not forgotten. Nothing runs in interrupts, so nothing can come
        // between the questions below and the sleep either.
        WOKEN.store(false, Ordering::SeqCst);
        // SAFETY: this is the only place that polls it, and no task calls this function.
        unsafe { executor.poll() };
        let cycles = clock::wake_due();
        net::look();
        if !WOKEN.load(Ordering::SeqCst) {
            // A frame that comes now is pending, and ends the sleep at once.
            clock::sleep_at_most(cycles, net::INTERRUPT);
        }
    }
}
