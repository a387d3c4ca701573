//! The application: records what an interrupt measures, obeys, and keeps a connection. Copy this file and make it yours.

use embassy_futures::join::join3;
use embassy_futures::select::{Either3, select3};
use embassy_net::tcp::TcpSocket;
use embassy_net::{Ipv4Address, Stack};
use embassy_time::{Duration, with_timeout};
use sensock::{Position, Tick};
use sensock_device::{Buffers, Clock, Device, EmbassyClock, Node, Runner};

use crate::catalogue::{
    CATALOGUE, HUMIDITY, INTERVAL, INTERVAL_DEFAULT_MS, INTERVAL_MS, LATE, LED, MISSED, TEMPERATURE,
};
use crate::proof::Proof;
use crate::samples::{Samples, Taken, Worst};
use crate::{Board, Led, Sensor};

/// The largest frame, either way. A frame is encoded in one go, while other tasks wait: small frames keep that short.
pub(crate) const FRAME: usize = 320;
/// What a socket holds, either way: three frames.
const SOCKET: usize = 1_024;
/// Milliseconds before the second dial, and between dials at most: the server being away is no reason to wait for minutes.
const BACKOFF_MS: (u32, u32) = (250, 5_000);
/// A server that answers nothing for so long is not there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes the samples, for ever. Spawn it on an executor that runs in an interrupt; [`run`] belongs to the one that does everything else.
pub async fn sample(samples: &Samples, sensor: impl Sensor) -> ! {
    samples.take(Duration::from_millis(INTERVAL_DEFAULT_MS.into()), sensor).await
}

/// Runs the board for ever, on what [`sample`] takes.
///
/// # Panics
/// If its key line or its id is none, or its outbox was started before: both show at the first boot.
pub async fn run<L: Led, const N: usize>(board: Board<L, N>, samples: &Samples) -> ! {
    let Board { id, random, stack, server, boot, outbox, led } = board;
    let proof = Proof::with(random);
    let node = Node { id, key: proof.key(), catalog: &CATALOGUE, boot };
    let mut buffers = Buffers::<FRAME>::new();
    let Ok((device, runner)) = outbox.try_start(&node, EmbassyClock, &mut buffers) else {
        panic!("the id is no device id, or the outbox was started before");
    };
    let recording = record(device, samples);
    let obeying = obey(device, led, || samples.worst());
    let dialling = network(runner, stack, server);
    join3(recording, obeying, dialling).await.0
}

/// Records what was taken, and has it taken as the server wants it: at another pace, or one at once. Never waits for the network.
pub async fn record(device: Device<'_>, samples: &Samples) -> ! {
    loop {
        match select3(samples.next(), device.read_now(), device.setting(&INTERVAL)).await {
            // Refused only if the catalogue does not list these; a full outbox drops its oldest and accounts for them.
            Either3::First(taken) => {
                let _position = keep(device, samples, taken);
            }
            Either3::Second(()) => samples.take_now(),
            Either3::Third(ms) => {
                samples.pace(Duration::from_millis(ms.clamp(INTERVAL_MS.0, INTERVAL_MS.1).into()));
            }
        }
    }
}

/// Records one, as of the moment at which it was taken; if some were lost meanwhile, with how many.
pub(crate) fn keep(device: Device<'_>, samples: &Samples, taken: Taken) -> Option<Position> {
    let (tick, missed) = (Tick(taken.at.as_millis()), samples.missed());
    let (temperature, humidity) =
        (TEMPERATURE.is(taken.sample.temperature), HUMIDITY.is(taken.sample.humidity));
    let position = match missed {
        None => device.record_at(tick, &[temperature, humidity]),
        Some(count) => device.record_at(tick, &[temperature, humidity, MISSED.is(count)]),
    };
    samples.recorded(taken.at, missed.filter(|_| position.is_ok()));
    position.ok()
}

/// Runs the server's commands.
pub async fn obey(device: Device<'_>, mut led: impl Led, worst: impl Fn() -> Worst) -> ! {
    loop {
        let call = device.next_command().await;
        call.on(&LED, |on| {
            led.set(on);
            Ok(on)
        })
        .on(&LATE, |()| {
            let Worst { late_us, waited_us } = worst();
            Ok((late_us, waited_us))
        })
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
