//! The barest peer: a frame comes back as it went.

use anyhow::{Result, ensure};
use tokio::sync::Semaphore;

use super::Client;
use super::wire::Wire;

/// As many bytes as one record of two readings takes in a sensock frame, its length included; further records of a batch take fewer.
const FIRST: usize = 15;
const FURTHER: usize = 5;

pub(super) async fn run(client: Client, gate: &Semaphore) -> Result<()> {
    let Client { address, number, name, turns } = client;
    let dialling = gate.acquire().await?;
    let mut wire = Wire::dial(address, name).await?;
    let mut frame = vec![7; FIRST + turns.pace().batch.saturating_sub(1) * FURTHER];
    drop(dialling);
    turns.connected();
    let (mut last, mut count) = (None, 0u8);
    while let Some(turn) = turns.next(number, last).await {
        last = Some(turn.due);
        count = count.wrapping_add(1);
        frame.fill(count);
        wire.write(&frame).await?;
        let mut missing = frame.len();
        while missing > 0 {
            wire.readable().await?;
            wire.read(|bytes| {
                ensure!(bytes.len() <= missing, "the echo sent more than it was given");
                ensure!(bytes.iter().all(|b| *b == count), "the echo sent something else");
                missing -= bytes.len();
                Ok(())
            })?;
        }
        turns.answered(turn);
    }
    Ok(())
}
