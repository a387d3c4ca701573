//! What a handshake costs on this core, without a network: instructions, if a counted one takes a nanosecond, and stack.
#![no_std]
#![no_main]

use app::handshake::{Cost, measure};
use virt::console::{self, print, print_number};
use virt::emulator_entropy::random;
use virt::stack::Painted;

#[riscv_rt::entry]
fn main() -> ! {
    virt::run(|_| {
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
