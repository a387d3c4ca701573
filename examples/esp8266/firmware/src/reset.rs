//! Starting anew, and the memory that this leaves alone: a deep sleep, as the emulated board can show it.

use app::Rtc;

use crate::register::Register;

/// The end of instruction RAM, which `chip.ld` leaves out: on the chip this is RTC memory, at 0x60001280 (what lies before is lost at an update).
/// Both are read and written by words only, as [`Rtc`] does.
const RTC: *const Rtc = 0x4010_7f00 as *const Rtc;
// SAFETY: the board has a button for a new start at 0x7d020010.
const START: Register = unsafe { Register::at(0x7d02_0010) };

/// The memory that [`reset`] leaves alone. At power-on it holds noise, which its checks notice.
pub fn rtc() -> &'static Rtc {
    // SAFETY: it is RAM that nothing else uses, aligned, and a value of any bits is one.
    unsafe { &*RTC }
}

/// Resets the machine.
pub fn reset() -> ! {
    loop {
        START.write(0xdead);
    }
}
