//! The byte vectors of the specification on this core: exit code 0 if each is read and written as the specification says.
#![no_std]
#![no_main]

use virt::console::{self, print, print_number};

#[riscv_rt::entry]
fn main() -> ! {
    let count = sensock_vectors::run(&mut |failure| {
        for part in [failure.file, ": ", failure.name, ": ", failure.what.words(), " ", failure.detail, "\n"]
        {
            print(part);
        }
    });
    for (number, what) in [
        (count.vectors, " vectors read, "),
        (count.written, " written, "),
        (count.cut, " beginnings refused, "),
        (count.failed, " failed\n"),
    ] {
        print_number(number);
        print(what);
    }
    console::exit(count.failed == 0 && count.vectors > 0)
}
