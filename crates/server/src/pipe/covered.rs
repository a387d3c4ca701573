//! A transport with a cover around its frames.

use std::io;
use std::mem;
use std::ops::{ControlFlow, Range};
use std::task::{Context, Poll};

use sensock::limits::FRAME_MIN_MAX;
use sensock::seal::{Cover, Margins, SECOND_OVERHEAD, TAG, Transport};

use super::{Lost, Pipe, Take};

/// What a connection reads and writes frames with. Insecure until [`CoveredPipe::cover`] says otherwise.
pub(crate) struct CoveredPipe {
    pipe: Box<dyn Pipe>,
    seal: Seal,
}

/// What frames are sealed with. Boxed: an insecure connection pays for none.
enum Seal {
    Insecure,
    /// May still be in the middle of the handshake.
    Cover(Box<Cover>),
    /// The handshake is over, and only the keys of both directions are left of it.
    Transport(Box<Transport>),
    /// Somebody changed a frame: nothing is read or written any more.
    Broken,
}

impl Seal {
    fn margins(&self) -> Margins {
        match self {
            Seal::Cover(cover) => cover.margins(),
            _ => Margins { front: 0, back: TAG },
        }
    }

    fn close(&mut self, buf: &mut [u8], n: usize) -> Option<usize> {
        match self {
            Seal::Insecure | Seal::Broken => None,
            Seal::Cover(cover) => cover.close(buf, n).ok(),
            Seal::Transport(transport) => transport.close(buf, n).ok(),
        }
    }

    fn open(&mut self, message: &mut [u8]) -> Option<Range<usize>> {
        let frame = match self {
            Seal::Insecure | Seal::Broken => None,
            Seal::Cover(cover) => cover.open(message).ok().map(|opened| opened.frame),
            Seal::Transport(transport) => transport.open(message).ok().map(|n| 0..n),
        };
        if frame.is_none() {
            *self = Seal::Broken;
        }
        frame
    }
}

impl CoveredPipe {
    pub(crate) fn new(pipe: Box<dyn Pipe>) -> Self {
        CoveredPipe { pipe, seal: Seal::Insecure }
    }

    /// From here on every frame is sealed.
    pub(crate) fn cover(&mut self, cover: Cover) {
        self.seal = Seal::Cover(Box::new(cover));
    }
}

impl Pipe for CoveredPipe {
    fn poll_frames(&mut self, cx: &mut Context<'_>, max: usize, take: Take<'_>) -> Poll<Result<(), Lost>> {
        let CoveredPipe { pipe, seal } = self;
        match seal {
            Seal::Insecure => return pipe.poll_frames(cx, max, take),
            Seal::Broken => return Poll::Ready(Err(Lost::Forged)),
            Seal::Cover(_) | Seal::Transport(_) => {}
        }
        let read = pipe.poll_frames(cx, max + TAG, &mut |message| match seal.open(message) {
            Some(frame) => take(&mut message[frame]),
            None => ControlFlow::Break(()),
        });
        match (read, seal) {
            (Poll::Ready(Ok(())), Seal::Broken) => Poll::Ready(Err(Lost::Forged)),
            (read, _) => read,
        }
    }

    fn proved(&mut self) {
        self.pipe.proved();
        self.seal = match mem::replace(&mut self.seal, Seal::Broken) {
            // The proof was opened with it, so the handshake is over.
            Seal::Cover(cover) => {
                cover.into_transport().map_or(Seal::Broken, |t| Seal::Transport(Box::new(t)))
            }
            seal => seal,
        };
    }

    fn send(&mut self, frame: &[u8]) {
        if let Seal::Insecure = self.seal {
            return self.pipe.send(frame);
        }
        let Margins { front, back } = self.seal.margins();
        let mut message = [0; FRAME_MIN_MAX + SECOND_OVERHEAD];
        // The server's frames are of the least size that every device takes; a cover that is over has nothing to say.
        let Some(message) = message.get_mut(..front + frame.len() + back) else { return };
        message[front..front + frame.len()].copy_from_slice(frame);
        if let Some(len) = self.seal.close(message, frame.len()) {
            self.pipe.send(&message[..len]);
        }
    }

    fn send_raw(&mut self, bytes: &[u8]) {
        self.pipe.send_raw(bytes);
    }

    fn unsent(&self) -> usize {
        self.pipe.unsent()
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pipe.poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pipe.poll_close(cx)
    }
}
