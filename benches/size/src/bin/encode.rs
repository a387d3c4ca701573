//! The codec as a device has it: runs of records are encoded.
#![no_std]
#![no_main]

use core::hint::black_box;
use sensock::batch::{self, Cell};
use sensock_size::number;

#[unsafe(no_mangle)]
extern "C" fn entry() -> ! {
    let mut out = [0; 256];
    let (ticks, cells) = ([0u64; 16], [Cell::Value(0); 32]);
    loop {
        let (ticks, cells) = (black_box(&ticks[..]), black_box(&cells[..]));
        let columns = number() as usize;
        let column = |c: usize| cells.iter().skip(c).step_by(2).copied();
        let len = batch::encoded_len(ticks.len(), ticks.iter().copied(), columns, column);
        black_box(len.ok());
        let len = batch::encode(&mut out, ticks.len(), ticks.iter().copied(), columns, column);
        black_box((len.ok(), &mut out));
    }
}
