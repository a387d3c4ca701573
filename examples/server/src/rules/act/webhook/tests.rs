use super::*;
use crate::rules::zone::What;

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const DONE: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// One request, and its answer.
async fn hear(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) -> Option<String> {
    let mut text = String::new();
    while !text.ends_with('}') {
        let mut buffer = [0; 512];
        let n = stream.read(&mut buffer).await.ok().filter(|n| *n > 0)?;
        text.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
    }
    stream.write_all(answer.as_bytes()).await.unwrap();
    Some(text)
}

/// A server that answers each connection with the next of these, and what it was sent.
async fn serve(answers: &'static [&'static str]) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/alarm?x=1", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let mut heard = Vec::new();
        for answer in answers {
            let (stream, _) = listener.accept().await.unwrap();
            heard.extend(hear(stream, answer).await);
        }
        heard
    });
    (url, heard)
}

/// The same over TLS: each connection is shown the next of these certificates. Its path holds a token.
async fn serve_tls(shown: Vec<Arc<ServerConfig>>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/s3cret?token=s3cret", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let mut heard = Vec::new();
        for config in shown {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                heard.extend(hear(stream, DONE).await);
            }
        }
        heard
    });
    (url, heard)
}

/// An authority of one's own, with its file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    fn new(directory: &Path, name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = directory.join(format!("{name}.pem"));
        std::fs::write(&file, issuer.as_ref().pem()).unwrap();
        Self { issuer, file }
    }

    /// What a server shows that is of this name, up to that year.
    fn signs(&self, name: &str, until: i32) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth();
        Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }
}

const HERE: &str = "127.0.0.1";

fn task() -> Task {
    let what = What::Webhook { url: String::new(), ca: None };
    Task { alarm: "a-1".to_owned(), number: 2, what, until_us: i64::MAX, json: "{\"level\":3}".to_owned() }
}

/// What a person reads of a try that failed, and never a secret.
async fn failure(url: &str, ca: Option<&Path>) -> String {
    let said = format!("{:#}", once(&task(), url, ca).await.unwrap_err());
    assert!(!said.contains("s3cret"), "{said}");
    said
}

#[tokio::test]
async fn an_answer_of_the_other_end_is_told_and_a_failure_is_tried_again() {
    let (url, heard) = serve(&["HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", DONE]).await;
    assert_eq!(post(&task(), &url, None).await.unwrap(), "answered 204");
    let heard = heard.await.unwrap();
    assert_eq!(heard.len(), 2);
    for text in heard {
        assert!(text.starts_with("POST /alarm?x=1 HTTP/1.1\r\n"), "{text}");
        assert!(text.contains("idempotency-key: a-1/2\r\n") && text.ends_with("{\"level\":3}"), "{text}");
    }
}

#[tokio::test]
async fn an_address_that_cannot_be_one_is_told_without_its_secrets() {
    for (url, expected) in [
        ("ftp://example.org/s3cret", "neither with https:// nor with http://"),
        ("no address s3cret", "no address"),
        ("https:///s3cret", "no address"),
        ("https://me:s3cret@example.org/", "a user and a password cannot stand before the host"),
    ] {
        let said = failure(url, None).await;
        assert!(said.contains(expected), "{url}: {said}");
    }
    let what = What::Webhook { url: "https://[::1]:8443/s3cret?s3cret".to_owned(), ca: None };
    assert_eq!(what.to_string(), "webhook https://[::1]:8443");
}

#[tokio::test]
async fn a_server_whose_authority_is_known_is_called_once() {
    let directory = tempfile::tempdir().unwrap();
    let cellar = Authority::new(directory.path(), "cellar");
    // Whoever tried again would be heard again.
    let (url, heard) = serve_tls(vec![cellar.signs(HERE, 2090)]).await;
    assert_eq!(post(&task(), &url, Some(&cellar.file)).await.unwrap(), "answered 204");
    let heard = heard.await.unwrap();
    assert_eq!(heard.len(), 1);
    let text = &heard[0];
    assert!(text.starts_with("POST /s3cret?token=s3cret HTTP/1.1\r\nhost: 127.0.0.1:"), "{text}");
    assert!(text.contains("idempotency-key: a-1/2\r\n") && text.ends_with("{\"level\":3}"), "{text}");
}

#[tokio::test]
async fn a_server_of_another_authority_is_not_called_and_is_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let [cellar, other] = ["cellar", "other"].map(|name| Authority::new(directory.path(), name));
    let (url, heard) = serve_tls(vec![other.signs(HERE, 2090)]).await;
    let said = failure(&url, Some(&cellar.file)).await;
    assert!(said.starts_with("https://127.0.0.1:"), "{said}");
    assert!(said.contains("is signed by no authority of ") && said.contains("cellar.pem"), "{said}");
    assert!(said.contains("set the action's `ca` to the PEM file of the authority that signed it"), "{said}");
    assert!(heard.await.unwrap().is_empty(), "nothing is sent to a stranger");
    // Nobody's own authority is among those of the system.
    let (url, heard) = serve_tls(vec![cellar.signs(HERE, 2090)]).await;
    let said = failure(&url, None).await;
    assert!(said.contains("set the action's `ca` to"), "{said}");
    if tls::SYSTEM.iter().any(|file| Path::new(file).exists()) {
        assert!(heard.await.unwrap().is_empty());
    }
    // A certificate that is put right meanwhile is found by the next try.
    let (url, heard) = serve_tls(vec![other.signs(HERE, 2090), cellar.signs(HERE, 2090)]).await;
    assert_eq!(post(&task(), &url, Some(&cellar.file)).await.unwrap(), "answered 204");
    assert_eq!(heard.await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_told_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let cellar = Authority::new(directory.path(), "cellar");
    let shown = [
        (cellar.signs("siren.example.org", 2090), "its certificate is not for 127.0.0.1: write a name"),
        (cellar.signs(HERE, 2021), "its certificate has expired: renew it there"),
    ];
    for (config, expected) in shown {
        let (url, heard) = serve_tls(vec![config]).await;
        let said = failure(&url, Some(&cellar.file)).await;
        assert!(said.contains(expected), "{said}");
        assert!(heard.await.unwrap().is_empty());
    }
    let (url, _heard) = serve_tls(vec![cellar.signs(HERE, 2090)]).await;
    let absent = directory.path().join("absent.pem");
    let said = failure(&url, Some(&absent)).await;
    assert!(said.contains("the action's `ca`, ") && said.contains("absent.pem, cannot be read"), "{said}");
    std::fs::write(&absent, "nothing").unwrap();
    let (url, _heard) = serve_tls(vec![cellar.signs(HERE, 2090)]).await;
    assert!(failure(&url, Some(&absent)).await.contains("holds no authority: expected PEM"));
    // Who speaks no TLS.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/s3cret", listener.local_addr().unwrap());
    let answering = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    });
    let said = failure(&url, Some(&cellar.file)).await;
    assert!(said.contains("no TLS 1.3 could be agreed on"), "{said}");
    drop(answering);
}
