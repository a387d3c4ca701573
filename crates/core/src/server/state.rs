//! What a connection remembers of one lane, on the server's side.

use crate::Position;
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
    /// Ask for `expected` again.
    pub rewind: bool,
    /// Frames thrown away since then.
    pub discarded: u16,
    /// Cumulative: what came, what of it is done with, what may come, what the device knows of that.
    pub received: Grant,
    pub released: Grant,
    pub limit: Grant,
    pub told: Grant,
    pub window: Grant,
}

impl LaneLink {
    /// Raises the limit to what the window allows; never lowers it.
    pub(crate) fn raise(&mut self) {
        self.limit.records = self.limit.records.max(self.released.records + self.window.records);
        self.limit.bytes = self.limit.bytes.max(self.released.bytes + self.window.bytes);
    }

    /// Whether enough was added since the device was last told, or it would otherwise stand still.
    pub(crate) fn credit_due(&self) -> bool {
        let news = |limit: u64, told: u64, window: u64| limit > told && limit - told >= window / 4;
        let starved = self.received.records >= self.told.records || self.received.bytes >= self.told.bytes;
        news(self.limit.records, self.told.records, self.window.records)
            || news(self.limit.bytes, self.told.bytes, self.window.bytes)
            || starved && (self.limit.records > self.told.records || self.limit.bytes > self.told.bytes)
    }
}
