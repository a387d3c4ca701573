//! A POST of the alarm as JSON to an address that the operator wrote into the rule file.
//!
//! ```text
//! address   where it leads, without its secrets      tls   which certificates are believed
//! ```

mod address;
mod tls;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Request;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::Task;
pub(crate) use address::Address;

/// How long one try may take.
const LIMIT: Duration = Duration::from_secs(5);
/// Pauses between tries; one more try than there are pauses.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(3)];
/// What is read of an answer.
const ANSWER: usize = 64 << 10;

/// Posts it, a few times if need be.
pub(super) async fn post(task: &Task, url: &str, ca: Option<&Path>) -> Result<String> {
    let mut pauses = PAUSES.iter();
    loop {
        let tried = tokio::time::timeout(LIMIT, once(task, url, ca)).await;
        let error = match tried.unwrap_or_else(|_| Err(anyhow!("no answer within {} s", LIMIT.as_secs()))) {
            Ok(status) => return Ok(format!("answered {status}")),
            Err(error) => error,
        };
        match pauses.next() {
            Some(pause) => tokio::time::sleep(*pause).await,
            None => return Err(error.context(format!("{} tries", PAUSES.len() + 1))),
        }
    }
}

async fn once(task: &Task, url: &str, ca: Option<&Path>) -> Result<u16> {
    let to = Address::parse(url).context("the address of a webhook")?;
    let stream = TcpStream::connect((to.host.as_str(), to.port))
        .await
        .with_context(|| format!("{to} cannot be reached"))?;
    match to.tls {
        true => exchange(task, &to, tls::agree(stream, &to, ca).await?).await,
        false => exchange(task, &to, stream).await,
    }
}

/// One request and its answer.
async fn exchange(
    task: &Task,
    to: &Address,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<u16> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::post(to.path.as_str())
        .header("host", to.authority.as_str())
        .header("content-type", "application/json")
        .header("idempotency-key", task.key())
        .body(Full::new(Bytes::from(task.json.clone())))?;
    let answer = async {
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        // Read, so that the other end is done with it; what it says is not ours to understand.
        let _body = Limited::new(answer.into_body(), ANSWER).collect().await;
        drop(sender);
        Ok::<_, hyper::Error>(status)
    };
    // The connection is driven beside it, and ends with it.
    let (status, _end) = tokio::join!(answer, connection);
    let status = status?;
    if !status.is_success() {
        bail!("{to} answered {status}");
    }
    Ok(status.as_u16())
}

#[cfg(test)]
mod tests;
