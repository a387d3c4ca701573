//! The barest server on the same runtime: what is read is written back, one task a connection.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Serves until it is killed.
///
/// # Errors
/// When no port is free.
pub async fn run() -> Result<()> {
    let listener = sensock_server::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    super::announce(listener.local_addr()?);
    loop {
        let (mut io, _) = listener.accept().await?;
        io.set_nodelay(true)?;
        tokio::spawn(async move {
            let mut buffer = [0; 1024];
            while let Ok(n @ 1..) = io.read(&mut buffer).await {
                if io.write_all(&buffer[..n]).await.is_err() {
                    break;
                }
            }
        });
    }
}
