//! An outbox that survives a loss of power, on any NOR flash.

use core::task::Waker;

use sensock::device::OutboxMut;
use sensock::wire::flow::Boots;

use crate::desk::Desk;

/// What flash kept of earlier boots.
#[derive(Clone, Copy, Debug)]
pub struct Recovered {
    boot: u32,
    boots: Boots,
}

impl Recovered {
    pub(crate) fn start(&self, outbox: &mut OutboxMut<'_>, _desk: &mut Desk) {
        outbox.start(Some(self.boot));
    }

    pub(crate) fn boots(&self) -> Boots {
        self.boots
    }
}

/// What the flash task and the others leave for each other.
#[derive(Debug)]
pub(crate) struct Stand {
    pub waker: Option<Waker>,
}

impl Stand {
    pub(crate) const fn new() -> Self {
        Self { waker: None }
    }
}
