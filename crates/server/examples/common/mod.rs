//! What the larger examples share: a server on loopback, a device's dial loop, and a deadline.
#![allow(dead_code, reason = "not every example needs all of it")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use embedded_io_adapters::tokio_1::FromTokio;
use sensock_device::{Boot, Key, Node, Runner, TokioClock};
use sensock_server::{Server, listen};
use tokio::net::TcpStream;

/// What the cellar's device is, without memory of earlier boots.
pub fn node(id: &'static str) -> Node<'static> {
    Node { id, key: Key::Insecure, catalog: &catalog::CELLAR, boot: Boot::Unknown }
}

/// Serves on a free port of this machine.
pub fn serve(server: &Server) -> Result<SocketAddr> {
    let listener = listen("127.0.0.1:0".parse()?)?;
    let (server, address) = (server.clone(), listener.local_addr()?);
    tokio::spawn(async move { server.serve(listener, std::future::pending()).await });
    Ok(address)
}

/// Keeps a device connected, to whatever address it is told at each dial.
pub async fn dial(
    runner: &mut Runner<'_, TokioClock>,
    mut address: impl FnMut() -> SocketAddr,
) -> Infallible {
    loop {
        if let Ok(mut socket) = TcpStream::connect(address()).await {
            let (reader, writer) = socket.split();
            runner.connection(FromTokio::new(reader), FromTokio::new(writer)).await;
        }
        runner.backoff().await;
    }
}

/// Runs an example, which has to show its point in 20 s.
pub async fn in_time(example: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::time::timeout(Duration::from_secs(20), example).await.context("it did not happen within 20 s")?
}
