//! The outbox alone.
#![no_std]
#![no_main]

use core::hint::black_box;
use sensock_size::{calls, outbox};

#[unsafe(no_mangle)]
extern "C" fn entry() -> ! {
    loop {
        black_box((outbox(), &calls::OUTBOX));
    }
}
