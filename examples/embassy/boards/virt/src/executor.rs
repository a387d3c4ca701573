//! Embassy's executor, asleep while nothing is to be done.

use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use embassy_executor::{Spawner, raw};
use static_cell::StaticCell;

use crate::{clock, urgent};

static WOKEN: AtomicBool = AtomicBool::new(false);

/// What embassy calls when a task of the executor wants to be polled.
#[unsafe(export_name = "__pender")]
fn pender(context: *mut ()) {
    if context.is_null() {
        WOKEN.store(true, Ordering::SeqCst);
    } else {
        urgent::pend();
    }
}

/// Calls `init` with a spawner, then runs what was spawned, for ever.
pub(crate) fn run(init: impl FnOnce(Spawner)) -> ! {
    static EXECUTOR: StaticCell<raw::Executor> = StaticCell::new();
    let executor: &'static raw::Executor = EXECUTOR.init(raw::Executor::new(ptr::null_mut()));
    init(executor.spawner());
    loop {
        // SAFETY: this is the only place that polls it, and no task calls this function.
        unsafe { executor.poll() };
        // An interrupt between the question and the sleep stays pending, and ends the sleep.
        critical_section::with(|_| {
            if !WOKEN.load(Ordering::SeqCst) {
                clock::sleep(riscv::asm::wfi);
            }
            WOKEN.store(false, Ordering::SeqCst);
        });
    }
}
