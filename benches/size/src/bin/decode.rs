//! The codec's other half: runs of records are decoded. A device has no use for it, a gateway or a display may.
#![no_std]
#![no_main]

use core::hint::black_box;
use sensock::batch::{self, Cell, DecodeError, Sink};
use sensock_size::Calls;

struct Table<'a>(&'a mut [(u64, Cell)]);

impl Sink for Table<'_> {
    fn tick(&mut self, row: usize, tick: u64) {
        if let Some(slot) = self.0.get_mut(row) {
            slot.0 = tick;
        }
    }
    fn cell(&mut self, row: usize, _column: usize, cell: Cell) {
        if let Some(slot) = self.0.get_mut(row) {
            slot.1 = cell;
        }
    }
}

type Decode = fn(&[u8], u64, usize, usize, &mut Table<'_>) -> Result<usize, DecodeError>;

#[unsafe(link_section = ".calls")]
static CALLS: Calls<1> = Calls([decode as Decode as *const ()]);

fn decode(
    bytes: &[u8],
    first: u64,
    count: usize,
    columns: usize,
    table: &mut Table<'_>,
) -> Result<usize, DecodeError> {
    batch::decode(bytes, first, count, columns, table)
}

#[unsafe(no_mangle)]
extern "C" fn entry() -> ! {
    loop {
        black_box(&CALLS);
    }
}
