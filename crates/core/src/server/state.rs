//! What a connection remembers of one lane, on the server's side.

use crate::Position;
use crate::error::Peer;
use crate::wire::data::LaneContext;
use crate::wire::hello::Grant;

/// Where a connection stands. The numbers of the transitions are in the module's front page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing came yet.
    AwaitHello,
    /// The runtime looks the device up.
    Judging,
    /// Welcome is due or out.
    AwaitProof,
    /// The device proved itself live.
    Live,
    /// Over: close the transport once everything was written.
    Closed,
}

/// One lane of one connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LaneLink {
    /// The position that must come next.
    pub expected: Position,
    pub context: LaneContext,
    /// The mark to acknowledge, and what was acknowledged.
    pub mark: Position,
    pub acked: Position,
    /// What came last did not begin at `expected`: frames are thrown away until one does.
    pub rewind: bool,
    /// The device was not told so yet.
    pub rewind_due: bool,
    /// The context was forgotten here, which the device may not know yet: a frame that refers to it is thrown away too.
    pub fresh: bool,
    /// Frames thrown away in a row.
    pub discarded: u16,
    /// Cumulative: what came, and what may come.
    pub received: Grant,
    pub limit: Grant,
    /// What came and is not done with.
    pub open: Amount,
    /// What the device does not know yet of what may come.
    pub untold: Amount,
    /// How much may be under way: at least one record and one byte. More than fits here is no limit at all.
    pub window: Amount,
}

/// Records of a lane and bytes of their frames, as many as may be under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub records: u32,
    pub bytes: u32,
}

impl Amount {
    pub(crate) const NONE: Self = Amount { records: 0, bytes: 0 };

    /// As much as may be under way: one of each at least.
    pub(crate) fn window(grant: Grant) -> Self {
        let narrow = |n: u64| narrow(n).max(1);
        Amount { records: narrow(grant.records), bytes: narrow(grant.bytes) }
    }

    /// Adds, up to what fits.
    pub(crate) fn add(&mut self, records: u32, bytes: u32) {
        self.records = self.records.saturating_add(records);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Takes away, down to nothing.
    pub(crate) fn take(&mut self, records: u32, bytes: u32) {
        self.records = self.records.saturating_sub(records);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

fn narrow(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl LaneLink {
    /// Goes on at another position; what came before is forgotten.
    pub(crate) fn aim(&mut self, expected: Position) {
        self.expected = expected;
        self.context = LaneContext::default();
        (self.fresh, self.rewind, self.rewind_due) = (true, false, false);
    }

    /// Throws a Data frame away: it counts as received and as done with. The device is told once where to go on.
    ///
    /// # Errors
    /// [`Peer::Hole`] if it does not stop.
    pub(crate) fn discard(&mut self, records: u32) -> Result<(), Peer> {
        self.discarded += 1;
        if self.discarded > 512 {
            return Err(Peer::Hole);
        }
        // What comes after it refers to it, and not to what was kept: only a frame that stands by itself is taken next.
        (self.context, self.fresh) = (LaneContext::default(), true);
        self.rewind_due |= !self.rewind;
        self.rewind = true;
        self.received.records += u64::from(records);
        Ok(())
    }

    /// Raises the limit to what the window allows; never lowers it.
    pub(crate) fn raise(&mut self) {
        if crate::planted!("credit-withheld") {
            return;
        }
        // What is open came, and what is untold may come: neither difference falls below zero.
        let to = Grant {
            records: self.received.records - u64::from(self.open.records) + u64::from(self.window.records),
            bytes: self.received.bytes - u64::from(self.open.bytes) + u64::from(self.window.bytes),
        };
        if to.records > self.limit.records {
            self.untold.add(narrow(to.records - self.limit.records), 0);
            self.limit.records = to.records;
        }
        if to.bytes > self.limit.bytes {
            self.untold.add(0, narrow(to.bytes - self.limit.bytes));
            self.limit.bytes = to.bytes;
        }
    }

    /// What the device knows of what may come.
    pub(crate) fn told(&self) -> Grant {
        Grant {
            records: self.limit.records - u64::from(self.untold.records),
            bytes: self.limit.bytes - u64::from(self.untold.bytes),
        }
    }

    /// Whether enough was added since the device was last told, or it would otherwise stand still.
    pub(crate) fn credit_due(&self) -> bool {
        if self.untold == Amount::NONE {
            return false;
        }
        let told = self.told();
        let news = |untold: u32, window: u32| untold > 0 && untold >= window / 4;
        let starved = self.received.records >= told.records || self.received.bytes >= told.bytes;
        news(self.untold.records, self.window.records)
            || news(self.untold.bytes, self.window.bytes)
            || starved
    }
}
