//! What has to be agreed on before frames flow is bounded in time and in number.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io;
use std::net::SocketAddr;

use sensock_server::{AnyDevice, Limits, MemoryStore, Server, Transport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A server that wants one byte first, a 1.
async fn serve(limits: impl FnOnce(&mut Limits)) -> SocketAddr {
    let mut l = Limits::default();
    limits(&mut l);
    let (server, _) = Server::builder(MemoryStore::default(), AnyDevice).limits(l).start().await.unwrap();
    let listener = sensock_server::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let agree = async |mut io: TcpStream, _| match io.read_u8().await? {
        1 => Ok(Transport::stream(io)),
        other => Err(io::Error::other(format!("{other}"))),
    };
    let agree = move |io, peer| -> futures_util::future::BoxFuture<'static, _> { Box::pin(agree(io, peer)) };
    tokio::spawn(async move { server.serve_through(listener, agree, std::future::pending()).await });
    address
}

/// What the server says until it closes.
async fn answer(mut io: TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let _reset = io.read_to_end(&mut answer).await;
    answer
}

#[tokio::test]
async fn what_was_agreed_on_is_served() {
    let mut io = TcpStream::connect(serve(|_| {}).await).await.unwrap();
    io.write_all(b"\x01GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert!(answer(io).await.starts_with(b"HTTP/1.1 4"));
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_closed_in_time_and_counts_like_a_failed_handshake() {
    let address = serve(|l| l.bad_handshakes = 2).await;
    let begun = tokio::time::Instant::now();
    let silent = TcpStream::connect(address).await.unwrap();
    assert_eq!(answer(silent).await, b"");
    // Nothing but the server's patience made the clock go on.
    assert_eq!(begun.elapsed().as_secs(), 10);

    let mut wrong = TcpStream::connect(address).await.unwrap();
    wrong.write_all(&[2]).await.unwrap();
    assert_eq!(answer(wrong).await, b"");
    let mut third = TcpStream::connect(address).await.unwrap();
    let _refused = third.write_all(b"\x01GET / HTTP/1.1\r\n\r\n").await;
    assert_eq!(answer(third).await, b"", "turned away: two went wrong within a minute");
}

#[tokio::test]
async fn no_more_than_so_many_agree_at_once() {
    let address = serve(|l| l.agreeing = 1).await;
    let mut first = TcpStream::connect(address).await.unwrap();
    let second = TcpStream::connect(address).await.unwrap();
    assert_eq!(answer(second).await, b"", "closed: the first takes the only place");
    first.write_all(b"\x01GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert!(answer(first).await.starts_with(b"HTTP/1.1 4"));
}
