//! A connection that is accepted and kept, and nothing more.

use anyhow::{Result, ensure};
use tokio::sync::Semaphore;

use super::Client;
use super::wire::Wire;

pub(super) async fn run(client: Client, gate: &Semaphore) -> Result<()> {
    let Client { address, number, name, turns } = client;
    let dialling = gate.acquire().await?;
    let wire = Wire::dial(address, name).await?;
    let mut accepted = false;
    while !accepted {
        wire.readable().await?;
        accepted = wire.read(|bytes| {
            ensure!(bytes.len() == 1, "the listener sent more than a byte");
            Ok(())
        })?;
    }
    drop(dialling);
    turns.connected();
    while turns.next(number, None).await.is_some() {}
    Ok(())
}
