//! The one way to the outbox: a critical section, entered for a moment.

use core::task::{Context, Poll};

use sensock::catalog::Catalog;
use sensock::device::{OutboxMut, Share};
use sensock::{Lane, Tick};

use crate::clock::Ticks;
use crate::desk::Desk;

/// An outbox of any size behind its lock.
pub(crate) trait Lock: Sync {
    /// Runs `f` exactly once, alone.
    fn locked(&self, f: &mut dyn FnMut(&mut OutboxMut<'_>, &mut Desk));
}

/// What the handle and the runner share.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a> {
    lock: &'a dyn Lock,
    clock: &'a dyn Ticks,
    pub(crate) catalog: &'a Catalog<'a>,
}

impl<'a> Shared<'a> {
    pub(crate) fn new(lock: &'a dyn Lock, clock: &'a dyn Ticks, catalog: &'a Catalog<'a>) -> Self {
        Self { lock, clock, catalog }
    }

    pub(crate) fn now(&self) -> Tick {
        self.clock.now()
    }

    /// Runs `f` alone, then wakes whom it asked to be woken, outside of the lock.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut OutboxMut<'_>, &mut Desk) -> R) -> R {
        let (result, woken) = self.run(|outbox, desk| {
            let result = f(outbox, desk);
            (result, desk.woken())
        });
        if let Some(woken) = woken {
            woken.wake();
        }
        result
    }

    /// Polls `f` alone; a task that has to wait is woken whenever something changed.
    pub(crate) fn poll<R>(
        &self,
        cx: &Context<'_>,
        f: impl FnOnce(&mut OutboxMut<'_>, &mut Desk) -> Poll<R>,
    ) -> Poll<R> {
        let mut evicted = None;
        let polled = self.with(|outbox, desk| {
            let polled = f(outbox, desk);
            if polled.is_pending() {
                evicted = desk.tasks.register(cx.waker());
            }
            polled
        });
        if let Some(waker) = evicted {
            waker.wake();
        }
        polled
    }

    fn run<R>(&self, f: impl FnOnce(&mut OutboxMut<'_>, &mut Desk) -> R) -> R {
        let (mut f, mut result) = (Some(f), None);
        self.lock.locked(&mut |outbox, desk| {
            if let Some(f) = f.take() {
                result = Some(f(outbox, desk));
            }
        });
        match result {
            Some(result) => result,
            None => unreachable!("a lock runs its closure"),
        }
    }
}

impl Share for Shared<'_> {
    fn with<R>(&self, f: impl FnOnce(&mut OutboxMut<'_>) -> R) -> R {
        self.run(|outbox, _| f(outbox))
    }
}

impl core::fmt::Debug for Shared<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Shared")
    }
}

/// How many positions of this boot wait in a lane.
pub(crate) fn waiting(outbox: &OutboxMut<'_>, lane: Lane) -> u32 {
    let (next, acked) = (outbox.next(lane), outbox.acked(lane));
    let stored =
        if acked.boot() == next.boot() && acked != sensock::Position::NONE { acked.n() + 1 } else { 0 };
    next.n().saturating_sub(stored)
}
