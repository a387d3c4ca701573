//! Another device does something: a command under the alarm's key, or desired state.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use sensock_server::{Outcome, Server};

use super::Task;
use crate::show::time::now_us;

/// Stores the command under the alarm's key and waits for its end; it expires when the alarm is too old to move anything.
pub(super) async fn command(
    server: &Server,
    task: &Task,
    device: &str,
    name: &str,
    value: &str,
) -> Result<String> {
    let left = u64::try_from(task.until_us.saturating_sub(now_us())).unwrap_or(0);
    ensure!(left > 0, "its time was over before it was begun");
    let request =
        server.device(device).command_text_request(name, value, Duration::from_micros(left)).await?;
    let ticket = request.issuer(issuer(task)).idempotency_key(task.key()).await?;
    match ticket.outcome().await {
        Outcome::Done(answer) => Ok(format!("command {}, answered {answer}", ticket.id)),
        other => bail!("command {}: {other}", ticket.id),
    }
}

/// Sets desired state; the latest wins, so that setting it twice is the same as once.
pub(super) async fn setting(
    server: &Server,
    task: &Task,
    device: &str,
    name: &str,
    value: &str,
) -> Result<String> {
    let row = server.device(device).set_text_request(name, value).await?.issuer(issuer(task)).await?;
    Ok(format!("revision {}, for when the device has it", row.revision))
}

fn issuer(task: &Task) -> String {
    format!("alarm {}", task.alarm)
}
