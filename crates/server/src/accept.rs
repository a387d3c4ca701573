//! Taking TCP connections.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sensock::limits::HANDSHAKE_MS;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::attach::Transport;
use crate::error::ServeError;
use crate::server::Server;

/// Connections that may wait to be accepted: a fleet that comes back all at once is not turned away.
const BACKLOG: u32 = 1_024;

/// A listening socket with a backlog that survives a fleet's reconnect (tokio's own is 128 long).
///
/// # Errors
/// The address is in use, or not this machine's.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // On Windows this would mean something else: that others may take the port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Server {
    /// Accepts connections until `shutdown` is ready, then ends the server in order ([`Server::shutdown`]).
    ///
    /// It is this loop, which you may as well write yourself:
    /// ```no_run
    /// # async fn f(server: sensock_server::Server, listener: tokio::net::TcpListener) -> std::io::Result<()> {
    /// loop {
    ///     let (io, peer) = listener.accept().await?;
    ///     io.set_nodelay(true)?;
    ///     tokio::spawn(server.attach(io, peer));
    /// }
    /// # }
    /// ```
    /// Addresses whose handshakes keep failing are turned away, by `attach` too.
    ///
    /// # Errors
    /// The listening socket failed for good. A shortage of file descriptors is waited out.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let serve = |io, peer| {
            tokio::spawn(self.attach(io, peer));
        };
        self.accept(listener, serve, shutdown).await
    }

    /// As [`Server::serve`], through something that has to be agreed on before frames flow: TLS, WebSocket.
    ///
    /// `agree` is called for each connection. Its future is given 10 s; an error, or no end by then, counts against the address like a
    /// failed handshake of a device, and is logged at level debug. How many of them there are at once is bounded:
    /// [`Limits::agreeing`](crate::Limits::agreeing).
    /// ```no_run
    /// # async fn f(
    /// #     server: sensock_server::Server,
    /// #     listener: tokio::net::TcpListener,
    /// #     tls: tokio_rustls::TlsAcceptor,
    /// # ) -> Result<(), sensock_server::ServeError> {
    /// use sensock_server::Transport;
    /// let agree = move |io, _| {
    ///     let tls = tls.clone();
    ///     async move { Ok(Transport::stream(tls.accept(io).await?)) }
    /// };
    /// server.serve_through(listener, agree, std::future::pending()).await
    /// # }
    /// ```
    ///
    /// # Errors
    /// The listening socket failed for good.
    pub async fn serve_through<F>(
        &self,
        listener: TcpListener,
        agree: impl Fn(TcpStream, SocketAddr) -> F,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError>
    where
        F: Future<Output = std::io::Result<Transport>> + Send + 'static,
    {
        let room = Arc::new(Semaphore::new(self.shared().options.limits.agreeing));
        let serve = |io, peer: SocketAddr| {
            let Ok(place) = room.clone().try_acquire_owned() else {
                tracing::debug!(%peer, "turned away: too many others are agreeing on a transport");
                return;
            };
            tokio::spawn(self.clone().through(agree(io, peer), peer, place));
        };
        self.accept(listener, serve, shutdown).await
    }

    async fn through(
        self,
        agreeing: impl Future<Output = std::io::Result<Transport>>,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
    ) {
        let agreed = tokio::select! {
            biased;
            agreed = timeout(Duration::from_millis(HANDSHAKE_MS), agreeing) => agreed,
            () = self.shared().closing.cancelled() => return,
        };
        let words = match agreed {
            Ok(Ok(transport)) => {
                drop(place);
                return self.attach_transport(transport, peer).await;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("it took longer than {} s", HANDSHAKE_MS / 1_000),
        };
        tracing::debug!(%peer, "no transport was agreed on: {words}");
        self.shared().offenders.failed(peer.ip());
    }

    /// Accepts until `shutdown`, then ends the server in order.
    async fn accept(
        &self,
        listener: TcpListener,
        mut serve: impl FnMut(TcpStream, SocketAddr),
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let mut shutdown = std::pin::pin!(shutdown);
        let closing = self.shared().closing.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut shutdown => break,
                () = closing.cancelled() => break,
            };
            match accepted {
                Ok((io, peer)) => {
                    // Acknowledgements are small and wanted at once.
                    if let Err(error) = io.set_nodelay(true) {
                        tracing::debug!(%peer, %error, "the connection broke as it was accepted");
                        continue;
                    }
                    serve(io, peer);
                }
                Err(error) if passes(&error) => {
                    tracing::warn!(%error, "a connection could not be accepted; are there too few file descriptors (ulimit -n)?");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(ServeError::Listener(error)),
            }
        }
        drop(listener);
        self.shutdown().await;
        Ok(())
    }
}

/// Whether the next connection may fare better.
fn passes(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::*;
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    const ENOBUFS: i32 = 105;
    const ENOMEM: i32 = 12;
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | ConnectionRefused | Interrupted | OutOfMemory
    ) || matches!(error.raw_os_error(), Some(EMFILE | ENFILE | ENOBUFS | ENOMEM))
}
