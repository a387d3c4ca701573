//! Which interrupt is whose.

use executors::Urgent;
use riscv::interrupt::Interrupt;
use riscv::register::mie;
use riscv_rt::{TrapFrame, core_interrupt};

use crate::register::Register;
use crate::{clock, console, net};

/// The executor in an interrupt.
pub static URGENT: Urgent = Urgent::new(|| SOFTWARE.write(1));

// SAFETY: `virt` has the first core's software interrupt (CLINT) at 0x02000000; it touches no memory.
const SOFTWARE: Register = unsafe { Register::at(0x0200_0000) };

const fn controller(offset: usize) -> Register {
    // SAFETY: `virt` has its interrupt controller (PLIC) at 0x0c000000; it touches no memory.
    unsafe { Register::at(0x0c00_0000 + offset) }
}

/// What the first core, in machine mode, may be interrupted by; from which priority on; and which it is.
const ENABLE: Register = controller(0x2000);
const THRESHOLD: Register = controller(0x20_0000);
const CLAIM: Register = controller(0x20_0004);

/// Lets the timer, the controller and the core itself interrupt.
pub(crate) fn start() {
    THRESHOLD.write(0);
    // SAFETY: all three have their handlers below, and no critical section is made of these masks.
    unsafe { mie::set_mtimer() };
    // SAFETY: as above.
    unsafe { mie::set_mext() };
    // SAFETY: as above.
    unsafe { mie::set_msoft() };
    // SAFETY: no critical section is open: this is the start.
    unsafe { riscv::interrupt::enable() };
}

/// Lets the controller's `source`, 1 to 31, through.
pub(crate) fn enable(source: u32) {
    controller(4 * source as usize).write(1);
    ENABLE.write(ENABLE.read() | 1 << source);
}

#[core_interrupt(Interrupt::MachineTimer)]
fn timer() {
    clock::alarm();
}

#[core_interrupt(Interrupt::MachineSoft)]
fn software() {
    SOFTWARE.write(0);
    URGENT.interrupted();
}

#[core_interrupt(Interrupt::MachineExternal)]
fn external() {
    let source = CLAIM.read();
    if source != 0 {
        net::interrupted(source);
        CLAIM.write(source);
    }
}

/// What the runtime calls on any exception.
#[unsafe(export_name = "ExceptionHandler")]
fn exception(_: &TrapFrame) -> ! {
    console::fail("an exception")
}
