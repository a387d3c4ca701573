//! The application: measures on a grid, records, obeys, and keeps a connection. Copy this file and make it yours.

use core::cell::Cell;

use embassy_futures::join::join3;
use embassy_futures::select::{Either3, select3};
use embassy_net::tcp::TcpSocket;
use embassy_net::{Ipv4Address, Stack};
use embassy_time::{Duration, Instant, Timer, with_timeout};
use sensock_device::{Buffers, Clock, Device, EmbassyClock, Node, Runner};

use crate::catalogue::{
    CATALOGUE, HUMIDITY, INTERVAL, INTERVAL_DEFAULT_MS, INTERVAL_MS, LATE, LED, TEMPERATURE,
};
use crate::proof::Proof;
use crate::{Board, Grid, Led, Sensor};

/// The largest frame, either way. A frame is encoded in one go, while sampling waits: small frames keep that short.
pub(crate) const FRAME: usize = 320;
/// What a socket holds, either way: three frames.
const SOCKET: usize = 1_024;
/// Milliseconds before the second dial, and between dials at most: the server being away is no reason to wait for minutes.
const BACKOFF_MS: (u32, u32) = (250, 5_000);
/// A server that answers nothing for so long is not there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the board for ever.
///
/// # Panics
/// If its key line or its id is none, or its outbox was started before: both show at the first boot.
pub async fn run<S: Sensor, L: Led, const N: usize>(board: Board<S, L, N>) -> ! {
    let Board { id, random, stack, server, boot, outbox, sensor, led } = board;
    let proof = Proof::with(random);
    let node = Node { id, key: proof.key(), catalog: &CATALOGUE, boot };
    let mut buffers = Buffers::<FRAME>::new();
    let Ok((device, runner)) = outbox.try_start(&node, EmbassyClock, &mut buffers) else {
        panic!("the id is no device id, or the outbox was started before");
    };
    let late = Cell::new(0);
    let sampling = sample(device, sensor, &late);
    let obeying = obey(device, led, &late);
    let dialling = network(runner, stack, server);
    join3(sampling, obeying, dialling).await.0
}

/// Records what the sensor measures: once an interval, and at once when the server wants it. Never waits for the network.
///
/// `late` holds the worst lateness so far, in microseconds.
pub async fn sample(device: Device<'_>, mut sensor: impl Sensor, late: &Cell<u32>) -> ! {
    let mut grid = Grid::starting(Instant::now(), Duration::from_millis(INTERVAL_DEFAULT_MS.into()));
    loop {
        match select3(Timer::at(grid.due()), device.read_now(), device.setting(&INTERVAL)).await {
            Either3::First(()) => {
                let by = grid.taken(Instant::now()).as_micros();
                late.set(late.get().max(u32::try_from(by).unwrap_or(u32::MAX)));
            }
            // Off the grid, which goes on as it was.
            Either3::Second(()) => {}
            Either3::Third(ms) => {
                let interval = Duration::from_millis(ms.clamp(INTERVAL_MS.0, INTERVAL_MS.1).into());
                grid = Grid::starting(Instant::now() + interval, interval);
                continue;
            }
        }
        let sample = sensor.read().await;
        // Refused only if the catalogue does not list these; a full outbox drops its oldest and accounts for them.
        let _position = device.record(&[TEMPERATURE.is(sample.temperature), HUMIDITY.is(sample.humidity)]);
    }
}

/// Runs the server's commands.
pub async fn obey(device: Device<'_>, mut led: impl Led, late: &Cell<u32>) -> ! {
    loop {
        let call = device.next_command().await;
        call.on(&LED, |on| {
            led.set(on);
            Ok(on)
        })
        .on(&LATE, |()| Ok(late.take()))
        .otherwise_refuse();
    }
}

/// Keeps a connection to the server: dials, serves it until it ends, waits a little, dials again.
pub async fn network<C: Clock>(mut runner: Runner<'_, C>, stack: Stack<'_>, server: (Ipv4Address, u16)) -> ! {
    let (mut rx, mut tx) = ([0; SOCKET], [0; SOCKET]);
    runner.backoff_between(BACKOFF_MS.0, BACKOFF_MS.1);
    loop {
        stack.wait_config_up().await;
        let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
        socket.set_timeout(Some(PATIENCE));
        // Frames are written whole; waiting for more would only delay them.
        socket.set_nagle_enabled(false);
        if socket.connect(server).await.is_ok() {
            let (reader, writer) = socket.split();
            let _why = runner.connection(reader, writer).await;
            // What was said last shall arrive, if there is still someone to hear it.
            socket.close();
            let _heard = with_timeout(Duration::from_secs(1), socket.flush()).await;
        }
        drop(socket);
        runner.backoff().await;
    }
}
