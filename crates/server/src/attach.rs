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

/// What a server speaks with one device over, once it is there: a stream of bytes, or of whole messages.
pub struct Transport(Box<dyn Pipe>);

impl Transport {
    /// A stream of bytes: TLS, a pipe.
    pub fn stream<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(io: T) -> Self {
        Transport(Box::new(StreamPipe::new(io)))
    }

    /// Whole messages: WebSocket. Each is one frame, without preface and length.
    pub fn frames<T, B, E>(io: T) -> Self
    where
        T: Stream<Item = Result<B, E>> + Sink<Bytes, Error = E> + Unpin + Send + 'static,
        B: AsRef<[u8]> + 'static,
        E: std::error::Error + Send + Sync + 'static,
    {
        Transport(Box::new(MessagePipe::new(io)))
    }
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Transport")
    }
}

impl Server {
    /// Serves one device over a stream of bytes (TCP, TLS, a pipe) until the connection ends. `peer` is its address for people.
    ///
    /// Set `TCP_NODELAY` on TCP. Dropping the future drops the connection; nothing that was acknowledged is lost.
    pub fn attach<T>(&self, io: T, peer: impl ToString) -> impl Future<Output = ()> + Send + 'static
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.attach_transport(Transport::stream(io), peer)
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
        self.attach_transport(Transport::frames(io), peer)
    }

    pub(crate) fn attach_transport(
        &self,
        transport: Transport,
        peer: impl ToString,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (Transport(pipe), peer) = (transport, peer.to_string());
        let ip = peer.parse::<SocketAddr>().ok().map(|a| a.ip());
        let shared = self.shared();
        let open = shared.registry.open(shared.options.limits.connections + TOLD);
        // Nothing around it: what is captured here as well would be kept twice for as long as the connection lasts.
        connection::run(self.clone(), pipe, Peername { words: peer, ip }, open)
    }
}
