//! A connection's two directions: bytes with the time at which they arrive, through the real deframer.

use std::collections::VecDeque;

use sensock::deframe::{Length, PREFACE, prefixed};

use crate::board::BoardId;
use crate::host::HostId;
use crate::sealed::Covers;

/// Which link. A new connection is a new link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId(pub usize);

#[derive(Debug)]
pub(crate) struct Link {
    pub board: BoardId,
    pub host: HostId,
    pub up: Pipe,
    pub down: Pipe,
    /// Both ends know that it is over.
    pub closed: bool,
    /// What seals it.
    pub covers: Option<Box<Covers>>,
}

/// Bytes that arrive together.
#[derive(Debug)]
pub(crate) struct Chunk {
    at: u64,
    pub bytes: Vec<u8>,
    /// Bytes of a frame of readings, for whoever asks what an alarm waits for.
    readings: usize,
    /// The transport ends here.
    pub ends: bool,
}

/// Frames that go out from here on arrive in pieces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chop {
    pub size: usize,
    pub every_us: u64,
    pub frames: u32,
}

/// One direction.
#[derive(Debug)]
pub(crate) struct Pipe {
    queue: VecDeque<Chunk>,
    pub delay_us: u64,
    /// Nothing arrives, and nobody is told (half-open).
    pub dead: bool,
    /// It takes longer than it did.
    pub slowed: bool,
    /// Nothing arrives before this time.
    pub stalled_until: u64,
    pub chop: Option<Chop>,
    /// Of the next frame only so much arrives, then the transport ends.
    pub truncate: Option<usize>,
    /// What was written arrives, then the transport ends.
    pub finishing: bool,
    started: bool,
    pub deframe: Length,
    pub buf: Vec<u8>,
    /// How many frames a fault has changed.
    pub touched: u32,
}

impl Pipe {
    fn new(delay_us: u64, frame: usize) -> Self {
        Pipe {
            queue: VecDeque::new(),
            delay_us,
            dead: false,
            slowed: false,
            stalled_until: 0,
            chop: None,
            truncate: None,
            finishing: false,
            started: false,
            deframe: Length::new(),
            buf: vec![0; frame],
            touched: 0,
        }
    }

    /// A frame is written. `readings` if it holds backlog.
    pub(crate) fn send(&mut self, now: u64, frame: &[u8], readings: bool) {
        if self.dead || self.finishing {
            return;
        }
        let mut bytes = Vec::with_capacity(frame.len() + 6);
        if !std::mem::replace(&mut self.started, true) {
            bytes.extend_from_slice(&PREFACE);
        }
        let mut head = [0; 2];
        let from = prefixed(&mut head, frame.len());
        bytes.extend_from_slice(&head[from..]);
        bytes.extend_from_slice(frame);
        let last = self.queue.back().map_or(0, |c| c.at);
        let free = last.max(now + self.delay_us);
        let at = free.max(self.stalled_until);
        self.touched += u32::from(at > free || self.slowed);
        let readings = if readings { frame.len() } else { 0 };
        if let Some(keep) = self.truncate.take() {
            bytes.truncate(keep.clamp(1, bytes.len().saturating_sub(1).max(1)));
            self.queue.push_back(Chunk { at, bytes, readings, ends: true });
            self.finishing = true;
            self.touched += 1;
            return;
        }
        match &mut self.chop {
            Some(chop) if chop.frames > 0 && bytes.len() > chop.size => {
                chop.frames -= 1;
                self.touched += 1;
                let last = bytes.len().div_ceil(chop.size) - 1;
                for (i, part) in bytes.chunks(chop.size).enumerate() {
                    let at = at + i as u64 * chop.every_us;
                    let readings = if i == last { readings } else { 0 };
                    self.queue.push_back(Chunk { at, bytes: part.to_vec(), readings, ends: false });
                }
            }
            _ => self.queue.push_back(Chunk { at, bytes, readings, ends: false }),
        }
    }

    /// Holds up what is on its way already.
    pub(crate) fn stall(&mut self, until: u64) {
        self.stalled_until = until;
        let held = self.queue.iter_mut().filter(|c| c.at < until);
        self.touched += held.map(|c| c.at = until).count() as u32;
    }

    /// What arrives now.
    pub(crate) fn due(&mut self, now: u64) -> Option<Chunk> {
        if self.queue.front()?.at <= now { self.queue.pop_front() } else { None }
    }

    pub(crate) fn clear(&mut self) {
        self.queue.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Bytes of readings on their way.
    pub(crate) fn backlog(&self) -> usize {
        self.queue.iter().map(|c| c.readings).sum()
    }

    fn next_at(&self) -> Option<u64> {
        self.queue.front().map(|c| c.at)
    }
}

impl Link {
    pub(crate) fn new(board: BoardId, host: HostId, up_us: u64, down_us: u64) -> Self {
        Link {
            board,
            host,
            up: Pipe::new(up_us, 4096),
            down: Pipe::new(down_us, 640),
            closed: false,
            covers: None,
        }
    }

    pub(crate) fn next_at(&self) -> Option<u64> {
        match (self.up.next_at(), self.down.next_at()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}
