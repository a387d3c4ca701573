//! The executor in an interrupt.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use embassy_executor::{SendSpawner, raw};
use static_cell::StaticCell;

/// An executor that runs in an interrupt: its tasks wait for none of the program's. What must not be late belongs there, and little else: while one
/// of them runs, nothing else does.
pub struct Urgent {
    pend: fn(),
    executor: StaticCell<raw::Executor>,
    /// Null until it is started, and while it polls.
    idle: AtomicPtr<raw::Executor>,
}

impl Urgent {
    /// One that is not started yet. `pend` raises the interrupt that calls [`interrupted`](Self::interrupted); it may be called in any context, and
    /// more than once before the interrupt comes.
    pub const fn new(pend: fn()) -> Self {
        Self { pend, executor: StaticCell::new(), idle: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Starts it; what spawns its tasks, from anywhere.
    ///
    /// # Panics
    /// If it was started before.
    pub fn start(&'static self) -> SendSpawner {
        let context = ptr::from_ref(self).cast_mut().cast();
        let executor: &'static raw::Executor = self.executor.init(raw::Executor::new(context));
        self.idle.store(ptr::from_ref(executor).cast_mut(), Ordering::Release);
        executor.spawner().make_send()
    }

    /// The interrupt: polls what wants it. Lower it first, where that is not done by being here. Does nothing before the start, nor within itself.
    pub fn interrupted(&self) {
        // Taken and put back, so that nobody polls it twice at a time. Two accesses, since not every core can swap.
        let taken = critical_section::with(|_| {
            let idle = self.idle.load(Ordering::Acquire);
            self.idle.store(ptr::null_mut(), Ordering::Release);
            idle
        });
        // SAFETY: null, or the static that `start` made, which is never changed.
        if let Some(executor) = unsafe { taken.as_ref() } {
            // SAFETY: whoever polls it has taken it, and only tasks that may be sent were spawned from outside.
            unsafe { executor.poll() };
            self.idle.store(taken, Ordering::Release);
        }
    }

    /// One of its tasks wants to be polled.
    pub(crate) fn pend(&self) {
        (self.pend)();
    }
}
