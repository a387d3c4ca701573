//! Our server over a store in memory: what the network costs, without a database.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use sensock::StoreId;
use sensock_server::Server;
use sensock_store::{AnyDevice, MemoryStore};

/// Serves until Ctrl-C.
///
/// # Errors
/// When no port is free.
pub async fn run() -> Result<()> {
    let listener = sensock_server::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let address = listener.local_addr()?;
    let (server, mut events) = Server::builder(MemoryStore::new(StoreId(1)), AnyDevice).start().await?;
    tokio::spawn(async move { while events.next().await.is_some() {} });
    super::announce(address);
    server.serve(listener, async { drop(tokio::signal::ctrl_c().await) }).await?;
    Ok(())
}
