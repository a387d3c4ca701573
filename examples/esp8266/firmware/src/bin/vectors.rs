//! The byte vectors of the specification on this core: exit code 0 if each is read and written as the specification says.
#![no_std]
#![no_main]

use lx106::console::{self, print, print_number};

/// Where `startup.S` goes.
// SAFETY: the name is this function's alone.
#[unsafe(no_mangle)]
extern "C" fn program() -> ! {
    // As large as the largest frame, which a vector is about, and so no guest of the stack.
    static SCRATCH: static_cell::StaticCell<[u8; 16_384]> = static_cell::StaticCell::new();
    let count = sensock_vectors::run_with(SCRATCH.init_with(|| [0; 16_384]), &mut |failure| {
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
