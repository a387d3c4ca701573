//! The clock for embassy-time: the core's cycle counter, extended to 64 bits and brought to microseconds, and its comparator, which interrupts when
//! something is due.
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
    /// The count that the timer is set to, and the one at which a sleep began, while it lasts.
    due: Mutex<Cell<u32>>,
    asleep: Mutex<Cell<Option<u32>>>,
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
    due: Mutex::new(Cell::new(0)),
    asleep: Mutex::new(Cell::new(None)),
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

    /// Wakes whom it is time for, and sets the timer for the next.
    fn next_alarm(&self, cs: CriticalSection<'_>) {
        let now = self.look(cs);
        let at = self.queue.borrow_ref_mut(cs).next_expiration(now.us);
        let wait = at.saturating_sub(now.us).clamp(1, LONGEST_US) as u32;
        let cycles = wait.saturating_mul(now.mhz);
        lx106::alarm_in(cycles);
        self.due.borrow(cs).set(lx106::cycles().wrapping_add(cycles));
    }
}

impl Driver for Clock {
    fn now(&self) -> u64 {
        critical_section::with(|cs| self.look(cs).us)
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|cs| {
            let sooner = self.queue.borrow_ref_mut(cs).schedule_wake(at, waker);
            if sooner {
                self.next_alarm(cs);
            }
        });
    }
}

/// Begins with 0, and sets the timer: nothing is due.
pub(crate) fn start() {
    let mhz = (FREQUENCY.read() / 1_000_000).max(1);
    let now = Now { us: 0, rest: 0, last: lx106::cycles(), mhz };
    critical_section::with(|cs| {
        CLOCK.now.borrow(cs).set(now);
        CLOCK.next_alarm(cs);
    });
}

/// The timer's interrupt.
pub(crate) fn alarm() {
    critical_section::with(|cs| CLOCK.next_alarm(cs));
}

/// As [`lx106::sleep`].
pub(crate) fn sleep() {
    critical_section::with(|cs| CLOCK.asleep.borrow(cs).set(Some(lx106::cycles())));
    lx106::sleep();
}

/// The first thing that an interrupt does. If counted, what a sleep lasted beyond the moment that the timer was set to is no time.
pub(crate) fn woken() {
    critical_section::with(|cs| {
        let Some(begin) = CLOCK.asleep.borrow(cs).take() else { return };
        if cfg!(feature = "counted") {
            // In cycles from the beginning; a timer that was due before it lies in the upper half.
            let due = CLOCK.due.borrow(cs).get().wrapping_sub(begin);
            let due = if due > u32::MAX / 2 { 0 } else { due };
            let over = lx106::cycles().wrapping_sub(begin).saturating_sub(due);
            let now = CLOCK.now.borrow(cs);
            now.set(Now { last: now.get().last.wrapping_add(over), ..now.get() });
        }
    });
}
