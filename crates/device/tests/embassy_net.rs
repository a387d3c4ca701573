//! The device over embassy-net: two network stacks in one process, three independent tasks on the device's side.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::cell::Cell;
use std::time::Duration;

use catalog::{CELLAR, HUMIDITY, INTERVAL, RELAY, TEMPERATURE};
use common::Server;
use embassy_net::tcp::TcpSocket;
use embassy_net::{
    Config, Ipv4Address, Ipv4Cidr, Runner as NetRunner, Stack, StackResources, StaticConfigV4,
};
use embassy_net_driver_channel as channel;
use embedded_io_async::Write as _;
use sensock::catalog::Policy;
use sensock::wire::data::Outcome;
use sensock::{Lane, Position};
use sensock_device::{Boot, Buffers, EmbassyClock, Key, Node, Outbox};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const MTU: usize = 1514;
const PORT: u16 = 7070;
type End = (channel::Runner<'static, MTU>, channel::Device<'static, MTU>);

/// Stands for a static of a board.
fn board<T>(value: T) -> &'static mut T {
    Box::leak(Box::new(value))
}

fn end(mac: u8) -> End {
    let address = channel::driver::HardwareAddress::Ethernet([2, 0, 0, 0, 0, mac]);
    channel::new(board(channel::State::<MTU, 8, 8>::new()), address)
}

fn stack(
    device: channel::Device<'static, MTU>,
    last: u8,
) -> (Stack<'static>, NetRunner<'static, channel::Device<'static, MTU>>) {
    let address = Ipv4Cidr::new(Ipv4Address::new(10, 0, 2, last), 24);
    let config =
        Config::ipv4_static(StaticConfigV4 { address, gateway: None, dns_servers: Default::default() });
    embassy_net::new(device, config, board(StackResources::<3>::new()), last.into())
}

/// The cable: carries frames both ways, as long as it is plugged.
async fn cable(a: channel::Runner<'static, MTU>, b: channel::Runner<'static, MTU>, plugged: &Cell<bool>) {
    let (state_a, mut rx_a, mut tx_a) = a.split();
    let (state_b, mut rx_b, mut tx_b) = b.split();
    state_a.set_link_state(channel::driver::LinkState::Up);
    state_b.set_link_state(channel::driver::LinkState::Up);
    let there = async {
        loop {
            let frame = tx_a.tx_buf().await;
            let len = frame.len();
            if plugged.get() {
                rx_b.rx_buf().await[..len].copy_from_slice(frame);
                rx_b.rx_done(len);
            }
            tx_a.tx_done();
        }
    };
    let back = async {
        loop {
            let frame = tx_b.tx_buf().await;
            let len = frame.len();
            if plugged.get() {
                rx_a.rx_buf().await[..len].copy_from_slice(frame);
                rx_a.rx_done(len);
            }
            tx_b.tx_done();
        }
    };
    tokio::join!(there, back);
}

/// The other stack: each TCP connection that it accepts goes to the server.
async fn gateway(stack: Stack<'static>, server: &Server) {
    let (rx, tx) = (board([0; 4096]), board([0; 4096]));
    loop {
        let mut socket = TcpSocket::new(stack, rx, tx);
        socket.set_timeout(Some(embassy_time::Duration::from_secs(2)));
        if socket.accept(PORT).await.is_err() {
            continue;
        }
        let (ours, theirs) = tokio::io::duplex(4096);
        let (mut server_reader, mut server_writer) = tokio::io::split(ours);
        let (mut reader, mut writer) = socket.split();
        let up = async {
            let mut bytes = [0; 1024];
            while let Ok(n @ 1..) = reader.read(&mut bytes).await {
                if server_writer.write_all(&bytes[..n]).await.is_err() {
                    return;
                }
            }
        };
        let down = async {
            let mut bytes = [0; 1024];
            while let Ok(n @ 1..) = server_reader.read(&mut bytes).await {
                if writer.write_all(&bytes[..n]).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! { () = up => {}, () = down => {}, () = server.serve(theirs) => {} }
        socket.abort();
    }
}

#[tokio::test]
async fn three_tasks_and_a_cable_that_is_pulled() {
    static OUTBOX: Outbox<8192> = Outbox::new();
    let (server, plugged) = (Server::new(), Cell::new(true));
    let ((wire_a, card_a), (wire_b, card_b)) = (end(1), end(2));
    let ((stack, mut net), (far, mut far_net)) = (stack(card_a, 15), stack(card_b, 2));

    let node = Node { id: "cellar-3", key: Key::Insecure, catalog: &CELLAR, boot: Boot::Number(1) };
    let mut buffers = Buffers::<512>::new();
    let (device, mut runner) = OUTBOX.start(&node, EmbassyClock, &mut buffers);
    runner.backoff_between(20, 200);
    let (period, relay) = (Cell::new(5), Cell::new(false));
    let sample = async {
        loop {
            device.record(&[TEMPERATURE.is(21.5), HUMIDITY.is(48.0)]).unwrap();
            embassy_time::Timer::after_millis(period.get()).await;
        }
    };
    let obey = async {
        loop {
            device
                .next_command()
                .await
                .on(&RELAY, |on| {
                    relay.set(on);
                    Ok(on)
                })
                .otherwise_refuse();
        }
    };
    let tune = async {
        loop {
            period.set(device.setting(&INTERVAL).await.into());
        }
    };
    let network = async {
        stack.wait_config_up().await;
        let (mut rx, mut tx) = ([0; 1024], [0; 1024]);
        loop {
            let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
            socket.set_timeout(Some(embassy_time::Duration::from_millis(500)));
            if socket.connect((Ipv4Address::new(10, 0, 2, 2), PORT)).await.is_ok() {
                let (reader, writer) = socket.split();
                let _why = runner.connection(reader, writer).await;
            }
            runner.backoff().await;
        }
    };
    let pull = async {
        device.drain().await;
        server.command(1, RELAY.key(), Policy::Once, &[1]);
        server.setting(INTERVAL.key(), 1, &[2]);
        while !relay.get() || period.get() != 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        plugged.set(false);
        while device.is_connected() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let before = device.status().accepted;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(device.status().accepted > before + 10, "sampling goes on");
        plugged.set(true);
        device.drain().await;
        while server.desk().replies().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let everything = async {
        tokio::select! {
            _ = net.run() => {}
            _ = far_net.run() => {}
            () = cable(wire_a, wire_b, &plugged) => {}
            () = gateway(far, &server) => {}
            () = async { tokio::join!(sample, obey, tune, network); } => {}
            () = pull => return,
        }
        panic!("only the story ends");
    };
    tokio::time::timeout(Duration::from_secs(30), everything).await.expect("stuck");
    let desk = server.desk();
    let stored = desk.positions(Lane::Readings);
    assert_eq!(stored[0], Position::new(1, 0));
    assert!(stored.windows(2).all(|w| w[1] == w[0].next()) && desk.gaps() == 0);
    assert_eq!(desk.replies(), [(1, Outcome::Done)]);
    assert!(desk.hellos.len() >= 2);
}
