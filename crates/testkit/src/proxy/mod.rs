//! A TCP proxy on loopback whose line can be cut, stalled, swallowed, delayed, slowed, mirrored.
//!
//! ```text
//! device ── near connection ── proxy ── far connection ── server
//!                         Way::Up  →
//!                                  ←  Way::Down
//! ```
//! A proxy runs on a thread of its own, so it serves blocking and asynchronous tests alike. What is set holds for
//! the connections that are open and for those to come, and takes effect at once: no byte that the proxy reads
//! after [`Proxy::set`] returned travels by the old line.

mod line;
mod pump;
mod relay;

pub use line::{Flow, Line, Way};

use relay::{Ending, Listening, State};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, mpsc};
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Bytes that wait inside the proxy, per direction, unless a test chooses less.
const BUFFER: usize = 64 * 1024;

/// A running proxy. Dropping it resets its connections and frees the port.
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    state: Arc<watch::Sender<State>>,
    accepting: AbortHandle,
    /// Disconnected once nothing listens any more.
    gone: Mutex<mpsc::Receiver<()>>,
}

impl Proxy {
    /// Listens on a free loopback port and relays to `target`, at first as a perfect line.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(target: SocketAddr) -> io::Result<Self> {
        Self::with_buffer(target, BUFFER)
    }

    /// As [`Proxy::start`], but with room for only `buffer` bytes per direction before the line, and kernel buffers of that size around it: a
    /// slow line is then felt by the sender early.
    ///
    /// Not at once: a kernel has a least size, and counts its own book-keeping in. Asked for 1 KiB, Linux takes up to some 5 KiB between
    /// [`Proxy::dial`] and the proxy before the sender has to wait: 1.1 KiB where it is read and 4 KiB where it is written.
    ///
    /// # Errors
    /// When no port is free.
    pub fn with_buffer(target: SocketAddr, buffer: usize) -> io::Result<Self> {
        let runtime = runtime()?;
        let listener = {
            let _inside = runtime.enter();
            let socket = TcpSocket::new_v4()?;
            shrink(&socket, buffer)?;
            socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
            socket.listen(1024)?
        };
        let addr = listener.local_addr()?;
        let state = Arc::new(watch::Sender::new(State::new(target, buffer.max(1))));
        let (sender, gone) = mpsc::channel();
        let listening = Listening { listener, _gone: sender };
        let accepting = runtime.spawn(relay::accept(listening, Arc::clone(&state))).abort_handle();
        Ok(Self { addr, state, accepting, gone: Mutex::new(gone) })
    }

    /// Where to dial.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Dials the proxy with socket buffers of the proxy's own size, so that the sender's kernel does not hide a slow line.
    ///
    /// # Errors
    /// As any dial.
    pub async fn dial(&self) -> io::Result<TcpStream> {
        let buffer = self.state.borrow().buffer;
        dial((self.addr, None, buffer)).await
    }

    /// Relays connections to come to another address, as when a device roams to another server.
    pub fn set_target(&self, target: SocketAddr) {
        self.state.send_modify(|state| state.target = target);
    }

    /// Changes the line in both directions.
    pub fn set(&self, line: Line) {
        self.state.send_modify(|state| (state.up, state.down) = (line, line));
    }

    /// Changes the line in one direction.
    pub fn set_way(&self, way: Way, line: Line) {
        self.state.send_modify(|state| *state.line_mut(way) = line);
    }

    /// Both ends believe that they are connected and nothing arrives, not even the news of the other's end:
    /// as after an access point lost its power. [`Proxy::cut`] ends it; [`Proxy::heal`] lets later bytes through.
    pub fn half_open(&self) {
        self.set(Line::perfect().flowing(Flow::Swallow));
    }

    /// A perfect line again. What was swallowed stays lost.
    pub fn heal(&self) {
        self.set(Line::perfect());
    }

    /// Resets all open connections at both ends, and returns how many there were.
    pub fn cut(&self) -> usize {
        self.end(Ending::Reset)
    }

    /// Closes all open connections in good order at both ends, and returns how many there were.
    pub fn close(&self) -> usize {
        self.end(Ending::Close)
    }

    /// Resets the connection that carries the `bytes`-th byte from now in direction `way`, just after that byte
    /// was delivered: in the middle of a frame, if so chosen. Once; `None` takes it back.
    pub fn cut_after(&self, way: Way, bytes: Option<u64>) {
        self.state.send_modify(|state| *state.fuse_mut(way) = bytes.map(|bytes| (bytes, Ending::Reset)));
    }

    /// As [`Proxy::cut_after`], but closes it in good order: what came before is a truncated frame, if so chosen.
    pub fn close_after(&self, way: Way, bytes: Option<u64>) {
        self.state.send_modify(|state| *state.fuse_mut(way) = bytes.map(|bytes| (bytes, Ending::Close)));
    }

    /// Whether a [`Proxy::cut_after`] or [`Proxy::close_after`] has not come to its byte yet.
    pub fn is_armed(&self, way: Way) -> bool {
        self.state.borrow().has_fuse(way)
    }

    /// Leaves the connections that are open now half-open for ever in these directions, and returns how many there are: both ends
    /// believe in them and nothing arrives any more. Connections to come are served, as after a router forgot what it knew.
    pub fn orphan(&self, ways: &[Way]) -> usize {
        let mut orphans = 0;
        self.state.send_modify(|state| {
            orphans = state.open;
            ways.iter().for_each(|way| state.orphans[*way as usize] = state.accepted);
        });
        orphans
    }

    /// Whether what connections to come send up reaches the target twice: once more over a connection of its own, whose
    /// answers nobody reads.
    pub fn mirror(&self, mirror: bool) {
        self.state.send_modify(|state| state.mirror = mirror);
    }

    /// Dials the target from this address from now on: on Linux all of 127.0.0.0/8 is this machine, so that proxies can be as
    /// different to a server as houses are.
    pub fn dial_from(&self, source: IpAddr) {
        self.state.send_modify(|state| state.source = Some(source));
    }

    /// Whether connections to come are reset as soon as they are accepted.
    pub fn refuse(&self, refuse: bool) {
        self.state.send_modify(|state| state.refuse = refuse);
    }

    /// Connections open now.
    pub fn open(&self) -> usize {
        self.state.borrow().open
    }

    /// Connections accepted since the start, the refused ones included.
    pub fn accepted(&self) -> u64 {
        self.state.borrow().accepted
    }

    /// Bytes delivered in direction `way` since the start.
    pub fn carried(&self, way: Way) -> u64 {
        self.state.borrow().carried[way as usize]
    }

    /// Waits until `ready` holds for this proxy, such as `|proxy| proxy.open() == 2`. Cancel safe.
    pub async fn until(&self, mut ready: impl FnMut(&Self) -> bool) {
        let mut changes = self.state.subscribe();
        while !ready(self) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    fn end(&self, ending: Ending) -> usize {
        let mut ended = 0;
        self.state.send_modify(|state| {
            ended = state.open;
            state.endings += 1;
            state.ending = ending;
        });
        ended
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        // The background thread drops the listener, at once unless the machine is very busy.
        let gone = self.gone.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _disconnected = gone.recv_timeout(Duration::from_secs(5));
        self.end(Ending::Reset);
    }
}

/// The one background thread of all proxies of this process.
pub(crate) fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("testkit-proxy")
            .enable_all()
            .build()
    });
    RUNTIME.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))
}

fn shrink(socket: &TcpSocket, buffer: usize) -> io::Result<()> {
    if buffer < BUFFER {
        let bytes = u32::try_from(buffer).unwrap_or(u32::MAX);
        socket.set_recv_buffer_size(bytes)?;
        socket.set_send_buffer_size(bytes)?;
    }
    Ok(())
}

/// Dials a target, from an address if it is given, with buffers of this size.
async fn dial((target, source, buffer): (SocketAddr, Option<IpAddr>, usize)) -> io::Result<TcpStream> {
    let socket = if target.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    shrink(&socket, buffer)?;
    if let Some(source) = source {
        socket.bind((source, 0).into())?;
    }
    socket.connect(target).await
}

#[cfg(test)]
mod tests;
