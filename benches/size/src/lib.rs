//! Images that nobody runs: they are linked to be measured, by `cargo xtask size`.
//!
//! An image holds every function that a firmware would call, each once and with arguments that the compiler cannot see through: the
//! list of their addresses keeps them, in a section that is not counted. So what is counted is ours, and no code of a made-up application.
//! What an image without any of it has is subtracted.
#![no_std]

pub mod calls;
pub mod rules;

use core::cell::UnsafeCell;
use core::hint::black_box;
use core::panic::PanicInfo;
use sensock::device::{Outbox, OutboxMut, Share};

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// The addresses of functions.
#[repr(transparent)]
pub struct Calls<const N: usize>(pub [*const (); N]);

// SAFETY: addresses of functions, which nobody follows.
unsafe impl<const N: usize> Sync for Calls<N> {}

/// How many bytes of records the images' outbox has: those are the caller's choice, and no part of any figure.
pub const RECORDS: usize = 1024;

/// An outbox where nothing interrupts. Firmware takes a critical section in its place, which is the runtime's code and not counted.
pub struct Alone(UnsafeCell<Outbox<RECORDS>>);

// SAFETY: the images have one thread and no interrupts; besides, nobody runs them.
unsafe impl Sync for Alone {}

static OUTBOX: Alone = Alone(UnsafeCell::new(Outbox::new()));

/// The outbox, so that it lies in the image's memory.
pub fn outbox() -> &'static Alone {
    black_box(&OUTBOX)
}

impl Share for Alone {
    fn with<R>(&self, f: impl FnOnce(&mut OutboxMut<'_>) -> R) -> R {
        // SAFETY: one thread, and no caller's `f` comes back here.
        f(&mut unsafe { &mut *self.0.get() }.as_mut())
    }
}
