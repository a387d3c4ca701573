//! How a device is doing, in plain numbers.

use core::fmt;

use sensock::wire::hello::End;

/// How a device is doing. Counts are of this boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Records that were accepted.
    pub accepted: u32,
    /// Calls of `record` that took nothing.
    pub refused: u32,
    /// Positions that are stored, or explained by a gap.
    pub stored: u32,
    /// Positions that wait, in memory or on their way.
    pub waiting: u32,
    /// Whether a session is live.
    pub connected: bool,
    /// Sessions so far.
    pub sessions: u32,
    /// Connections that were begun.
    pub dials: u32,
    /// How the last connection ended.
    pub last_end: Option<End>,
    /// How full the fullest lane is, in percent.
    pub fill: u8,
    /// The fullest that any lane ever was, in percent.
    pub high_water: u8,
    /// Boots that were added to the positions on the wire.
    pub shifted_by: u32,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stored {}, waiting {}, ", self.stored, self.waiting)?;
        match (self.connected, self.last_end) {
            (true, _) => f.write_str("link up"),
            (false, None) => f.write_str("no link yet"),
            (false, Some(end)) => write!(f, "link down: {}", end.words()),
        }
    }
}

/// What is counted under the lock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters {
    pub accepted: u32,
    pub refused: u32,
    pub sessions: u32,
    pub dials: u32,
}

impl Counters {
    pub(crate) const fn new() -> Self {
        Self { accepted: 0, refused: 0, sessions: 0, dials: 0 }
    }
}
