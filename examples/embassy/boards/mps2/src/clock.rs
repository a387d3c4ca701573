//! The clock for embassy-time: a counter of microseconds that only goes on, and a timer that interrupts when something is due.
//!
//! Nothing ticks: an idle board sleeps until the next moment that someone waits for.

use core::cell::{Cell, RefCell};
use core::task::Waker;

use critical_section::{CriticalSection, Mutex};
use embassy_time_driver::Driver;
use embassy_time_queue_utils::Queue;

use crate::interrupt::{self, Interrupt};
use crate::register::Register;

/// The peripherals' clock, per microsecond.
const MHZ: u32 = 25;
/// Sleeps are at most so long: the counter wraps after 71 minutes, which must not go unseen, the timer after 171 s.
const LONGEST_US: u64 = 100_000_000;

// SAFETY: AN385 has FPGAIO at 0x40028000 and CMSDK timer 0 at 0x40000000; neither touches memory.
const COUNTER: Register = unsafe { Register::at(0x4002_8018) };
// SAFETY: as above.
const PRESCALE: Register = unsafe { Register::at(0x4002_801c) };
// SAFETY: as above.
const TIMER_CONTROL: Register = unsafe { Register::at(0x4000_0000) };
// SAFETY: as above.
const TIMER_VALUE: Register = unsafe { Register::at(0x4000_0004) };
// SAFETY: as above.
const TIMER_RELOAD: Register = unsafe { Register::at(0x4000_0008) };
// SAFETY: as above.
const TIMER_CLEAR: Register = unsafe { Register::at(0x4000_000c) };

struct Clock {
    /// How often the counter wrapped, and what it was when last looked at.
    seen: Mutex<Cell<(u32, u32)>>,
    /// What the timer is set to, and how long sleeps lasted beyond it: that is no time, if counted.
    due: Mutex<Cell<u64>>,
    overslept: Mutex<Cell<u64>>,
    queue: Mutex<RefCell<Queue>>,
}

embassy_time_driver::time_driver_impl!(static CLOCK: Clock = Clock {
    seen: Mutex::new(Cell::new((0, 0))),
    due: Mutex::new(Cell::new(0)),
    overslept: Mutex::new(Cell::new(0)),
    queue: Mutex::new(RefCell::new(Queue::new())),
});

impl Clock {
    fn now_in(&self, cs: CriticalSection<'_>) -> u64 {
        let (mut wraps, last) = self.seen.borrow(cs).get();
        let count = COUNTER.read();
        if count < last {
            wraps = wraps.wrapping_add(1);
        }
        self.seen.borrow(cs).set((wraps, count));
        (u64::from(wraps) << 32 | u64::from(count)) - self.overslept.borrow(cs).get()
    }

    /// Wakes whom it is time for, and sets the timer for the next.
    fn next_alarm(&self, cs: CriticalSection<'_>) {
        let now = self.now_in(cs);
        let at = self.queue.borrow_ref_mut(cs).next_expiration(now);
        let wait = at.saturating_sub(now).clamp(1, LONGEST_US) as u32;
        TIMER_VALUE.write(wait * MHZ);
        self.due.borrow(cs).set(now + u64::from(wait));
    }
}

impl Driver for Clock {
    fn now(&self) -> u64 {
        critical_section::with(|cs| self.now_in(cs))
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

/// The timer's interrupt.
pub(crate) fn alarm() {
    TIMER_CLEAR.write(1);
    critical_section::with(|cs| CLOCK.next_alarm(cs));
}

/// Sleeps with `wait`, which returns when an interrupt is pending.
pub(crate) fn sleep(wait: impl FnOnce()) {
    let begin = critical_section::with(|cs| CLOCK.now_in(cs));
    wait();
    if cfg!(feature = "counted") {
        critical_section::with(|cs| {
            let due = CLOCK.due.borrow(cs).get().max(begin);
            let over = CLOCK.now_in(cs).saturating_sub(due);
            CLOCK.overslept.borrow(cs).set(CLOCK.overslept.borrow(cs).get() + over);
        });
    }
}

/// Starts counting, and lets the timer interrupt.
pub(crate) fn start() {
    PRESCALE.write(MHZ - 1);
    // Without a value to reload the timer counts down once.
    TIMER_RELOAD.write(0);
    critical_section::with(|cs| CLOCK.next_alarm(cs));
    // Enabled, with its interrupt.
    TIMER_CONTROL.write(1 << 3 | 1);
    interrupt::enable(Interrupt::Timer0);
}
