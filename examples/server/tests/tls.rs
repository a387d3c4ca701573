//! TLS in front of the server: a certificate of its own, a pin, what runs inside, and what does not get in.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use example_device::pin::Pin;
use futures_util::{SinkExt as _, StreamExt as _};
use sensock_testkit::process::Process;
use sensock_testkit::{binary, keys};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};

const PATIENCE: Duration = Duration::from_secs(30);

fn run(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sensockd"));
    command.current_dir(dir);
    command.args([
        "run",
        "--insecure",
        "--any-device",
        "--store",
        "sqlite:plants.sqlite",
        "--listen",
        "127.0.0.1:0",
    ]);
    keys::file(&dir.join("keys.txt"), ["attic-7"]).unwrap();
    command.args(["--tls-listen", "127.0.0.1:0", "--keys", "keys.txt"]);
    command
}

/// A server, its pin as it said it, and where it speaks TLS.
fn start(dir: &Path) -> (Process, Pin, SocketAddr) {
    let mut process = Process::spawn(&mut run(dir)).unwrap();
    let said = process.wait_for("sha256//", PATIENCE).unwrap();
    let pin = said.split([' ', ',']).find_map(|word| word.parse().ok()).unwrap();
    let said = process.wait_for("listening with TLS on", PATIENCE).unwrap();
    (process, pin, said.rsplit(' ').next().unwrap().parse().unwrap())
}

/// What stops a server from starting.
fn trouble(dir: &Path) -> String {
    let Output { status, stderr, .. } = run(dir).output().unwrap();
    assert!(!status.success());
    String::from_utf8(stderr).unwrap()
}

async fn dial(pin: Pin, server: SocketAddr, protocol: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(server).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    pin.connector(protocol).unwrap().connect(name, stream).await
}

#[test]
fn a_certificate_is_made_once_and_who_knows_its_pin_gets_in() {
    let dir = tempfile::tempdir().unwrap();
    let (mut process, pin, address) = start(dir.path());
    let mode = dir.path().join("sensockd.key").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let device = |pin: &str, records: &str| {
        let mut command = Command::new(binary::path("example-device", "example-device").unwrap());
        // A key inside of TLS, as anywhere.
        command.arg("--key").arg(dir.path().join("keys.txt"));
        command.args(["--server", &format!("localhost:{}", address.port()), "--id", "attic-7"]);
        command.args([
            "--interval-ms",
            "10",
            "--redial-ms",
            "50",
            "--max-records",
            records,
            "--tls-pin",
            pin,
        ]);
        command
    };
    let done = device(&pin.to_string(), "20").output().unwrap();
    assert!(done.status.success(), "{done:?}");
    process.wait_for("attic-7  connected for the first time", PATIENCE).unwrap();

    let other = "sha256//BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    let mut stranger = Process::spawn(&mut device(other, "20")).unwrap();
    stranger.wait_for("invalid peer certificate", PATIENCE).unwrap();
    drop(stranger);

    process.interrupt().unwrap();
    assert!(process.wait(PATIENCE).unwrap().success());
    let (_process, again, _) = start(dir.path());
    assert_eq!(again, pin);
}

#[tokio::test]
async fn a_renewed_certificate_needs_no_restart_and_half_of_one_changes_nothing() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_process, pin, address) = start(dir.path());
    let (renewed, new, _) = start(other.path());
    drop(renewed);
    for (file, shown) in [("sensockd.crt", pin), ("sensockd.key", new)] {
        std::fs::copy(other.path().join(file), dir.path().join(file)).unwrap();
        dial(shown, address, "sensock/1").await.unwrap();
    }
    dial(pin, address, "sensock/1").await.unwrap_err();
}

#[tokio::test]
async fn a_page_speaks_websocket_inside_and_a_page_that_dials_by_mistake_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (_process, pin, address) = start(dir.path());
    let mut request = format!("wss://localhost:{}/", address.port()).into_client_request().unwrap();

    let stream = dial(pin, address, "http/1.1").await.unwrap();
    let Err(Error::Http(answer)) = tokio_tungstenite::client_async(request.clone(), stream).await else {
        panic!("a page without the sub-protocol came in")
    };
    let words = String::from_utf8(answer.into_body().unwrap()).unwrap();
    assert!(words.contains("sub-protocol \"sensock.1\""), "{words}");

    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("sensock.1"));
    let stream = dial(pin, address, "http/1.1").await.unwrap();
    let (mut web, answer) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "sensock.1");
    web.send(Message::Binary("no Hello at all".into())).await.unwrap();
    // The server's Refused is one message, as each of its frames.
    let Message::Binary(refused) = web.next().await.unwrap().unwrap() else { panic!("no frame came") };
    assert!(String::from_utf8_lossy(&refused).contains("the first frame is no Hello"), "{refused:?}");
}

#[tokio::test]
async fn who_names_another_protocol_or_speaks_no_tls_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let (_process, pin, address) = start(dir.path());
    let error = dial(pin, address, "h2").await.unwrap_err();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(&sensock::deframe::PREFACE).await.unwrap();
    plain.write_all(&[0; 64]).await.unwrap();
    let mut answer = Vec::new();
    // An alert, and the end.
    let _reset = tokio::time::timeout(PATIENCE, plain.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.len() < 16, "{answer:?}");
}

#[test]
fn a_file_that_is_missing_or_open_to_others_is_named_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let (process, ..) = start(dir.path());
    drop(process);
    let (cert, key) = (dir.path().join("sensockd.crt"), dir.path().join("sensockd.key"));

    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let said = trouble(dir.path());
    assert!(said.contains("(mode 0640): chmod 600 sensockd.key"), "{said}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();

    let secret = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let said = trouble(dir.path());
    assert!(said.contains("its key sensockd.key is not: name it with --tls-key"), "{said}");
    std::fs::write(&key, secret).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();

    std::fs::write(&cert, "nothing").unwrap();
    let said = trouble(dir.path());
    assert!(said.contains("sensockd.crt") && said.contains("expected"), "{said}");
}
