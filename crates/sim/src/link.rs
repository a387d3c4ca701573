//! A connection's two directions: frames with the time at which they arrive.

use std::collections::VecDeque;

use crate::board::BoardId;
use crate::host::HostId;

/// Which link. A new connection is a new link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId(pub usize);

#[derive(Debug)]
pub(crate) struct Link {
    pub board: BoardId,
    pub host: HostId,
    pub up: VecDeque<(u64, Vec<u8>)>,
    pub down: VecDeque<(u64, Vec<u8>)>,
    pub up_us: u64,
    pub down_us: u64,
    /// Frames vanish in this direction, and nobody is told (half-open).
    pub up_dead: bool,
    pub down_dead: bool,
    /// Both ends know that it is over.
    pub closed: bool,
}

impl Link {
    pub(crate) fn new(board: BoardId, host: HostId, up_us: u64, down_us: u64) -> Self {
        Link {
            board,
            host,
            up: VecDeque::new(),
            down: VecDeque::new(),
            up_us,
            down_us,
            up_dead: false,
            down_dead: false,
            closed: false,
        }
    }

    pub(crate) fn send_up(&mut self, now: u64, frame: Vec<u8>) {
        if !self.up_dead && !self.closed {
            let at = self.up.back().map_or(0, |(at, _)| *at).max(now + self.up_us);
            self.up.push_back((at, frame));
        }
    }

    pub(crate) fn send_down(&mut self, now: u64, frame: Vec<u8>) {
        if !self.down_dead && !self.closed {
            let at = self.down.back().map_or(0, |(at, _)| *at).max(now + self.down_us);
            self.down.push_back((at, frame));
        }
    }

    pub(crate) fn next_at(&self) -> Option<u64> {
        let first = |q: &VecDeque<(u64, Vec<u8>)>| q.front().map(|(at, _)| *at);
        match (first(&self.up), first(&self.down)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}
