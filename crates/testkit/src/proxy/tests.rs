use super::*;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;

/// Both ends of one connection through a proxy.
struct Ends {
    proxy: Proxy,
    device: TcpStream,
    server: TcpStream,
}

async fn connect(proxy: Proxy, listener: &TcpListener) -> Ends {
    let device = TcpStream::connect(proxy.addr()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    Ends { proxy, device, server }
}

async fn ends() -> Ends {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap()).unwrap();
    connect(proxy, &listener).await
}

async fn read(stream: &mut TcpStream, bytes: usize) -> Vec<u8> {
    let mut got = vec![0; bytes];
    timeout(Duration::from_secs(20), stream.read_exact(&mut got)).await.expect("bytes in time").unwrap();
    got
}

/// Nothing arrives, and the connection stays up: waits long enough for loopback to have delivered it.
async fn is_silent(stream: &mut TcpStream) -> bool {
    timeout(Duration::from_millis(60), stream.read_u8()).await.is_err()
}

/// Whether a dial is reset, be it while connecting or just after.
async fn is_reset(addr: SocketAddr) -> bool {
    match TcpStream::connect(addr).await {
        Ok(mut stream) => stream.read_u8().await.is_err(),
        Err(_) => true,
    }
}

#[tokio::test]
async fn a_perfect_line_carries_both_ways_and_half_closes() {
    let Ends { proxy, mut device, mut server } = ends().await;
    device.write_all(b"up").await.unwrap();
    server.write_all(b"down").await.unwrap();
    assert_eq!(read(&mut server, 2).await, b"up");
    assert_eq!(read(&mut device, 4).await, b"down");
    device.shutdown().await.unwrap();
    assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
    server.write_all(b"still").await.unwrap();
    assert_eq!(read(&mut device, 5).await, b"still");
    assert_eq!(proxy.open(), 1);
    drop(server);
    proxy.until(|proxy| proxy.open() == 0).await;
    assert_eq!((proxy.accepted(), proxy.carried(Way::Up), proxy.carried(Way::Down)), (1, 2, 9));
}

