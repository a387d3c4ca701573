//! Serving any transport: a stream of bytes, or of whole messages.

use std::future::Future;
use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::connection::{self, Peername};
use crate::pipe::{MessagePipe, Pipe, StreamPipe};
use crate::server::Server;

/// Transports beyond the limit that are still told that the server is full; more are closed without a word.
const TOLD: usize = 256;

impl Server {
    /// Serves one device over a stream of bytes (TCP, TLS, a pipe) until the connection ends. `peer` is its address for people.
    ///
    /// Set `TCP_NODELAY` on TCP. Dropping the future drops the connection; nothing that was acknowledged is lost.
    pub fn attach<T>(&self, io: T, peer: impl ToString) -> impl Future<Output = ()> + Send + 'static
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.attach_pipe(Box::new(StreamPipe::new(io)), peer.to_string())
    }

    /// Serves one device over a transport of whole messages (WebSocket): each message is one frame, without preface and length.
    ///
    /// A transport whose messages have a type of their own is adapted with `futures_util`'s `map`, `filter_map` and `with`. Otherwise as
    /// [`Server::attach`].
    pub fn attach_frames<T, B, E>(
        &self,
        io: T,
        peer: impl ToString,
    ) -> impl Future<Output = ()> + Send + 'static
    where
        T: Stream<Item = Result<B, E>> + Sink<Bytes, Error = E> + Unpin + Send + 'static,
        B: AsRef<[u8]> + 'static,
        E: std::error::Error + Send + Sync + 'static,
    {
        self.attach_pipe(Box::new(MessagePipe::new(io)), peer.to_string())
    }

    fn attach_pipe(&self, pipe: Box<dyn Pipe>, peer: String) -> impl Future<Output = ()> + Send + 'static {
        let ip = peer.parse::<SocketAddr>().ok().map(|a| a.ip());
        let shared = self.shared();
        let open = shared.registry.open(shared.options.limits.connections + TOLD);
        // Nothing around it: what is captured here as well would be kept twice for as long as the connection lasts.
        connection::run(self.clone(), pipe, Peername { words: peer, ip }, open)
    }
}
