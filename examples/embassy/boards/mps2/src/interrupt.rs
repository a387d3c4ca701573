//! Which interrupt is whose.

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use cortex_m_rt::{ExceptionFrame, exception};
use executors::Urgent;

use crate::{clock, console, net};

/// The executor in an interrupt.
pub static URGENT: Urgent = Urgent::new(|| NVIC::pend(Interrupt::Software));

/// The interrupts in use, by their number in AN385.
#[derive(Clone, Copy)]
#[repr(u16)]
pub(crate) enum Interrupt {
    Timer0 = 8,
    Ethernet = 13,
    /// No device has it: only the program raises it.
    Software = 31,
}

// SAFETY: each variant is its interrupt's number, and no other has the same.
unsafe impl InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self as u16
    }
}

/// Lets `interrupt` through.
pub(crate) fn enable(interrupt: Interrupt) {
    // SAFETY: no critical section of this firmware is made of masks of single interrupts.
    unsafe { NVIC::unmask(interrupt) };
}

const TIMER0: i16 = Interrupt::Timer0 as i16;
const ETHERNET: i16 = Interrupt::Ethernet as i16;
const SOFTWARE: i16 = Interrupt::Software as i16;

// SAFETY: it is called for interrupts only, and touches nothing that is not behind a lock or a register.
#[exception]
unsafe fn DefaultHandler(number: i16) {
    match number {
        TIMER0 => clock::alarm(),
        ETHERNET => net::arrived(),
        SOFTWARE => URGENT.interrupted(),
        _ => console::fail("an interrupt that nobody enabled"),
    }
}

// SAFETY: it ends the machine.
#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    console::fail("hard fault")
}
