//! A node that loses nothing to a power cut: an interrupt samples, flash keeps. Copy this file and make it yours.

use core::cell::Cell;

use embassy_futures::join::join5;
use embassy_net::{Ipv4Address, Stack};
use embedded_storage_async::nor_flash::MultiwriteNorFlash;
use sensock::{Lane, Position};
use sensock_device::flash::{Acceptance, Flash};
use sensock_device::{Buffers, Device, EmbassyClock, Node, Outbox, Random};

use crate::application::{FRAME, keep, network, obey};
use crate::catalogue::CATALOGUE;
use crate::proof::Proof;
use crate::{Led, Samples};

/// A board that logs.
pub struct Logger<S, L, const N: usize> {
    /// The device's name: 1 to 32 of `A-Z a-z 0-9 . _ -`.
    pub id: &'static str,
    /// Random bytes that nobody can guess, for the keys of each connection.
    pub random: Random,
    /// The network. It need not be up yet.
    pub stack: Stack<'static>,
    /// Where the server listens.
    pub server: (Ipv4Address, u16),
    /// Where records wait for the flash.
    pub outbox: &'static Outbox<N>,
    /// Where they wait for the server.
    pub flash: Flash<S>,
    /// What the interrupt fills: no erase of the flash keeps it from that.
    pub samples: &'static Samples,
    /// What the server may switch.
    pub led: L,
    /// Told of each position that no power cut can take away any more, and with it those before it.
    pub persisted: fn(Position),
}

/// Runs the board for ever.
///
/// # Panics
/// If the flash fails or holds something else, its key line or its id is none, or the outbox was started before.
pub async fn log<S: MultiwriteNorFlash, L: Led, const N: usize>(logger: Logger<S, L, N>) -> ! {
    let Logger { id, random, stack, server, outbox, mut flash, samples, led, persisted } = logger;
    let Ok(boot) = flash.recover(&CATALOGUE, Acceptance::AtOnce).await else {
        panic!("the flash cannot be read, or holds something else: erase it");
    };
    let proof = Proof::with(random);
    let node = Node { id, key: proof.key(), catalog: &CATALOGUE, boot };
    let mut buffers = Buffers::<FRAME>::new();
    let Ok((device, runner)) = outbox.try_start(&node, EmbassyClock, &mut buffers) else {
        panic!("the id is no device id, or the outbox was started before");
    };
    let last = Cell::new(None);
    let keeping = async {
        let _failed = flash.run(device).await;
        panic!("the flash failed");
    };
    let recording = record(device, samples, &last);
    let reporting = report(device, &last, persisted);
    let obeying = obey(device, led, || samples.worst());
    let dialling = network(runner, stack, server);
    join5(keeping, recording, reporting, obeying, dialling).await.0
}

/// Records what the interrupt took, as of the moment at which it did.
async fn record(device: Device<'_>, samples: &Samples, last: &Cell<Option<Position>>) -> ! {
    loop {
        let taken = samples.next().await;
        if let Some(position) = keep(device, samples, taken) {
            last.set(Some(position));
        }
    }
}

/// Says how far the flash has come, each time that it caught up.
async fn report(device: Device<'_>, last: &Cell<Option<Position>>, persisted: fn(Position)) -> ! {
    let mut said = None;
    loop {
        match last.get().filter(|position| said != Some(*position)) {
            Some(position) => {
                device.persisted(Lane::Readings, position).await;
                persisted(position);
                said = Some(position);
            }
            None => embassy_time::Timer::after_millis(10).await,
        }
    }
}
