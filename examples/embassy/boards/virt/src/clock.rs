//! The clock for embassy-time: the machine's counter, and its comparator, which interrupts when something is due.
//!
//! Nothing ticks: an idle board sleeps until the next moment that someone waits for.

use core::cell::{Cell, RefCell};
use core::task::Waker;

use critical_section::{CriticalSection, Mutex};
use embassy_time_driver::Driver;
use embassy_time_queue_utils::Queue;

use crate::register::Register;

const fn timer(offset: usize) -> Register {
    // SAFETY: `virt` has its timer (CLINT) at 0x02000000; it touches no memory.
    unsafe { Register::at(0x0200_0000 + offset) }
}

/// Ten a microsecond.
const NOW_LOW: Register = timer(0xbff8);
const NOW_HIGH: Register = timer(0xbffc);
const DUE_LOW: Register = timer(0x4000);
const DUE_HIGH: Register = timer(0x4004);

struct Clock {
    /// What the comparator is set to, and how long sleeps lasted beyond it: that is no time, if counted.
    due: Mutex<Cell<u64>>,
    overslept: Mutex<Cell<u64>>,
    queue: Mutex<RefCell<Queue>>,
}

embassy_time_driver::time_driver_impl!(static CLOCK: Clock = Clock {
    due: Mutex::new(Cell::new(0)),
    overslept: Mutex::new(Cell::new(0)),
    queue: Mutex::new(RefCell::new(Queue::new())),
});

impl Clock {
    /// Wakes whom it is time for, and sets the comparator for the next.
    fn next_alarm(&self, cs: CriticalSection<'_>) {
        let at = self.queue.borrow_ref_mut(cs).next_expiration(self.now());
        self.due.borrow(cs).set(at);
        let at = at.saturating_add(self.overslept.borrow(cs).get());
        // Never due in between: the high half is the largest until the low half is right.
        DUE_HIGH.write(u32::MAX);
        DUE_LOW.write(at as u32);
        DUE_HIGH.write((at >> 32) as u32);
    }
}

impl Driver for Clock {
    fn now(&self) -> u64 {
        critical_section::with(|cs| count() - self.overslept.borrow(cs).get())
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

fn count() -> u64 {
    loop {
        let (high, low) = (NOW_HIGH.read(), NOW_LOW.read());
        // Else the low half went over in between.
        if NOW_HIGH.read() == high {
            return u64::from(high) << 32 | u64::from(low);
        }
    }
}

/// Sleeps with `wait`, which returns when an interrupt is pending.
pub(crate) fn sleep(wait: impl FnOnce()) {
    let begin = CLOCK.now();
    wait();
    if cfg!(feature = "counted") {
        critical_section::with(|cs| {
            let due = CLOCK.due.borrow(cs).get().max(begin);
            let over = CLOCK.now().saturating_sub(due);
            CLOCK.overslept.borrow(cs).set(CLOCK.overslept.borrow(cs).get() + over);
        });
    }
}

/// The timer's interrupt.
pub(crate) fn alarm() {
    critical_section::with(|cs| CLOCK.next_alarm(cs));
}

/// Sets the comparator for the first time: nothing is due.
pub(crate) fn start() {
    alarm();
}
