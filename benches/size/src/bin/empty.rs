//! What an image has without us: it is subtracted from the others.
#![no_std]
#![no_main]

use core::hint::black_box;
use sensock_size as _;

#[unsafe(no_mangle)]
extern "C" fn entry() -> ! {
    loop {
        black_box(());
    }
}
