//! Transports as connections see them: whole frames in, frames out, nothing held while idle.

mod covered;
mod message;
mod stream;

use std::cell::Cell;
use std::io;
use std::ops::ControlFlow;
use std::task::{Context, Poll};

use sensock::error::Peer;
use sensock::limits::FRAME_HARD_MAX;

pub(crate) use covered::CoveredPipe;
pub(crate) use message::MessagePipe;
pub(crate) use stream::StreamPipe;

/// Takes one frame; `Break` stops reading for now, what follows is kept.
pub(crate) type Take<'a> = &'a mut (dyn FnMut(&mut [u8]) -> ControlFlow<()> + Send);

/// Why nothing more comes.
#[derive(Debug)]
pub(crate) enum Lost {
    /// The other end closed.
    Closed,
    /// The transport failed.
    Io(io::Error),
    /// The bytes are no frames.
    Peer(Peer),
    /// A sealed frame cannot be opened.
    Forged,
    /// The first bytes belong to another protocol.
    Foreign(Vec<u8>),
}

/// A transport: reliable, ordered, whole frames, or the word "lost".
pub(crate) trait Pipe: Send {
    /// Gives `take` the frames that are there, none longer than `max`; ready after each round of reading, or when taking stopped.
    fn poll_frames(&mut self, cx: &mut Context<'_>, max: usize, take: Take<'_>) -> Poll<Result<(), Lost>>;

    /// The device proved itself live: more may be read and kept for it than for anybody.
    fn proved(&mut self) {}

    /// Adds a frame to what is to be written.
    fn send(&mut self, frame: &[u8]);

    /// Adds bytes outside of all framing: an answer to a foreign protocol.
    fn send_raw(&mut self, bytes: &[u8]);

    /// Bytes that are to be written.
    fn unsent(&self) -> usize;

    /// Writes what is to be written.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Says that nothing more will be written.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// Two frames of any size, so that one read brings many small ones.
const SCRATCH: usize = 2 * (FRAME_HARD_MAX + 2);

thread_local! {
    static BUFFER: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Runs `f` with this thread's read buffer: connections own none.
fn with_scratch<R>(f: impl FnOnce(&mut [u8]) -> R) -> R {
    // Taken out while in use, so that a transport that reads through another connection gets one of its own.
    let mut buffer = BUFFER.with(Cell::take).unwrap_or_else(|| vec![0; SCRATCH].into_boxed_slice());
    let result = f(&mut buffer);
    BUFFER.with(|cell| cell.set(Some(buffer)));
    result
}
