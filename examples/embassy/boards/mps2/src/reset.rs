//! Starting anew, and what that leaves alone: a deep sleep, as this board can show it.

use app::Rtc;

/// Not among what the start-up code clears: it is what it was before the reset. At power-on it is noise, which its checks notice.
#[unsafe(link_section = ".uninit.rtc")]
pub static RTC: Rtc = Rtc::new();

/// Resets the machine. Nothing but [`RTC`] is kept.
pub fn reset() -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}
