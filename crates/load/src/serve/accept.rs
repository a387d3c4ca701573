//! The barest listener: connections are accepted and kept.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;

/// What it prints once it has accepted all.
pub const ACCEPTED: &str = "accepted all";

/// Accepts connections and keeps them, and says when it has this many. Serves until it is killed.
///
/// # Errors
/// When no port is free, or no more files may be opened.
#[allow(clippy::print_stdout, reason = "the parent reads it")]
pub async fn run(connections: usize) -> Result<()> {
    let listener = sensock_server::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    super::announce(listener.local_addr()?);
    let mut kept = vec![];
    loop {
        let (io, _) = listener.accept().await?;
        io.set_nodelay(true)?;
        kept.push(io);
        if kept.len() == connections {
            println!("{ACCEPTED}");
        }
    }
}
