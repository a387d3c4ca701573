//! A POST of the alarm as JSON to an address that the operator wrote into the rule file.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Task;

/// How long one try may take.
const LIMIT: Duration = Duration::from_secs(5);
/// Pauses between tries; one more try than there are pauses.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(3)];
/// What is read of an answer.
const ANSWER: usize = 64 << 10;

/// Posts it, a few times if need be.
pub(super) async fn post(task: &Task, url: &str) -> Result<String> {
    let mut pauses = PAUSES.iter();
    loop {
        let tried = tokio::time::timeout(LIMIT, once(task, url)).await;
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

async fn once(task: &Task, url: &str) -> Result<u16> {
    let uri: Uri = url.parse().with_context(|| format!("\"{url}\" is not an address"))?;
    if uri.scheme_str() != Some("http") {
        bail!("\"{url}\" does not begin with http:// (for https, let a proxy of yours carry it on)");
    }
    let authority = uri.authority().with_context(|| format!("\"{url}\" names no host"))?;
    let host = authority.host().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80)))
        .await
        .with_context(|| format!("{authority} cannot be reached"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::post(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header("host", authority.as_str())
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
        bail!("{authority} answered {status}");
    }
    Ok(status.as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::zone::What;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// A server that answers each connection with the next of these, and what it was sent.
    async fn serve(answers: &'static [&'static str]) -> (String, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/alarm?x=1", listener.local_addr().unwrap());
        let heard = tokio::spawn(async move {
            let mut heard = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut text = String::new();
                while !text.ends_with('}') {
                    let mut buffer = [0; 512];
                    let n = stream.read(&mut buffer).await.unwrap();
                    text.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
                }
                heard.push(text);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            heard
        });
        (url, heard)
    }

    fn task() -> Task {
        let what = What::Webhook { url: String::new() };
        Task {
            alarm: "a-1".to_owned(),
            number: 2,
            what,
            until_us: i64::MAX,
            json: "{\"level\":3}".to_owned(),
        }
    }

    #[tokio::test]
    async fn an_answer_of_the_other_end_is_told_and_a_failure_is_tried_again() {
        let (url, heard) =
            serve(&["HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"])
                .await;
        assert_eq!(post(&task(), &url).await.unwrap(), "answered 204");
        let heard = heard.await.unwrap();
        assert_eq!(heard.len(), 2);
        for text in heard {
            assert!(text.starts_with("POST /alarm?x=1 HTTP/1.1\r\n"), "{text}");
            assert!(text.contains("idempotency-key: a-1/2\r\n") && text.ends_with("{\"level\":3}"), "{text}");
        }
    }

    #[tokio::test]
    async fn an_address_that_cannot_be_one_is_told() {
        let error = once(&task(), "https://example.com/x").await.unwrap_err().to_string();
        assert!(error.contains("http://"), "{error}");
        assert!(once(&task(), "no address").await.is_err());
    }
}
