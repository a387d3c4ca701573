//! A second executor, which runs in an interrupt: its tasks wait for none of the program's. What must not be late belongs there, and little else:
//! while one of them runs, nothing else does.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use embassy_executor::{SendSpawner, raw};
use static_cell::StaticCell;

use crate::lx106;

/// What tells it from the other executor, whose context is null.
const CONTEXT: *mut () = ptr::dangling_mut();

/// Null until it is started.
static RUNNING: AtomicPtr<raw::Executor> = AtomicPtr::new(ptr::null_mut());

/// Starts it, once; what spawns its tasks.
pub fn start() -> SendSpawner {
    static EXECUTOR: StaticCell<raw::Executor> = StaticCell::new();
    let executor: &'static raw::Executor = EXECUTOR.init(raw::Executor::new(CONTEXT));
    RUNNING.store(ptr::from_ref(executor).cast_mut(), Ordering::Release);
    executor.spawner().make_send()
}

/// One of its tasks wants to be polled.
pub(crate) fn pend() {
    lx106::raise(lx106::SOFTWARE);
}

/// The interrupt.
pub(crate) fn interrupted() {
    lx106::lower(lx106::SOFTWARE);
    // SAFETY: null, or a static that was made before and is never changed.
    let running = unsafe { RUNNING.load(Ordering::Acquire).as_ref() };
    if let Some(executor) = running {
        // SAFETY: only this interrupt polls it, and nothing interrupts an interrupt.
        unsafe { executor.poll() };
    }
}
