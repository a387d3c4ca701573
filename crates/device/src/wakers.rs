//! Tasks that wait for something of the outbox.

use core::task::Waker;

/// How many tasks may wait at once without waking each other in vain.
pub(crate) const TASKS: usize = 16;

/// The wakers of tasks. One more than fit wakes another, which then registers again: nobody is ever forgotten.
#[derive(Debug)]
pub(crate) struct Wakers {
    slots: [Option<Waker>; TASKS],
    turn: usize,
}

impl Wakers {
    pub(crate) const fn new() -> Self {
        Self { slots: [const { None }; TASKS], turn: 0 }
    }

    /// Remembers a task; gives back one that has to be woken because there was no room for it.
    pub(crate) fn register(&mut self, waker: &Waker) -> Option<Waker> {
        let mut free = None;
        for (i, slot) in self.slots.iter().enumerate() {
            match slot {
                Some(known) if known.will_wake(waker) => return None,
                None => free = free.or(Some(i)),
                Some(_) => {}
            }
        }
        let at = free.unwrap_or_else(|| {
            self.turn = (self.turn + 1) % TASKS;
            self.turn
        });
        self.slots[at].replace(waker.clone())
    }

    /// All of them, to be woken outside of the lock.
    pub(crate) fn take(&mut self) -> [Option<Waker>; TASKS] {
        core::mem::replace(&mut self.slots, [const { None }; TASKS])
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.iter().all(Option::is_none)
    }
}
