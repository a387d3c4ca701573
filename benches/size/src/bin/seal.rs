//! What a device needs to seal its sessions, by itself.
#![no_std]
#![no_main]

use core::hint::black_box;
use sensock_size::calls;

#[unsafe(no_mangle)]
extern "C" fn entry() -> ! {
    loop {
        black_box(&calls::SEAL);
    }
}
