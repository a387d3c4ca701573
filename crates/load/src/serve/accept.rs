//! The barest listener: connections are accepted, answered with one byte, and kept.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;

/// Accepts connections and keeps them. The byte says to a client that it was accepted: the kernel lets it connect before. Serves until it
/// is killed.
///
/// # Errors
/// When no port is free, or no more files may be opened.
pub async fn run() -> Result<()> {
    let listener = sensock_server::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    super::announce(listener.local_addr()?);
    let mut kept = vec![];
    loop {
        let (io, _) = listener.accept().await?;
        io.set_nodelay(true)?;
        // A new connection has room for a byte.
        io.try_write(&[1])?;
        kept.push(io);
    }
}
