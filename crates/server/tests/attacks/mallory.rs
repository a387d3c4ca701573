//! Somebody on the line who sees whole frames, and passes on what he likes.

use sensock::deframe::{PREFACE, read_prefix};
use sensock_server::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use crate::common::framed;

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Up,
    Down,
}

/// What Mallory does instead of passing a frame on.
pub enum Out {
    Frame(Way, Vec<u8>),
    Raw(Way, Vec<u8>),
    /// Closes both sides, in order.
    Cut,
}

/// Cuts a stream into its frames.
#[derive(Default)]
struct Frames {
    bytes: Vec<u8>,
    heard: bool,
}

impl Frames {
    fn next(&mut self) -> Option<Vec<u8>> {
        if !self.heard {
            self.bytes.strip_prefix(&PREFACE)?;
            self.bytes.drain(..PREFACE.len());
            self.heard = true;
        }
        let (prefix, len) = read_prefix(&self.bytes, 16_383).unwrap()?;
        if self.bytes.len() < prefix + len {
            return None;
        }
        Some(self.bytes.drain(..prefix + len).skip(prefix).collect())
    }
}

/// A line to the server. `mallory` is given each frame, with its number in its direction from 0 on.
pub fn between(
    server: &Server,
    peer: &str,
    mallory: impl FnMut(Way, usize, Vec<u8>) -> Vec<Out> + Send + 'static,
) -> DuplexStream {
    let (outside, far) = tokio::io::duplex(16_384);
    tokio::spawn(server.attach(far, peer));
    bridge(outside, mallory)
}

/// The same, where the server is whatever answers `outside`.
pub fn bridge(
    mut outside: DuplexStream,
    mut mallory: impl FnMut(Way, usize, Vec<u8>) -> Vec<Out> + Send + 'static,
) -> DuplexStream {
    let (near, mut inside) = tokio::io::duplex(16_384);
    tokio::spawn(async move {
        let (mut up, mut down) = (Frames::default(), Frames::default());
        let (mut n_up, mut n_down) = (0, 0);
        let (mut buf_up, mut buf_down) = ([0; 4_096], [0; 4_096]);
        outside.write_all(&PREFACE).await.unwrap();
        inside.write_all(&PREFACE).await.unwrap();
        loop {
            let read = tokio::select! {
                n = inside.read(&mut buf_up) => n.inspect(|n| up.bytes.extend(&buf_up[..*n])),
                n = outside.read(&mut buf_down) => n.inspect(|n| down.bytes.extend(&buf_down[..*n])),
            };
            let Ok(1..) = read else { return };
            loop {
                let outs = if let Some(frame) = up.next() {
                    n_up += 1;
                    mallory(Way::Up, n_up - 1, frame)
                } else if let Some(frame) = down.next() {
                    n_down += 1;
                    mallory(Way::Down, n_down - 1, frame)
                } else {
                    break;
                };
                for out in outs {
                    let (way, bytes) = match out {
                        Out::Frame(way, frame) => (way, framed(&frame)),
                        Out::Raw(way, bytes) => (way, bytes),
                        Out::Cut => return,
                    };
                    let to = if way == Way::Up { &mut outside } else { &mut inside };
                    if to.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
            }
        }
    });
    near
}

/// Passes a frame on.
pub fn pass(way: Way, frame: Vec<u8>) -> Vec<Out> {
    vec![Out::Frame(way, frame)]
}
