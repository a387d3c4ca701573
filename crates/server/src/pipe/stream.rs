//! Streams of bytes: TCP, TLS, pipes. The preface, then frames behind their lengths (SPEC 1.1, 1.2).

use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use sensock::deframe::{PREFACE, prefixed, read_prefix};
use sensock::limits::{FRAME_HARD_MAX, HELLO_MAX};
use sensock::seal::FIRST_OVERHEAD;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Lost, Pipe, SCRATCH, Take, with_scratch};

pub(crate) struct StreamPipe<T> {
    io: T,
    /// Bytes that were read and not used: less than a frame, unless taking was stopped.
    rest: Box<[u8]>,
    out: Vec<u8>,
    /// How much of `out`; never more than a few frames.
    written: u32,
    /// The rest may hold whole frames.
    more: bool,
    heard: bool,
    spoke: bool,
    /// More than a first frame is read at once.
    proved: bool,
}

/// What is read of a device that did not prove itself: its first frame, and what stands before it.
const FIRST: usize = PREFACE.len() + 2 + HELLO_MAX + FIRST_OVERHEAD;

impl<T> StreamPipe<T> {
    pub(crate) fn new(io: T) -> Self {
        StreamPipe {
            io,
            rest: Box::default(),
            out: Vec::new(),
            written: 0,
            more: false,
            heard: false,
            spoke: false,
            proved: false,
        }
    }

    /// Hands out whole frames; returns how many bytes were used, and whether taking was stopped.
    fn frames(&mut self, bytes: &mut [u8], max: usize, take: Take<'_>) -> Result<(usize, bool), Lost> {
        let mut at = 0;
        if !self.heard {
            let have = bytes.len().min(PREFACE.len());
            if bytes[..have] != PREFACE[..have] {
                return Err(Lost::Foreign(bytes.to_vec()));
            }
            if have < PREFACE.len() {
                return Ok((0, false));
            }
            self.heard = true;
            at = PREFACE.len();
        }
        while let Some((prefix, len)) = read_prefix(&bytes[at..], max).map_err(Lost::Peer)? {
            let Some(frame) = bytes.get_mut(at + prefix..at + prefix + len) else { break };
            at += prefix + len;
            if take(frame) == ControlFlow::Break(()) {
                return Ok((at, true));
            }
        }
        Ok((at, false))
    }

    fn keep(&mut self, rest: &[u8], stopped: bool) {
        self.more = stopped && !rest.is_empty();
        // An empty slice owns no memory: an idle connection holds no buffer.
        self.rest = rest.into();
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Pipe for StreamPipe<T> {
    fn poll_frames(&mut self, cx: &mut Context<'_>, max: usize, take: Take<'_>) -> Poll<Result<(), Lost>> {
        if self.more {
            let mut rest = std::mem::take(&mut self.rest);
            let (used, stopped) = self.frames(&mut rest, max, take)?;
            self.keep(&rest[used..], stopped);
            return Poll::Ready(Ok(()));
        }
        with_scratch(|scratch| {
            let have = self.rest.len();
            scratch[..have].copy_from_slice(&self.rest);
            // The rest is less than a frame, or less than was read at once: there is room for more.
            let ahead = if self.proved { SCRATCH } else { FIRST };
            let end = scratch.len().min(ahead.max(have + 1));
            let mut buf = ReadBuf::new(&mut scratch[have..end]);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buf)).map_err(Lost::Io)?;
            let n = buf.filled().len();
            if n == 0 {
                return Poll::Ready(Err(Lost::Closed));
            }
            let bytes = &mut scratch[..have + n];
            let (used, stopped) = self.frames(bytes, max, take)?;
            if used < bytes.len() || !self.rest.is_empty() {
                self.keep(&bytes[used..], stopped);
            }
            Poll::Ready(Ok(()))
        })
    }

    fn proved(&mut self) {
        self.proved = true;
    }

    fn send(&mut self, frame: &[u8]) {
        debug_assert!(frame.len() <= FRAME_HARD_MAX);
        if !std::mem::replace(&mut self.spoke, true) {
            self.out.extend_from_slice(&PREFACE);
        }
        let mut prefix = [0; 2];
        let at = prefixed(&mut prefix, frame.len());
        self.out.extend_from_slice(&prefix[at..]);
        self.out.extend_from_slice(frame);
    }

    fn send_raw(&mut self, bytes: &[u8]) {
        self.spoke = true;
        self.out.extend_from_slice(bytes);
    }

    fn unsent(&self) -> usize {
        self.out.len() - self.written as usize
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.out.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while self.unsent() > 0 {
            let n = ready!(Pin::new(&mut self.io).poll_write(cx, &self.out[self.written as usize..]))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += n as u32;
        }
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        (self.out, self.written) = (Vec::new(), 0);
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::io::AsyncWriteExt;

    async fn next(pipe: &mut StreamPipe<tokio::io::DuplexStream>, stop: bool) -> Result<Vec<Vec<u8>>, Lost> {
        let mut got = Vec::new();
        poll_fn(|cx| {
            pipe.poll_frames(cx, 300, &mut |frame| {
                got.push(frame.to_vec());
                if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        })
        .await?;
        Ok(got)
    }

    #[tokio::test]
    async fn frames_arrive_whole_one_or_many_and_an_idle_pipe_holds_nothing() {
        let (mut far, near) = tokio::io::duplex(4_096);
        let mut pipe = StreamPipe::new(near);
        far.write_all(&PREFACE).await.unwrap();
        far.write_all(&[1, 7, 2, 8, 9, 1, 5, 2, 1]).await.unwrap();
        assert_eq!(next(&mut pipe, true).await.unwrap(), [vec![7]]);
        assert_eq!(next(&mut pipe, false).await.unwrap(), [vec![8, 9], vec![5]]);
        far.write_all(&[3]).await.unwrap();
        assert_eq!(next(&mut pipe, false).await.unwrap(), [vec![1, 3]]);
        assert_eq!((pipe.rest.len(), pipe.out.capacity()), (0, 0));
        drop(far);
        assert!(matches!(next(&mut pipe, false).await, Err(Lost::Closed)));
    }

    #[tokio::test]
    async fn what_is_too_long_or_foreign_is_told_apart() {
        let (mut far, near) = tokio::io::duplex(4_096);
        far.write_all(&PREFACE).await.unwrap();
        far.write_all(&[0xff, 0x7f, 0]).await.unwrap();
        let lost = next(&mut StreamPipe::new(near), false).await.unwrap_err();
        assert!(matches!(lost, Lost::Peer(sensock::error::Peer::Oversized)));
        let (mut far, near) = tokio::io::duplex(4_096);
        far.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let lost = next(&mut StreamPipe::new(near), false).await.unwrap_err();
        assert!(matches!(lost, Lost::Foreign(bytes) if bytes.starts_with(b"GET ")));
    }
}
