//! Recorded streams judged by the rule engine on this core: exit code 0 if it says of each what the host says, to the bit.
#![no_std]
#![no_main]

use lx106::console;

/// Where `startup.S` goes.
// SAFETY: the name is this function's alone.
#[unsafe(no_mangle)]
extern "C" fn program() -> ! {
    console::exit(sensock_rules_streams::print(&mut console::print))
}
