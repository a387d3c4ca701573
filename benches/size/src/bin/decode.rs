//! The codec's other half: runs of records are decoded. A device that only sends has no use for it.
#![no_std]
#![no_main]

use core::hint::black_box;
use sensock::batch::{self, Cell, Sink};
use sensock_size::{input, long, number};

struct Table([(u64, Cell); 16]);

impl Sink for Table {
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

#[unsafe(no_mangle)]
extern "C" fn entry() -> ! {
    let mut table = Table([(0, Cell::Value(0)); 16]);
    loop {
        let used = batch::decode(input(), long(), number() as usize, number() as usize, &mut table);
        black_box((used.ok(), &mut table.0));
    }
}
