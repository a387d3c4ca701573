//! The clock for embassy-time: the core's cycle counter, extended to 64 bits and brought to microseconds.
//!
//! Nothing ticks: an idle board sleeps until the next moment that someone waits for.

use core::cell::{Cell, RefCell};
use core::task::Waker;

use critical_section::{CriticalSection, Mutex};
use embassy_time_driver::Driver;
use embassy_time_queue_utils::Queue;

use crate::lx106;
use crate::register::Register;

/// Sleeps are at most so long: the counter wraps after 107 s at 40 MHz and after 27 s at 160 MHz, which must not go unseen.
const LONGEST_US: u64 = 10_000_000;

// SAFETY: the board's registers begin at 0x7d020000; this one says the core's frequency and touches no memory.
const FREQUENCY: Register = unsafe { Register::at(0x7d02_0004) };

struct Clock {
    now: Mutex<Cell<Now>>,
    queue: Mutex<RefCell<Queue>>,
}

#[derive(Clone, Copy)]
struct Now {
    us: u64,
    /// Cycles that are no whole microsecond yet.
    rest: u32,
    /// The counter when last looked at.
    last: u32,
    mhz: u32,
}

embassy_time_driver::time_driver_impl!(static CLOCK: Clock = Clock {
    now: Mutex::new(Cell::new(Now { us: 0, rest: 0, last: 0, mhz: 1 })),
    queue: Mutex::new(RefCell::new(Queue::new())),
});

impl Clock {
    fn look(&self, cs: CriticalSection<'_>) -> Now {
        let mut now = self.now.borrow(cs).get();
        let count = lx106::cycles();
        // Far from wrapping: somebody looks after each sleep.
        let passed = count.wrapping_sub(now.last).saturating_add(now.rest);
        now.us += u64::from(passed / now.mhz);
        now.rest = passed % now.mhz;
        now.last = count;
        self.now.borrow(cs).set(now);
        now
    }
}

impl Driver for Clock {
    fn now(&self) -> u64 {
        critical_section::with(|cs| self.look(cs).us)
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        // The executor looks for what is next before each sleep, so that nothing more is to be done if this is it.
        critical_section::with(|cs| self.queue.borrow_ref_mut(cs).schedule_wake(at, waker));
    }
}

/// Begins with 0.
pub(crate) fn start() {
    let mhz = (FREQUENCY.read() / 1_000_000).max(1);
    let now = Now { us: 0, rest: 0, last: lx106::cycles(), mhz };
    critical_section::with(|cs| CLOCK.now.borrow(cs).set(now));
}

/// As [`lx106::sleep_at_most`]. If counted, what it lasted beyond that is no time.
pub(crate) fn sleep_at_most(cycles: u32, interrupts: u32) {
    let begin = lx106::cycles();
    lx106::sleep_at_most(cycles, interrupts);
    if cfg!(feature = "counted") {
        let over = lx106::cycles().wrapping_sub(begin).saturating_sub(cycles);
        critical_section::with(|cs| {
            let now = CLOCK.now.borrow(cs);
            now.set(Now { last: now.get().last.wrapping_add(over), ..now.get() });
        });
    }
}

/// Wakes whom it is time for; the answer is how many cycles there are until the next.
pub(crate) fn wake_due() -> u32 {
    critical_section::with(|cs| {
        let now = CLOCK.look(cs);
        let at = CLOCK.queue.borrow_ref_mut(cs).next_expiration(now.us);
        let wait = at.saturating_sub(now.us).clamp(1, LONGEST_US) as u32;
        wait.saturating_mul(now.mhz)
    })
}
