//! The outbox alone: everything that an application without flash says to it, and no network.
#![no_std]
#![no_main]

use core::hint::black_box;
use sensock::device::Share;
use sensock_size::{application, outbox};

#[unsafe(no_mangle)]
extern "C" fn entry() -> ! {
    let outbox = outbox();
    loop {
        outbox.with(|o| application(o));
        black_box(());
    }
}
