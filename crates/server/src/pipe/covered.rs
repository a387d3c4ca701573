//! A transport with a cover around its frames.

use std::io;
use std::ops::ControlFlow;
use std::task::{Context, Poll};

use sensock::limits::FRAME_MIN_MAX;
use sensock::seal::{Cover, Margins, SECOND_OVERHEAD, TAG};

use super::{Lost, Pipe, Take};

/// What a connection reads and writes frames with. Insecure until [`CoveredPipe::cover`] says otherwise.
pub(crate) struct CoveredPipe {
    pipe: Box<dyn Pipe>,
    /// Boxed: an insecure connection pays for none.
    cover: Option<Box<Cover>>,
    forged: bool,
}

impl CoveredPipe {
    pub(crate) fn new(pipe: Box<dyn Pipe>) -> Self {
        CoveredPipe { pipe, cover: None, forged: false }
    }

    /// From here on every frame is sealed.
    pub(crate) fn cover(&mut self, cover: Cover) {
        self.cover = Some(Box::new(cover));
    }
}

impl Pipe for CoveredPipe {
    fn poll_frames(&mut self, cx: &mut Context<'_>, max: usize, take: Take<'_>) -> Poll<Result<(), Lost>> {
        let CoveredPipe { pipe, cover, forged } = self;
        let Some(cover) = cover else { return pipe.poll_frames(cx, max, take) };
        if *forged {
            return Poll::Ready(Err(Lost::Forged));
        }
        let read = pipe.poll_frames(cx, max + TAG, &mut |message| match cover.open(message) {
            Ok(opened) => take(&mut message[opened.frame]),
            Err(_) => {
                *forged = true;
                ControlFlow::Break(())
            }
        });
        match read {
            Poll::Ready(Ok(())) if *forged => Poll::Ready(Err(Lost::Forged)),
            read => read,
        }
    }

    fn proved(&mut self) {
        self.pipe.proved();
    }

    fn send(&mut self, frame: &[u8]) {
        let Some(cover) = &mut self.cover else { return self.pipe.send(frame) };
        let Margins { front, back } = cover.margins();
        let mut message = [0; FRAME_MIN_MAX + SECOND_OVERHEAD];
        // The server's frames are of the least size that every device takes; a cover that is over has nothing to say.
        let Some(message) = message.get_mut(..front + frame.len() + back) else { return };
        message[front..front + frame.len()].copy_from_slice(frame);
        if let Ok(len) = cover.close(message, frame.len()) {
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
