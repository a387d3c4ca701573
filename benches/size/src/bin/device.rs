//! Codec, session and outbox: the device side without flash, to be held against its limit.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::mem::size_of;
use sensock::backoff::Backoff;
use sensock::deframe::Length;
use sensock::device::{Carry, Node, Outbox, Session};
use sensock_size::{RECORDS, calls, outbox};

/// What lies in memory for long, in bytes, in the order that `cargo xtask size` expects.
#[used]
#[unsafe(link_section = ".sizes")]
static SIZES: [u32; 6] = [
    size_of::<Session<'static>>() as u32,
    (size_of::<Outbox<RECORDS>>() - RECORDS) as u32,
    size_of::<Node<'static>>() as u32,
    size_of::<Length>() as u32,
    size_of::<Backoff>() as u32,
    size_of::<Carry>() as u32,
];

#[unsafe(no_mangle)]
extern "C" fn entry() -> ! {
    loop {
        black_box((outbox(), &calls::OUTBOX, &calls::SESSION));
    }
}
