//! Our server over a store in memory: what the network costs, without a database.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use sensock::StoreId;
use sensock_server::Server;
use sensock_store::{AnyDevice, Keys, MemoryStore};

use crate::cover;

/// Serves until Ctrl-C: so many devices with their keys, or everyone without one.
///
/// # Errors
/// When no port is free.
pub async fn run(sealed: Option<usize>) -> Result<()> {
    match sealed {
        Some(devices) => serve(cover::ring(devices)?).await,
        None => serve(AnyDevice).await,
    }
}

async fn serve(keys: impl Keys) -> Result<()> {
    let listener = sensock_server::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let address = listener.local_addr()?;
    let (server, mut events) = Server::builder(MemoryStore::new(StoreId(1)), keys).start().await?;
    tokio::spawn(async move { while events.next().await.is_some() {} });
    super::announce(address);
    server.serve(listener, async { drop(tokio::signal::ctrl_c().await) }).await?;
    Ok(())
}
