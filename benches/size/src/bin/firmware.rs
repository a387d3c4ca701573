//! What a firmware on TCP links of us: codec, session and outbox, and besides typed readings, bodies, frames behind a length, backoff.
#![no_std]
#![no_main]

use core::hint::black_box;
use sensock_size::{calls, outbox};

#[unsafe(no_mangle)]
extern "C" fn entry() -> ! {
    loop {
        black_box((outbox(), &calls::OUTBOX, &calls::SESSION, &calls::FIRMWARE));
    }
}
