//! A device over WebSocket, through [`Server::attach_frames`]: for browsers, proxies, and networks that let nothing else through.
//!
//! A message transport keeps frames apart by itself, so one binary message is one frame, with neither preface nor length (SPEC 1.1). The device crate
//! speaks the stream form; [`carry`] turns one into the other, which is all that a gateway does.
#![allow(clippy::print_stdout, reason = "an example shows what happens")]

mod common;

use anyhow::{Result, ensure};
use bytes::Bytes;
use catalog::{HUMIDITY, TEMPERATURE};
use embedded_io_adapters::tokio_1::FromTokio;
use futures_util::{SinkExt as _, StreamExt as _, future};
use sensock::deframe::{Length, PREFACE, prefixed};
use sensock_device::{Buffers, Outbox, TokioClock};
use sensock_server::{DeviceId, History as _, MemoryStore, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, client_async};

/// The sub-protocol that both ends name.
const PROTOCOL: &str = "sensock.1";

/// Takes WebSockets, and hands each of them to the server as frames.
async fn accept(server: Server, listener: TcpListener) -> Result<()> {
    loop {
        let (socket, peer) = listener.accept().await?;
        let server = server.clone();
        tokio::spawn(async move {
            let Ok(socket) = accept_hdr_async(socket, agree).await else { return };
            let frames = socket
                .filter_map(|message| {
                    future::ready(match message {
                        Ok(Message::Binary(frame)) => Some(Ok(frame)),
                        Ok(_) => None, // WebSocket's own pings, and text that is not ours
                        Err(error) => Some(Err(error)),
                    })
                })
                .with(|frame: Bytes| future::ready(Ok::<_, Error>(Message::Binary(frame))));
            server.attach_frames(frames, peer).await;
        });
    }
}

#[allow(clippy::result_large_err, reason = "the signature is tungstenite's")]
fn agree(_: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(PROTOCOL));
    Ok(response)
}

/// Between a device's byte stream and a WebSocket: cuts frames out of one, puts them into messages of the other, and back.
async fn carry(mut device: DuplexStream, mut web: WebSocketStream<TcpStream>) -> Result<()> {
    let (mut deframer, mut frame, mut chunk) = (Length::new(), [0; 4096], [0; 512]);
    device.write_all(&PREFACE).await?;
    loop {
        tokio::select! {
            read = device.read(&mut chunk) => {
                let mut bytes = &chunk[..read?];
                ensure!(!bytes.is_empty(), "the device hung up");
                while !bytes.is_empty() {
                    let (used, whole) = deframer.feed(bytes, &mut frame)?;
                    bytes = &bytes[used..];
                    if let Some(len) = whole {
                        web.send(Message::Binary(Bytes::copy_from_slice(&frame[..len]))).await?;
                    }
                }
            }
            message = web.next() => match message {
                Some(Ok(Message::Binary(message))) => {
                    let mut out = vec![0; 2 + message.len()];
                    out[2..].copy_from_slice(&message);
                    let at = prefixed(&mut out, message.len());
                    device.write_all(&out[at..]).await?;
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(()),
            }
        }
    }
}

static OUTBOX: Outbox<8192> = Outbox::new();

#[tokio::main]
async fn main() -> Result<()> {
    common::in_time(run()).await
}

async fn run() -> Result<()> {
    let known = common::Known::new("browser-1")?;
    let store = MemoryStore::default();
    let (server, _events) = Server::builder(store.clone(), known.keys()?).start().await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(accept(server, listener));

    let (clock, mut buffers) = (TokioClock::new(), Buffers::<512>::new());
    let (device, mut runner) = OUTBOX.start(&known.node(), &clock, &mut buffers);
    let network = async {
        loop {
            if let Ok(web) = connect(address).await {
                let (near, far) = tokio::io::duplex(4096);
                let (reader, writer) = tokio::io::split(near);
                tokio::select! {
                    why = runner.connection(FromTokio::new(reader), FromTokio::new(writer)) => println!("device: {why}"),
                    carried = carry(far, web) => println!("the WebSocket ended: {carried:?}"),
                }
            }
            runner.backoff().await;
        }
    };
    let sample = async {
        device.record(&[TEMPERATURE.is(21.5), HUMIDITY.is(40.1)])?;
        device.drain().await;
        let stored = store.latest(&DeviceId::new("browser-1")?).await?;
        for r in &stored {
            println!("stored over WebSocket: {} {:.2} {}", r.name, r.row.value, r.unit);
        }
        ensure!(stored.len() == 2, "{} readings are stored", stored.len());
        Ok(())
    };
    tokio::select! {
        done = sample => done,
        () = network => anyhow::bail!("the network task ended"),
    }
}

/// Dials, and insists on the sub-protocol.
async fn connect(address: std::net::SocketAddr) -> Result<WebSocketStream<TcpStream>> {
    let request = Request::builder()
        .uri(format!("ws://{address}/"))
        .header("host", address.to_string())
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", generate_key())
        .header("sec-websocket-protocol", PROTOCOL)
        .body(())?;
    let socket = TcpStream::connect(address).await?;
    let (web, response) = client_async(request, socket).await?;
    ensure!(
        response.headers().get("sec-websocket-protocol").is_some_and(|p| p == PROTOCOL),
        "not a sensock server"
    );
    Ok(web)
}
