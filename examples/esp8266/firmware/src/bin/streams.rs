//! Recorded streams judged by the rule engine on this core: exit code 0 if it says of each what the host says, to the bit.
#![no_std]
#![no_main]

use lx106::console::{self, print, print_number};

/// Where `startup.S` goes.
// SAFETY: the name is this function's alone.
#[unsafe(no_mangle)]
extern "C" fn program() -> ! {
    let count = sensock_rules_streams::run(&mut |expected, said| {
        for part in ["expected: ", expected, "\nsaid:     ", said, "\n"] {
            print(part);
        }
    });
    for (number, what) in [
        (count.streams, " streams, "),
        (count.records, " records judged twice, "),
        (count.alarms, " alarms, "),
        (count.differ, " lines differ\n"),
    ] {
        print_number(number);
        print(what);
    }
    console::exit(count.differ == 0 && count.alarms > 0)
}
