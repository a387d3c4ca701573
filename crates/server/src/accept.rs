//! Taking TCP connections.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};

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
                    tokio::spawn(self.attach(io, peer));
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
