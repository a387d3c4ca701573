//! One accepted connection: two pumps, and how it ends.

use super::line::{Line, Way};
use super::pump::{Arrived, pump};
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What all connections of a proxy share and watch.
#[derive(Debug)]
pub(super) struct State {
    pub(super) target: SocketAddr,
    pub(super) buffer: usize,
    pub(super) up: Line,
    pub(super) down: Line,
    /// Bytes to go until the reset, per direction.
    fuses: [Option<u64>; 2],
    pub(super) refuse: bool,
    /// Counts the calls that end all connections; each connection ends when it has grown.
    pub(super) endings: u64,
    pub(super) ending: Ending,
    pub(super) open: usize,
    pub(super) accepted: u64,
    pub(super) carried: [u64; 2],
}

/// How a connection is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Close,
    Reset,
}

impl State {
    pub(super) fn new(target: SocketAddr, buffer: usize) -> Self {
        Self {
            target,
            buffer,
            up: Line::perfect(),
            down: Line::perfect(),
            fuses: [None; 2],
            refuse: false,
            endings: 0,
            ending: Ending::Close,
            open: 0,
            accepted: 0,
            carried: [0; 2],
        }
    }

    pub(super) fn line(&self, way: Way) -> Line {
        match way {
            Way::Up => self.up,
            Way::Down => self.down,
        }
    }

    pub(super) fn line_mut(&mut self, way: Way) -> &mut Line {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }

    pub(super) fn fuse_mut(&mut self, way: Way) -> &mut Option<u64> {
        &mut self.fuses[way as usize]
    }

    /// Burns the fuse of `way` by `bytes`; says how many of them still pass if it is burnt down.
    pub(super) fn burn(&mut self, way: Way, bytes: usize) -> Option<usize> {
        let left = self.fuse_mut(way);
        let remaining = (*left)?;
        match remaining.checked_sub(bytes as u64) {
            Some(rest) if rest > 0 => {
                *left = Some(rest);
                None
            }
            // Not more than `bytes`, which is a usize.
            _ => {
                *left = None;
                Some(remaining as usize)
            }
        }
    }
}

/// A listener that lets a blocked thread know when it is gone. Fields are dropped in this order.
pub(super) struct Listening {
    pub(super) listener: TcpListener,
    pub(super) _gone: mpsc::Sender<()>,
}

/// Runs until aborted.
pub(super) async fn accept(listening: Listening, state: Arc<watch::Sender<State>>) {
    loop {
        let Ok((near, _)) = listening.listener.accept().await else {
            // Out of descriptors, most likely: the next ones may be luckier.
            tokio::task::yield_now().await;
            continue;
        };
        // Counted before anything is relayed, so that a test which was answered finds itself counted.
        let (mut refused, mut endings) = (false, 0);
        state.send_modify(|state| {
            state.accepted += 1;
            (refused, endings) = (state.refuse, state.endings);
            state.open += usize::from(!refused);
        });
        if refused {
            reset(&near);
        } else {
            tokio::spawn(relay(near, Arc::clone(&state), endings));
        }
    }
}

async fn relay(mut near: TcpStream, state: Arc<watch::Sender<State>>, endings: u64) {
    let ending = relay_to_target(&mut near, &state, endings).await;
    end(&near, ending);
    drop(near);
    state.send_modify(|state| state.open -= 1);
}

async fn relay_to_target(near: &mut TcpStream, state: &watch::Sender<State>, endings: u64) -> Ending {
    let (target, buffer) = {
        let state = state.borrow();
        (state.target, state.buffer)
    };
    let mut dialling = std::pin::pin!(super::dial(target, buffer));
    let dialled = tokio::select! {
        biased;
        ending = ended(state, endings) => {
            // The target may have accepted already, and is owed the same end.
            if let Ok(Ok(far)) = tokio::time::timeout(Duration::from_millis(200), dialling).await {
                end(&far, ending);
            }
            return ending;
        }
        dialled = &mut dialling => dialled,
    };
    let Ok(mut far) = dialled else { return Ending::Reset };
    // Without it a slow line would be slower than it says; a failure costs only that.
    let _slower = (near.set_nodelay(true), far.set_nodelay(true));
    let ending = {
        let (near_read, near_write) = near.split();
        let (far_read, far_write) = far.split();
        let up = pump(Way::Up, near_read, far_write, state);
        let down = pump(Way::Down, far_read, near_write, state);
        tokio::select! {
            biased;
            ending = ended(state, endings) => ending,
            ending = both(up, down) => ending,
        }
    };
    end(&far, ending);
    ending
}

/// Over once both directions have closed in good order, or one was reset.
async fn both(up: impl Future<Output = Arrived>, down: impl Future<Output = Arrived>) -> Ending {
    let (mut up, mut down) = (std::pin::pin!(up), std::pin::pin!(down));
    let first = tokio::select! {
        arrived = &mut up => (arrived, true),
        arrived = &mut down => (arrived, false),
    };
    let second = match first {
        (Arrived::Reset, _) => return Ending::Reset,
        (Arrived::End, true) => down.await,
        (Arrived::End, false) => up.await,
    };
    match second {
        Arrived::End => Ending::Close,
        Arrived::Reset => Ending::Reset,
    }
}

async fn ended(state: &watch::Sender<State>, endings: u64) -> Ending {
    let mut changes = state.subscribe();
    match changes.wait_for(|state| state.endings > endings).await {
        Ok(state) => state.ending,
        Err(_) => Ending::Reset,
    }
}

fn end(stream: &TcpStream, ending: Ending) {
    if ending == Ending::Reset {
        reset(stream);
    }
}

/// Makes the coming drop of `stream` a reset.
fn reset(stream: &TcpStream) {
    // Where it fails the peer sees an orderly close: a milder fault, and the tests that need a reset notice.
    let _milder = stream.set_zero_linger();
}