#[tokio::test]
async fn a_cut_resets_both_ends_and_a_close_does_not() {
    let Ends { proxy, mut device, mut server } = ends().await;
    assert_eq!(proxy.cut(), 1);
    assert_eq!(device.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(server.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    proxy.until(|proxy| proxy.open() == 0).await;

    let Ends { proxy, mut device, mut server } = ends().await;
    assert_eq!(proxy.close(), 1);
    assert_eq!(device.read(&mut [0; 1]).await.unwrap(), 0);
    assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_reset_of_one_end_reaches_the_other() {
    let Ends { proxy: _proxy, device, mut server } = ends().await;
    device.set_zero_linger().unwrap();
    drop(device);
    assert_eq!(server.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_half_open_line_swallows_bytes_and_the_news_of_an_end() {
    let Ends { proxy, mut device, mut server } = ends().await;
    proxy.half_open();
    device.write_all(b"lost").await.unwrap();
    drop(device);
    assert!(is_silent(&mut server).await);
    server.write_all(b"lost too").await.unwrap();
    assert_eq!((proxy.open(), proxy.carried(Way::Up)), (1, 0));
    proxy.cut();
    assert!(server.read_u8().await.is_err());
}

#[tokio::test]
async fn a_stalled_line_delivers_everything_later() {
    let Ends { proxy, mut device, mut server } = ends().await;
    proxy.set_way(Way::Up, Line::perfect().flowing(Flow::Stall));
    device.write_all(b"later").await.unwrap();
    assert!(is_silent(&mut server).await);
    server.write_all(b"now").await.unwrap();
    assert_eq!(read(&mut device, 3).await, b"now");
    proxy.heal();
    assert_eq!(read(&mut server, 5).await, b"later");
}

#[tokio::test]
async fn a_stalled_line_makes_the_sender_wait() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::with_buffer(listener.local_addr().unwrap(), 1024).unwrap();
    let Ends { proxy, device, server: _server } = connect(proxy, &listener).await;
    proxy.set(Line::perfect().flowing(Flow::Stall));
    let mut sent = 0;
    while let Ok(ready) = timeout(Duration::from_millis(60), device.writable()).await {
        ready.unwrap();
        sent += device.try_write(&[0; 4096]).unwrap_or(0);
        assert!(sent < 64 << 20, "a stalled line took {sent} bytes");
    }
    assert_eq!(proxy.carried(Way::Up), 0);
}

#[tokio::test]
async fn a_delay_is_kept_and_costs_no_throughput() {
    let Ends { proxy, mut device, mut server } = ends().await;
    proxy.set(Line::perfect().delayed(Duration::from_millis(50)));
    let started = Instant::now();
    device.write_all(b"?").await.unwrap();
    read(&mut server, 1).await;
    server.write_all(b"!").await.unwrap();
    read(&mut device, 1).await;
    assert!(started.elapsed() >= Duration::from_millis(100), "{:?}", started.elapsed());

    let started = Instant::now();
    for _ in 0..50 {
        device.write_all(&[1; 100]).await.unwrap();
    }
    read(&mut server, 5000).await;
    assert!(started.elapsed() < Duration::from_secs(2), "delays add up: {:?}", started.elapsed());
}

#[tokio::test]
async fn a_drip_keeps_its_rate_and_healing_ends_it() {
    let Ends { proxy, mut device, mut server } = ends().await;
    proxy.set(Line::perfect().dripping(1000));
    let started = Instant::now();
    device.write_all(&[7; 200]).await.unwrap();
    read(&mut server, 100).await;
    assert!(started.elapsed() >= Duration::from_millis(75), "{:?}", started.elapsed());
    read(&mut server, 100).await;

    proxy.set(Line::perfect().dripping(1));
    device.write_all(&[8; 50]).await.unwrap();
    read(&mut server, 1).await;
    proxy.heal();
    assert_eq!(read(&mut server, 49).await, [8; 49]);
}

/// What is written all the time takes the line's time, and no more is under way than travels and waits in the stated buffers.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_narrow_line_keeps_its_rate_delay_and_buffers_at_once() {
    const BYTES: usize = 15_625;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::with_buffer(listener.local_addr().unwrap(), 1024).unwrap();
    proxy.set(Line::narrow(250_000, Duration::from_millis(100)));
    let device = proxy.dial().await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let started = Instant::now();
    let reading = tokio::spawn(async move {
        read(&mut server, BYTES).await;
        started.elapsed()
    });
    let (mut sent, mut ahead) = (0, 0);
    while sent < BYTES {
        timeout(Duration::from_secs(20), device.writable()).await.unwrap().unwrap();
        sent += device.try_write(&[3; 512][..512.min(BYTES - sent)]).unwrap_or(0);
        ahead = ahead.max(sent - proxy.carried(Way::Up) as usize);
    }
    let took = timeout(Duration::from_secs(20), reading).await.unwrap().unwrap();
    // Half a second's worth, and half of the round trip; a line that is ahead by a late timer is ahead only once.
    assert!(took >= Duration::from_millis(540), "{took:?}");
    // What travels, what the proxy holds, and what Linux does.
    assert!(ahead <= 1_562 + 1_024 + 5_184, "{ahead} bytes are under way");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_cut_after_n_bytes_delivers_exactly_those() {
    let Ends { proxy, mut device, mut server } = ends().await;
    proxy.cut_after(Way::Up, Some(7));
    device.write_all(b"12345").await.unwrap();
    assert_eq!(read(&mut server, 5).await, b"12345");
    device.write_all(b"6789").await.unwrap();
    assert_eq!(read(&mut server, 2).await, b"67");
    assert_eq!(server.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert!(device.read_u8().await.is_err());
}

#[tokio::test]
async fn a_close_after_n_bytes_truncates_in_good_order() {
    let Ends { proxy, mut device, mut server } = ends().await;
    proxy.close_after(Way::Up, Some(3));
    device.write_all(b"12345").await.unwrap();
    assert_eq!(read(&mut server, 3).await, b"123");
    assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
    assert!(!proxy.is_armed(Way::Up));
    proxy.until(|proxy| proxy.open() == 0).await;
}

#[tokio::test]
async fn orphans_stay_half_open_while_later_connections_are_served() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap()).unwrap();
    let Ends { proxy, mut device, mut server } = connect(proxy, &listener).await;
    assert_eq!(proxy.orphan(&[Way::Up]), 1);
    device.write_all(b"lost").await.unwrap();
    server.write_all(b"heard").await.unwrap();
    assert_eq!(read(&mut device, 5).await, b"heard");
    assert!(is_silent(&mut server).await);
    assert_eq!(proxy.orphan(&[Way::Up, Way::Down]), 1);
    server.write_all(b"lost too").await.unwrap();
    let Ends { proxy, device: mut second, server: mut second_server } = connect(proxy, &listener).await;
    second.write_all(b"fine").await.unwrap();
    assert_eq!(read(&mut second_server, 4).await, b"fine");
    assert!(is_silent(&mut device).await);
    // Once both ends have given up nothing is kept for them.
    drop((device, server));
    proxy.until(|proxy| proxy.open() == 1).await;
}

#[tokio::test]
async fn a_mirrored_connection_reaches_the_target_twice() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap()).unwrap();
    proxy.mirror(true);
    let Ends { proxy: _proxy, mut device, mut server } = connect(proxy, &listener).await;
    let (mut twin, _) = listener.accept().await.unwrap();
    device.write_all(b"once").await.unwrap();
    assert_eq!((read(&mut server, 4).await, read(&mut twin, 4).await), (b"once".into(), b"once".into()));
    twin.write_all(b"unread").await.unwrap();
    drop(twin);
    server.write_all(b"answer").await.unwrap();
    assert_eq!(read(&mut device, 6).await, b"answer");
    device.write_all(b"more").await.unwrap();
    assert_eq!(read(&mut server, 4).await, b"more");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_proxy_dials_from_the_address_that_it_is_given() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap()).unwrap();
    proxy.dial_from(IpAddr::V4([127, 3, 2, 1].into()));
    let _device = TcpStream::connect(proxy.addr()).await.unwrap();
    assert_eq!(listener.accept().await.unwrap().1.ip().to_string(), "127.3.2.1");
}

#[tokio::test]
async fn refused_and_unreachable_targets_are_resets_and_a_new_target_is_used() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = SocketAddr::from(([127, 0, 0, 1], crate::net::free_port().unwrap()));
    let proxy = Proxy::start(nowhere).unwrap();
    assert!(is_reset(proxy.addr()).await);

    proxy.set_target(listener.local_addr().unwrap());
    proxy.refuse(true);
    assert!(is_reset(proxy.addr()).await);
    proxy.refuse(false);
    let mut ends = connect(proxy, &listener).await;
    ends.device.write_all(b"x").await.unwrap();
    assert_eq!(read(&mut ends.server, 1).await, b"x");
    assert_eq!(ends.proxy.accepted(), 3);
}

#[test]
fn a_proxy_serves_blocking_code_too_and_its_drop_ends_connections() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap()).unwrap();
    let mut device = std::net::TcpStream::connect(proxy.addr()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    device.write_all(b"hi").unwrap();
    let mut got = [0; 2];
    server.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"hi");
    let addr = proxy.addr();
    drop(proxy);
    assert!(server.read_exact(&mut got).is_err());
    assert!(std::net::TcpStream::connect_timeout(&addr, Duration::from_millis(500)).is_err());
}
