//! The program's executor.

use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use embassy_executor::{Spawner, raw};
use static_cell::StaticCell;

static WOKEN: AtomicBool = AtomicBool::new(false);

/// One of its tasks wants to be polled.
pub(crate) fn woken() {
    WOKEN.store(true, Ordering::SeqCst);
}

/// Calls `init` with a spawner, then runs what was spawned, for ever.
///
/// `sleep` is called in a critical section, and returns when an interrupt is pending, masked as it is.
///
/// # Panics
/// If it is called a second time.
pub fn run(init: impl FnOnce(Spawner), sleep: impl Fn()) -> ! {
    static EXECUTOR: StaticCell<raw::Executor> = StaticCell::new();
    let executor: &'static raw::Executor = EXECUTOR.init(raw::Executor::new(ptr::null_mut()));
    init(executor.spawner());
    loop {
        // SAFETY: this is the only place that polls it, and it is come to once: the cell above gives no second executor.
        unsafe { executor.poll() };
        // An interrupt between the question and the sleep stays pending, and ends the sleep. Two accesses, since not every core can swap.
        critical_section::with(|_| {
            if !WOKEN.load(Ordering::SeqCst) {
                sleep();
            }
            WOKEN.store(false, Ordering::SeqCst);
        });
    }
}
