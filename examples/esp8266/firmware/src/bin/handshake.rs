//! What a handshake costs on this core, without a network: instructions, if a counted one takes a nanosecond, and stack.
#![no_std]
#![no_main]

use app::handshake::{Cost, measure};
use lx106::console::{self, print, print_number};
use lx106::emulator_entropy::random;
use lx106::stack::Painted;

/// Where `startup.S` goes.
// SAFETY: the name is this function's alone.
#[unsafe(no_mangle)]
extern "C" fn program() -> ! {
    lx106::run(|_| {
        let Some(costs) = measure(random, &mut Painted::default()) else {
            console::fail("the handshake did not come about");
        };
        for (name, Cost { time, stack }) in [
            ("insecure", costs.insecure),
            ("sealed", costs.sealed),
            ("pair", costs.pair),
            ("cover", costs.cover),
        ] {
            print(name);
            print(" us=");
            print_number(time.as_micros() as u32);
            print(" stack=");
            print_number(stack);
            print("\n");
        }
        console::exit(true)
    })
}
