//! What a handshake costs on this core, without a network: instructions, if a counted one takes a nanosecond, and stack.
#![no_std]
#![no_main]

use app::handshake::{Cost, measure};
use mps2::console::{self, print, print_number};
use mps2::emulator_entropy::random;
use mps2::stack::Painted;

#[cortex_m_rt::entry]
fn main() -> ! {
    mps2::run(|_| {
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
