//! A web handler that commands a device, waits a little, and says how it ended. A retry never runs the command twice.
//!
//! `POST /devices/{id}/relay/{on}`: 200 done, 202 stored but not done yet (come back with the ticket), 409 refused, and so on. The
//! example serves a device too, and makes its own requests.
#![allow(clippy::print_stdout, reason = "an example shows what happens")]

mod common;

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use catalog::RELAY;
use sensock_device::{Buffers, Outbox, TokioClock};
use sensock_server::{MemoryStore, Outcome, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The handler. The command is stored before anything is sent: it survives this process, and waits for a sleeper.
async fn switch(
    State(server): State<Server>,
    Path((device, on)): Path<(String, bool)>,
    headers: HeaderMap,
) -> (StatusCode, String) {
    let mut request = server.device(&device).command(&RELAY, on, Duration::from_secs(3600)).issuer("web");
    if let Some(key) = headers.get("idempotency-key").and_then(|k| k.to_str().ok()) {
        request = request.idempotency_key(key); // the same key finds the first command, whatever became of it
    }
    let ticket = match request.await {
        Ok(ticket) => ticket,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()),
    };
    let id = ticket.id;
    let outcome = tokio::time::timeout(Duration::from_secs(2), ticket.outcome()).await;
    match outcome {
        Ok(Outcome::Done(now)) => (StatusCode::OK, format!("ticket {id}: the relay is {}", word(now))),
        Ok(Outcome::Refused(code)) => (StatusCode::CONFLICT, format!("ticket {id}: refused, code {code}")),
        Ok(Outcome::Expired) => (StatusCode::GONE, format!("ticket {id}: too late")),
        Ok(Outcome::Undeliverable) => (StatusCode::CONFLICT, format!("ticket {id}: taken back or replaced")),
        Ok(Outcome::Unknown) => {
            (StatusCode::BAD_GATEWAY, format!("ticket {id}: it may have run; read the state"))
        }
        Err(_) => (StatusCode::ACCEPTED, format!("ticket {id}: stored; it runs within the hour, or expires")),
    }
}

fn word(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

static OUTBOX: Outbox<8192> = Outbox::new();

#[tokio::main]
async fn main() -> Result<()> {
    common::in_time(run()).await
}

async fn run() -> Result<()> {
    let known = common::Known::new("fan-1")?;
    let (server, _events) = Server::builder(MemoryStore::default(), known.keys()?).start().await?;
    let address = common::serve(&server)?;
    let app = Router::new().route("/devices/{id}/relay/{on}", post(switch)).with_state(server);
    let web = TcpListener::bind("127.0.0.1:0").await?;
    let web_address = web.local_addr()?;
    tokio::spawn(axum::serve(web, app).into_future());

    let (clock, mut buffers) = (TokioClock::new(), Buffers::<512>::new());
    let (device, mut runner) = OUTBOX.start(&known.node(), &clock, &mut buffers);
    let switched = Cell::new(0);
    let obey = async {
        loop {
            let call = device.next_command().await;
            call.on(&RELAY, |on| {
                switched.set(switched.get() + 1);
                println!("device: the relay clicks {}", word(on));
                Ok(on)
            })
            .otherwise_refuse();
        }
    };
    let caller = async {
        let first = request(web_address, "/devices/fan-1/relay/true", "order-17").await?;
        let retry = request(web_address, "/devices/fan-1/relay/true", "order-17").await?;
        ensure!(first.starts_with("HTTP/1.1 200") && first.contains("the relay is on"), "{first}");
        ensure!(retry.lines().last() == first.lines().last(), "another ticket: {retry}");
        ensure!(switched.get() == 1, "the relay clicked {} times", switched.get());
        let nowhere = request(web_address, "/devices/no%20name/relay/true", "order-18").await?;
        ensure!(nowhere.starts_with("HTTP/1.1 400"), "{nowhere}");
        Ok(())
    };
    tokio::select! {
        done = caller => done,
        () = obey => unreachable!("it obeys for ever"),
        never = common::dial(&mut runner, || address) => match never {},
    }
}

/// One request as a browser would make it.
async fn request(address: SocketAddr, path: &str, key: &str) -> Result<String> {
    let mut socket = TcpStream::connect(address).await?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: example\r\nidempotency-key: {key}\r\nconnection: close\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    println!("POST {path}: {}", answer.lines().last().unwrap_or_default());
    Ok(answer)
}
