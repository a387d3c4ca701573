//! One accepted connection: two pumps, and how it ends.

use super::line::{Flow, Line, Way};
use super::pump::{Arrived, Connection, pump};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What all connections of a proxy share and watch.
#[derive(Debug)]
pub(super) struct State {
    pub(super) target: SocketAddr,
    pub(super) buffer: usize,
    pub(super) up: Line,
    pub(super) down: Line,
    /// Bytes to go until the end, and which end, per direction.
    fuses: [Option<(u64, Ending)>; 2],
    /// Connections up to this number are half-open for ever, per direction.
    pub(super) orphans: [u64; 2],
    /// Where dials to the target come from.
    pub(super) source: Option<IpAddr>,
    /// Whether what connections to come send up is sent once more, over a connection of its own.
    pub(super) mirror: bool,
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
            orphans: [0; 2],
            source: None,
            mirror: false,
            refuse: false,
            endings: 0,
            ending: Ending::Close,
            open: 0,
            accepted: 0,
            carried: [0; 2],
        }
    }

    /// The line of the connection with this number.
    pub(super) fn line(&self, way: Way, number: u64) -> Line {
        match way {
            _ if number <= self.orphans[way as usize] => Line::perfect().flowing(Flow::Swallow),
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

    pub(super) fn fuse_mut(&mut self, way: Way) -> &mut Option<(u64, Ending)> {
        &mut self.fuses[way as usize]
    }

    pub(super) fn has_fuse(&self, way: Way) -> bool {
        self.fuses[way as usize].is_some()
    }

    /// Burns the fuse of `way` by `bytes`; says how many of them still pass if it is burnt down, and what follows them.
    pub(super) fn burn(&mut self, way: Way, bytes: usize) -> Option<(usize, Ending)> {
        let left = self.fuse_mut(way);
        let (remaining, ending) = (*left)?;
        match remaining.checked_sub(bytes as u64) {
            Some(rest) if rest > 0 => {
                *left = Some((rest, ending));
                None
            }
            // Not more than `bytes`, which is a usize.
            _ => {
                *left = None;
                Some((remaining as usize, ending))
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
        let (mut refused, mut endings, mut number) = (false, 0, 0);
        state.send_modify(|state| {
            state.accepted += 1;
            (refused, endings, number) = (state.refuse, state.endings, state.accepted);
            state.open += usize::from(!refused);
        });
        if refused {
            reset(&near);
        } else {
            tokio::spawn(relay(near, Arc::clone(&state), number, endings));
        }
    }
}

async fn relay(mut near: TcpStream, state: Arc<watch::Sender<State>>, number: u64, endings: u64) {
    let ending = relay_to_target(&mut near, &state, number, endings).await;
    end(&near, ending);
    drop(near);
    state.send_modify(|state| state.open -= 1);
}

async fn relay_to_target(
    near: &mut TcpStream,
    state: &watch::Sender<State>,
    number: u64,
    endings: u64,
) -> Ending {
    let (to, mirror) = {
        let state = state.borrow();
        ((state.target, state.source, state.buffer), state.mirror)
    };
    let mut dialling = std::pin::pin!(super::dial(to));
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
    // A copy that cannot be dialled is a fault less.
    let twin = if mirror { super::dial(to).await.ok().map(copy_to) } else { None };
    let ending = {
        let (near_read, near_write) = near.split();
        let (far_read, far_write) = far.split();
        let held = watch::Sender::new(0);
        let connection = |way| Connection { way, number, state, held: &held };
        let up = pump(connection(Way::Up), near_read, far_write, twin);
        let down = pump(connection(Way::Down), far_read, near_write, None);
        tokio::select! {
            biased;
            ending = ended(state, endings) => ending,
            ending = both(up, down, &held) => ending,
            () = are_held(&held, 2) => Ending::Reset,
        }
    };
    end(&far, ending);
    ending
}

/// The writing half of a connection whose answers nobody reads.
fn copy_to(twin: TcpStream) -> OwnedWriteHalf {
    let (mut answers, up) = twin.into_split();
    tokio::spawn(async move {
        // Ends with the connection, either way.
        let _unread = tokio::io::copy(&mut answers, &mut tokio::io::sink()).await;
    });
    up
}

/// Over once both directions have closed in good order, or one was reset.
async fn both(
    up: impl Future<Output = Arrived>,
    down: impl Future<Output = Arrived>,
    held: &watch::Sender<usize>,
) -> Ending {
    let (mut up, mut down) = (std::pin::pin!(up), std::pin::pin!(down));
    let first = tokio::select! {
        arrived = &mut up => (arrived, true),
        arrived = &mut down => (arrived, false),
    };
    let second = async {
        match first {
            (Arrived::Reset | Arrived::Close, _) => first.0,
            (Arrived::End, true) => down.await,
            (Arrived::End, false) => up.await,
        }
    };
    tokio::select! {
        arrived = second => match arrived {
            Arrived::End | Arrived::Close => Ending::Close,
            Arrived::Reset => Ending::Reset,
        },
        () = are_held(held, 1) => Ending::Reset,
    }
}

/// Waits until the ends of so many directions were swallowed: with both ends gone, nobody is left to believe in the connection.
async fn are_held(held: &watch::Sender<usize>, directions: usize) {
    // An error cannot occur: the sender lives.
    let mut changes = held.subscribe();
    let _held = changes.wait_for(|held| *held >= directions).await;
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
