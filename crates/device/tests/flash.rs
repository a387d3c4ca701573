//! An outbox in flash: what was persisted is never lost, whenever the power goes.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use catalog::{CELLAR, TEMPERATURE};
use common::nor::Nor;
use common::{Row, Server};
use futures_util::FutureExt;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use sensock::batch::Cell;
use sensock::{Lane, Position};
use sensock_device::flash::{Acceptance, Flash, FlashError};
use sensock_device::{Buffers, Device, Key, Node, Outbox, TokioClock};

/// What the application knows of its records over all boots.
#[derive(Default)]
struct Books {
    accepted: BTreeMap<(usize, Position), i32>,
    persisted: BTreeSet<(usize, Position)>,
    boots: BTreeSet<u32>,
    next: i32,
    cuts: u32,
}

impl Books {
    fn record(&mut self, device: Device<'_>, lane: Lane) {
        self.next += 1;
        let reading = [TEMPERATURE.is(self.next as f32 / 100.0)];
        let position = if lane == Lane::Alarm { device.alarm(&reading) } else { device.record(&reading) }.unwrap();
        let Cell::Value(value) = reading[0].cell else { panic!("in range") };
        assert!(self.accepted.insert((lane.index(), position), value).is_none(), "{position} twice");
    }

    /// Asks the device what is persisted.
    fn ask(&mut self, device: Device<'_>) {
        for (lane, position) in self.accepted.keys().filter(|k| !self.persisted.contains(*k)).copied().collect::<Vec<_>>() {
            let boots = position.boot() == *self.boots.last().unwrap();
            if boots && device.persisted(Lane::ALL[lane], position).now_or_never().is_some() {
                self.persisted.insert((lane, position));
            }
        }
    }

    /// Every persisted record is stored once, in order, unchanged; every accepted one is stored or explained.
    fn check(&self, server: &Server, acceptance: Acceptance) {
        let desk = server.desk();
        for lane in [Lane::Alarm, Lane::Readings] {
            let stored = desk.positions(lane);
            assert!(stored.windows(2).all(|w| w[0] < w[1]), "{lane}: {stored:?}");
            let stored: BTreeMap<_, _> = desk.rows.iter().filter_map(|r| value(r, lane)).collect();
            let mut unsure = BTreeSet::new();
            let mut gaps = vec![];
            for row in &desk.rows {
                match row {
                    Row::Boot(l, boot, false) if *l == lane => {
                        unsure.insert(*boot);
                    }
                    Row::Gap(l, first, last) if *l == lane => gaps.push((*first, *last)),
                    _ => {}
                }
            }
            for ((_, position), value) in self.accepted.iter().filter(|((l, _), _)| *l == lane.index()) {
                let persisted = self.persisted.contains(&(lane.index(), *position));
                match stored.get(position) {
                    Some(found) => assert_eq!(found, value),
                    None if persisted => panic!("{lane}: {position} was persisted and is lost"),
                    None if acceptance == Acceptance::WhenPersisted => {}
                    None => {
                        let explained = gaps.iter().any(|(first, last)| first <= position && position <= last)
                            || unsure.iter().any(|boot| *boot > position.boot());
                        assert!(explained, "{lane}: {position} is neither stored nor explained");
                    }
                }
            }
            if acceptance == Acceptance::WhenPersisted {
                assert_eq!((gaps, unsure), (vec![], BTreeSet::new()), "{lane}: nothing that counts was lost");
            }
        }
    }
}

fn value(row: &Row, lane: Lane) -> Option<(Position, i32)> {
    match row {
        Row::Record(l, p, _, cells) if *l == lane => match cells[0].1 {
            Cell::Value(v) => Some((*p, v)),
            Cell::Fault(_) => panic!("no fault was recorded"),
        },
        _ => None,
    }
}

/// One boot, for as long as there is power; `true` if it ended with everything stored.
async fn boot(
    server: &Server,
    nor: &Nor,
    books: &mut Books,
    acceptance: Acceptance,
    chance: &mut SmallRng,
    last: bool,
) -> bool {
    let mut flash = Flash::new(nor.clone(), 0..nor.size()).unwrap();
    let boot = match flash.recover(&CELLAR, acceptance).await {
        Ok(boot) => boot,
        Err(FlashError::Chip(_)) => return false,
        Err(other) => panic!("{other}"),
    };
    let outbox = Outbox::<2048>::new();
    let (mut buffers, clock) = (Buffers::<512>::new(), TokioClock::new());
    let node = Node { id: "cellar-3", key: Key::Insecure, catalog: &CELLAR, boot };
    let (device, mut runner) = outbox.start(&node, &clock, &mut buffers);
    let number = device.carry().boot;
    assert!(books.boots.insert(number), "boot {number} twice");
    let mut lives = SmallRng::seed_from_u64(chance.random());
    let online = last || chance.random_bool(0.6);
    let network = async {
        if !online {
            std::future::pending::<()>().await;
        }
        loop {
            let (reader, writer) = server.dial();
            let life = if last { u64::MAX >> 20 } else { lives.random_range(1..400) };
            tokio::select! {
                _ = runner.connection(reader, writer) => {}
                () = tokio::time::sleep(Duration::from_millis(life)) => {}
            }
            runner.backoff().await;
        }
    };
    let (count, gap) = (chance.random_range(0..40), chance.random_range(0..7));
    let sample = async {
        for i in 0..count {
            books.record(device, if i % 9 == 5 { Lane::Alarm } else { Lane::Readings });
            books.ask(device);
            tokio::time::sleep(Duration::from_millis(gap)).await;
        }
        if last {
            device.drain().await;
        } else {
            device.flush().await;
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    };
    let done = tokio::select! {
        error = flash.run(device) => {
            assert!(!nor.has_power(), "{error}");
            false
        }
        () = network => unreachable!("the network goes on"),
        () = sample => true,
    };
    books.ask(device);
    done
}

/// So many boots with power for a random number of words each, then one that drains.
fn cuts(seed: u64, boots: u32, acceptance: Acceptance) -> u32 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (server, nor) = (Server::new(), Nor::new(16, seed));
        let (mut books, mut chance) = (Books::default(), SmallRng::seed_from_u64(seed));
        for _ in 0..boots {
            nor.power(chance.random_range(1..400));
            if !boot(&server, &nor, &mut books, acceptance, &mut chance, false).await {
                books.cuts += u32::from(!nor.has_power());
            }
            books.next += 1;
        }
        nor.power(u64::MAX);
        assert!(boot(&server, &nor, &mut books, acceptance, &mut chance, true).await);
        books.check(&server, acceptance);
        books.cuts
    })
}

#[test]
fn thousands_of_power_cuts_lose_nothing_that_was_persisted() {
    let mut total = 0;
    for seed in 0..60 {
        let acceptance = if seed % 2 == 0 { Acceptance::AtOnce } else { Acceptance::WhenPersisted };
        let outcome = std::panic::catch_unwind(|| cuts(seed, 40, acceptance));
        match outcome {
            Ok(cuts) => total += cuts,
            Err(_) => { println!("SEED {seed}"); }
        }
    }
    println!("{total} power cuts");
    assert!(total >= 1_000, "{total}");
}
