//! Starting anew, and the memory that this leaves alone: a deep sleep, as this board can show it.

use core::sync::atomic::{AtomicU32, Ordering};

use app::Rtc;

/// What `memory.x` leaves out of the RAM that the program has: QEMU loads a program anew at each reset, and clears its memory.
const RTC: *const Rtc = 0x203f_ff00 as *const Rtc;
const STARTS: *const AtomicU32 = 0x203f_fffc as *const AtomicU32;

/// The memory that [`reset`] leaves alone. At power-on it holds noise, which its checks notice.
pub fn rtc() -> &'static Rtc {
    // SAFETY: it is RAM that nothing else uses, aligned, and a value of any bits is one.
    unsafe { &*RTC }
}

/// How often the machine started since it was switched on, from noise on. A board with a random number generator has no need of it.
pub(crate) fn starts() -> u32 {
    // SAFETY: it is the last word of the same 256 bytes, which nothing else uses.
    let starts = unsafe { &*STARTS };
    let now = starts.load(Ordering::Relaxed).wrapping_add(1);
    starts.store(now, Ordering::Relaxed);
    now
}

/// Resets the machine.
pub fn reset() -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}
