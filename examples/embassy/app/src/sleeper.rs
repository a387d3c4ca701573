//! A node that sleeps most of the time: it wakes, measures, tells the server, does what is wanted of it, and sleeps. Copy this file and make it yours.

use embassy_futures::select::{Either4, select4};
use embassy_time::{Duration, Instant};
use sensock_device::{Buffers, Carry, Device, EmbassyClock, Node, Slept};

use crate::application::{FRAME, network, obey};
use crate::catalogue::{CATALOGUE, HUMIDITY, INTERVAL, INTERVAL_DEFAULT_MS, INTERVAL_MS, TEMPERATURE};
use crate::proof::Proof;
use crate::{Board, Led, Rtc, Sensor, Worst};

/// The longest that a wake lasts: without a server it is for nothing.
const AWAKE: Duration = Duration::from_secs(20);
/// Samples in a wake.
const SAMPLES: usize = 3;

/// How a wake went.
#[derive(Clone, Copy, Debug)]
pub struct Woke {
    /// What the server knows, and what is not stored. It is kept already.
    pub slept: Slept,
    /// How long the device was awake, from its start on: dialling is in it, what the chip needs to start is not.
    pub awake: Duration,
    /// How long it shall sleep.
    pub asleep: Duration,
}

/// One wake. Then the board sleeps for [`Woke::asleep`], and starts anew.
///
/// # Panics
/// If its key line or its id is none, or its outbox was started before: both show at the first boot.
pub async fn wake<L: Led, const N: usize>(board: Board<L, N>, mut sensor: impl Sensor, rtc: &Rtc) -> Woke {
    let begin = Instant::now();
    let Board { id, random, stack, server, boot, outbox, led } = board;
    let proof = Proof::with(random);
    let node = Node { id, key: proof.key(), catalog: &CATALOGUE, boot };
    let mut buffers = Buffers::<FRAME>::new();
    let Ok((device, mut runner)) = outbox.try_start(&node, EmbassyClock, &mut buffers) else {
        panic!("the id is no device id, or the outbox was started before");
    };
    let mut keep = |carry: &Carry| rtc.keep(carry);
    runner.keep(&mut keep);
    for _ in 0..SAMPLES {
        record(device, &mut sensor).await;
    }
    // What the server asks for now may change how long the device sleeps: it is told the interval that held as it woke.
    let asleep = Duration::from_millis(rtc.interval_ms().unwrap_or(INTERVAL_DEFAULT_MS).into());
    let cycle = device.cycle(EmbassyClock, AWAKE, asleep, network(runner, stack, server));
    let tune = async {
        loop {
            let ms = device.setting(&INTERVAL).await;
            rtc.keep_interval(ms.clamp(INTERVAL_MS.0, INTERVAL_MS.1));
        }
    };
    let read_now = async {
        loop {
            device.read_now().await;
            record(device, &mut sensor).await;
        }
    };
    // It samples when it wakes: nothing is due, nothing late.
    let obeying = obey(device, led, Worst::default);
    let slept = match select4(cycle, obeying, tune, read_now).await {
        Either4::First(slept) => slept,
        Either4::Second(never) | Either4::Third(never) | Either4::Fourth(never) => never,
    };
    rtc.keep(&slept.carry);
    Woke { slept, awake: begin.elapsed(), asleep }
}

async fn record(device: Device<'_>, sensor: &mut impl Sensor) {
    let sample = sensor.read().await;
    let _position = device.record(&[TEMPERATURE.is(sample.temperature), HUMIDITY.is(sample.humidity)]);
}
