//! Message transports (WebSocket): one message is one frame, there is neither preface nor length (SPEC 13).

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Sink, Stream};
use sensock::error::Peer;

use super::{Lost, Pipe, Take, with_scratch};

pub(crate) struct MessagePipe<T> {
    io: T,
    out: VecDeque<Bytes>,
    unsent: usize,
    dirty: bool,
}

impl<T> MessagePipe<T> {
    pub(crate) fn new(io: T) -> Self {
        MessagePipe { io, out: VecDeque::new(), unsent: 0, dirty: false }
    }
}

impl<T, B, E> Pipe for MessagePipe<T>
where
    T: Stream<Item = Result<B, E>> + Sink<Bytes, Error = E> + Unpin + Send,
    B: AsRef<[u8]>,
    E: std::error::Error + Send + Sync + 'static,
{
    fn poll_frames(&mut self, cx: &mut Context<'_>, max: usize, take: Take<'_>) -> Poll<Result<(), Lost>> {
        // As many as are there, a bounded number at a time.
        for n in 0..64 {
            let message = match Pin::new(&mut self.io).poll_next(cx) {
                Poll::Pending if n == 0 => return Poll::Pending,
                Poll::Pending => break,
                Poll::Ready(None) => return Poll::Ready(Err(Lost::Closed)),
                Poll::Ready(Some(message)) => message.map_err(|e| Lost::Io(io::Error::other(e)))?,
            };
            let message = message.as_ref();
            if message.is_empty() {
                return Poll::Ready(Err(Lost::Peer(Peer::Malformed)));
            }
            if message.len() > max {
                return Poll::Ready(Err(Lost::Peer(Peer::Oversized)));
            }
            let flow = with_scratch(|scratch| {
                let frame = &mut scratch[..message.len()];
                frame.copy_from_slice(message);
                take(frame)
            });
            if flow == ControlFlow::Break(()) {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn send(&mut self, frame: &[u8]) {
        self.unsent += frame.len();
        self.out.push_back(Bytes::copy_from_slice(frame));
    }

    fn send_raw(&mut self, _: &[u8]) {}

    fn unsent(&self) -> usize {
        self.unsent
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            ready!(Pin::new(&mut self.io).poll_ready(cx)).map_err(io::Error::other)?;
            if let Some(frame) = self.out.pop_front() {
                self.unsent -= frame.len();
                self.dirty = true;
                Pin::new(&mut self.io).start_send(frame).map_err(io::Error::other)?;
            }
        }
        if self.dirty {
            ready!(Pin::new(&mut self.io).poll_flush(cx)).map_err(io::Error::other)?;
            self.dirty = false;
            self.out = VecDeque::new();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_close(cx).map_err(io::Error::other)
    }
}
