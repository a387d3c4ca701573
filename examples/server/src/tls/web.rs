//! WebSocket inside TLS: one binary message is one frame (SPEC 1.1).

use std::{future, io};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use sensock_server::Transport;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

/// The sub-protocol that both ends name.
const PROTOCOL: &str = "sensock.1";
const NAME: &str = "sec-websocket-protocol";
/// No message is longer: a frame at its most.
const MESSAGE: usize = sensock::limits::FRAME_HARD_MAX;

/// Answers the request of a WebSocket.
pub(super) async fn accept(stream: TlsStream<TcpStream>) -> io::Result<Transport> {
    let config = WebSocketConfig::default().max_message_size(Some(MESSAGE)).max_frame_size(Some(MESSAGE));
    let socket = accept_hdr_async_with_config(stream, agree, Some(config)).await.map_err(io::Error::other)?;
    let frames = socket
        .filter_map(|message| {
            future::ready(match message {
                Ok(Message::Binary(frame)) => Some(Ok(frame)),
                Ok(_) => None, // WebSocket's own pings, and text that is not ours
                Err(error) => Some(Err(error)),
            })
        })
        .with(|frame: Bytes| future::ready(Ok::<_, Error>(Message::Binary(frame))));
    Ok(Transport::frames(frames))
}

/// A client has to say that it speaks this protocol: a page that dials by mistake is told, not left waiting.
#[allow(clippy::result_large_err, reason = "the signature is tungstenite's")]
fn agree(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let named = request.headers().get_all(NAME).iter().filter_map(|value| value.to_str().ok());
    if !named.flat_map(|names| names.split(',')).any(|name| name.trim() == PROTOCOL) {
        let words =
            format!("this is a sensock server: dial with the WebSocket sub-protocol \"{PROTOCOL}\"\n");
        let mut refusal = ErrorResponse::new(Some(words));
        *refusal.status_mut() = StatusCode::BAD_REQUEST;
        return Err(refusal);
    }
    response.headers_mut().insert(NAME, HeaderValue::from_static(PROTOCOL));
    Ok(response)
}
