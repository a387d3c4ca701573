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
    /// Cumulative: what came, what of it is done with, what may come, what the device knows of that.
    pub received: Grant,
    pub released: Grant,
    pub limit: Grant,
    pub told: Grant,
    pub window: Window,
}

/// How much of a lane may be under way: at least one record and one byte. More than fits here is no limit at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    records: u32,
    bytes: u32,
}

impl From<Grant> for Window {
    fn from(grant: Grant) -> Self {
        let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).max(1);
        Window { records: narrow(grant.records), bytes: narrow(grant.bytes) }
    }
}

impl Default for Window {
    fn default() -> Self {
        Window { records: 1, bytes: 1 }
    }
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
        self.released.records += u64::from(records);
        Ok(())
    }

    /// Raises the limit to what the window allows; never lowers it.
    pub(crate) fn raise(&mut self) {
        if crate::planted!("credit-withheld") {
            return;
        }
        let Window { records, bytes } = self.window;
        self.limit.records = self.limit.records.max(self.released.records.saturating_add(records.into()));
        self.limit.bytes = self.limit.bytes.max(self.released.bytes.saturating_add(bytes.into()));
    }

    /// Whether enough was added since the device was last told, or it would otherwise stand still.
    pub(crate) fn credit_due(&self) -> bool {
        let news = |limit: u64, told: u64, window: u32| limit > told && limit - told >= u64::from(window) / 4;
        let starved = self.received.records >= self.told.records || self.received.bytes >= self.told.bytes;
        news(self.limit.records, self.told.records, self.window.records)
            || news(self.limit.bytes, self.told.bytes, self.window.bytes)
            || starved && (self.limit.records > self.told.records || self.limit.bytes > self.told.bytes)
    }
}
