//! What the larger examples share: a device with a key, a server on loopback, a dial loop, and a deadline.
#![allow(dead_code, reason = "not every example needs all of it")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use embedded_io_adapters::tokio_1::FromTokio;
use sensock::seal::{Credential, NoEntropy};
use sensock_device::{Boot, Key, Node, Runner, TokioClock};
use sensock_server::{DeviceId, Keyring, Server, listen};
use tokio::net::TcpStream;

/// A device and its key, which both ends have and nobody else: `sensockd keys add` makes one for a real device.
pub struct Known {
    id: &'static str,
    credential: Credential,
}

impl Known {
    /// A new key for this device.
    pub fn new(id: &'static str) -> Result<Self> {
        Ok(Known { id, credential: Credential::make(&mut random)? })
    }

    /// What the server knows: this device, and no other.
    pub fn keys(&self) -> Result<Keyring> {
        let mut keys = Keyring::default();
        keys.add(DeviceId::new(self.id)?, self.credential.clone());
        Ok(keys)
    }

    /// What the device is, without memory of earlier boots.
    pub fn node(&self) -> Node<'_> {
        let key = Key::Sealed(&self.credential, random);
        Node { id: self.id, key, catalog: &catalog::CELLAR, boot: Boot::Unknown }
    }
}

/// The operating system's.
pub fn random(bytes: &mut [u8]) -> Result<(), NoEntropy> {
    getrandom::fill(bytes).map_err(|_| NoEntropy)
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
