//! Starting anew, and the memory that this leaves alone: a deep sleep, as this board can show it.

use app::Rtc;

use crate::register::Register;

/// What `memory.x` leaves out of the RAM that the program has: QEMU loads a program anew at each reset, and clears its memory.
const RTC: *const Rtc = 0x80ff_ff00 as *const Rtc;
// SAFETY: `virt` has a switch for its end, and for a new start, at 0x100000.
const START: Register = unsafe { Register::at(0x10_0000) };

/// The memory that [`reset`] leaves alone. At power-on it holds noise, which its checks notice.
pub fn rtc() -> &'static Rtc {
    // SAFETY: it is RAM that nothing else uses, aligned, and a value of any bits is one.
    unsafe { &*RTC }
}

/// Resets the machine.
pub fn reset() -> ! {
    loop {
        START.write(0x7777);
    }
}
