//! The codec as a device has it: runs of records are encoded.
#![no_std]
#![no_main]

use core::hint::black_box;
use sensock::batch::{self, Cell, EncodeError};
use sensock_size::Calls;

/// Any run of records, a tick and so many cells each.
type Encode = fn(&mut [u8], &[u64], &[Cell]) -> Result<usize, EncodeError>;

#[unsafe(link_section = ".calls")]
static CALLS: Calls<1> = Calls([encode as Encode as *const ()]);

fn encode(out: &mut [u8], ticks: &[u64], cells: &[Cell]) -> Result<usize, EncodeError> {
    let count = ticks.len();
    let column = |c: usize| cells.iter().skip(c * count).copied();
    batch::encode(out, count, ticks.iter().copied(), cells.len() / count.max(1), column)
}

#[unsafe(no_mangle)]
extern "C" fn entry() -> ! {
    loop {
        black_box(&CALLS);
    }
}
