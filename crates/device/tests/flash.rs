//! An outbox in flash: what was persisted is never lost, whenever the power goes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use catalog::{CELLAR, HUMIDITY, RELAY, TEMPERATURE};
use common::nor::Nor;
use common::{Row, Server};
use futures_util::FutureExt;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use sensock::batch::Cell;
use sensock::catalog::Policy;
use sensock::wire::data::Outcome;
use sensock::{Cause, CommandId, Lane, Position};
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
        let position =
            if lane == Lane::Alarm { device.alarm(&reading) } else { device.record(&reading) }.unwrap();
        let Cell::Value(value) = reading[0].cell else { panic!("in range") };
        assert!(self.accepted.insert((lane.index(), position), value).is_none(), "{position} twice");
    }

    /// Asks the device what is persisted.
    fn ask(&mut self, device: Device<'_>) {
        for (lane, position) in
            self.accepted.keys().filter(|k| !self.persisted.contains(*k)).copied().collect::<Vec<_>>()
        {
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
                    Row::Gap(l, first, last, _) if *l == lane => gaps.push((*first, *last)),
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
                        let explained =
                            gaps.iter().any(|(first, last)| first <= position && position <= last)
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
            // What the boot before lost at its end is told behind the last that flash holds of it.
            tokio::time::sleep(Duration::from_secs(2)).await;
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
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
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
            Err(_) => panic!("seed {seed}"),
        }
    }
    println!("{total} power cuts");
    assert!(total >= 1_000, "{total}");
}

/// A device with flash, kept up for as long as the closure runs.
async fn with_device<T>(
    server: Option<&Server>,
    nor: &Nor,
    acceptance: Acceptance,
    work: impl AsyncFnOnce(Device<'_>) -> T,
) -> T {
    let mut flash = Flash::new(nor.clone(), 0..nor.size()).unwrap();
    let boot = flash.recover(&CELLAR, acceptance).await.unwrap();
    let outbox = Outbox::<1024>::new();
    let (mut buffers, clock) = (Buffers::<512>::new(), TokioClock::new());
    let node = Node { id: "cellar-3", key: Key::Insecure, catalog: &CELLAR, boot };
    let (device, mut runner) = outbox.start(&node, &clock, &mut buffers);
    let network = async {
        loop {
            let Some(server) = server else { std::future::pending().await };
            let (reader, writer) = server.dial();
            let _why = runner.connection(reader, writer).await;
            runner.backoff().await;
        }
    };
    tokio::select! {
        error = flash.run(device) => panic!("{error}"),
        () = network => unreachable!(),
        done = work(device) => done,
    }
}

#[tokio::test(start_paused = true)]
async fn older_boots_come_first_and_more_of_them_than_one_frame_announces() {
    let (server, nor) = (Server::new(), Nor::new(16, 1));
    for boot in 0..12 {
        with_device(None, &nor, Acceptance::WhenPersisted, async |device| {
            tokio::time::sleep(Duration::from_millis(boot)).await;
            for i in 0..3 {
                device.record(&[TEMPERATURE.is(i as f32)]).unwrap();
            }
            device.flush().await;
        })
        .await;
    }
    with_device(Some(&server), &nor, Acceptance::WhenPersisted, async |device| {
        device.record(&[TEMPERATURE.is(9.0)]).unwrap();
        device.drain().await;
    })
    .await;
    let expected: Vec<_> = (1..=12)
        .flat_map(|boot| (0..3).map(move |n| Position::new(boot, n)))
        .chain([Position::new(13, 0)])
        .collect();
    let desk = server.desk();
    assert_eq!(desk.positions(Lane::Readings), expected);
    assert_eq!(desk.gaps(), 0);
    assert_eq!(desk.announced, (1..=12).collect::<Vec<u32>>(), "each boot once, before its records");
}

#[tokio::test(start_paused = true)]
async fn readings_that_overflow_flash_are_a_gap_and_take_no_alarm_with_them() {
    let (server, nor) = (Server::new(), Nor::new(10, 2));
    with_device(None, &nor, Acceptance::AtOnce, async |device| {
        device.alarm(&[TEMPERATURE.is(80.0)]).unwrap();
        for i in 0..2_000 {
            device.record(&[TEMPERATURE.is(i as f32 / 100.0), HUMIDITY.is(50.0)]).unwrap();
            if i % 20 == 0 {
                device.flush().await;
            }
        }
        device.flush().await;
    })
    .await;
    with_device(Some(&server), &nor, Acceptance::AtOnce, async |device| device.drain().await).await;
    let desk = server.desk();
    assert_eq!(desk.positions(Lane::Alarm), [Position::new(1, 0)]);
    let stored = desk.positions(Lane::Readings);
    assert_eq!(stored.last(), Some(&Position::new(1, 1_999)));
    assert!(
        stored.len() > 50 && stored.windows(2).all(|w| w[1] == w[0].next()),
        "the newest, without a hole"
    );
}

#[tokio::test(start_paused = true)]
async fn a_page_that_goes_bad_is_a_gap_of_exactly_what_was_on_it() {
    let (server, nor) = (Server::new(), Nor::new(16, 3));
    with_device(None, &nor, Acceptance::WhenPersisted, async |device| {
        for i in 0..30 {
            let temperature = if i == 10 { 123.45 } else { 20.0 };
            device.record(&[TEMPERATURE.is(temperature), HUMIDITY.is(50.0)]).unwrap();
            device.flush().await;
        }
    })
    .await;
    // 12345 in zigzag and as a cell: 49380, a varint of three bytes.
    assert!(nor.damage(&[0xe4, 0x81, 0x03], 1));
    with_device(Some(&server), &nor, Acceptance::WhenPersisted, async |device| device.drain().await).await;
    let desk = server.desk();
    let at = Position::new(1, 10);
    let gaps: Vec<_> = desk.rows.iter().filter(|r| matches!(r, Row::Gap(..))).collect();
    assert_eq!(gaps, [&Row::Gap(Lane::Readings, at, at, Cause::Flash)]);
    assert_eq!(desk.positions(Lane::Readings).len(), 29);
}

#[tokio::test(start_paused = true)]
async fn a_tail_that_a_boot_lost_is_told_though_a_later_boot_ended_whole_before_any_server_heard() {
    let (server, nor) = (Server::new(), Nor::new(16, 8));
    with_device(Some(&server), &nor, Acceptance::AtOnce, async |device| {
        device.record(&[TEMPERATURE.is(1.0)]).unwrap();
        device.drain().await;
        device.flush().await;
        // Power goes before flash has this one.
        assert_eq!(device.record(&[TEMPERATURE.is(2.0)]), Ok(Position::new(1, 1)));
    })
    .await;
    with_device(None, &nor, Acceptance::WhenPersisted, async |_| {
        tokio::time::sleep(Duration::from_millis(50)).await;
    })
    .await;
    with_device(Some(&server), &nor, Acceptance::AtOnce, async |device| {
        device.record(&[TEMPERATURE.is(3.0)]).unwrap();
        device.drain().await;
    })
    .await;
    let desk = server.desk();
    assert_eq!(desk.positions(Lane::Readings), [Position::new(1, 0), Position::new(3, 0)]);
    let told = desk.rows.iter().any(|row| match row {
        Row::Gap(Lane::Readings, first, last, cause) => {
            (*first..=*last).contains(&Position::new(1, 1)) && *cause == Cause::Power
        }
        Row::Boot(Lane::Readings, _, whole) => !whole,
        _ => false,
    });
    assert!(told, "{:?}", desk.rows);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_began_before_a_power_cut_is_never_run_again() {
    let (server, nor) = (Server::new(), Nor::new(16, 4));
    server.command(7, RELAY.key(), Policy::Once, &[1]);
    with_device(Some(&server), &nor, Acceptance::AtOnce, async |device| {
        // The relay's inrush takes the power away: nothing is answered any more.
        let call = device.next_command().await;
        assert_eq!(call.key(), RELAY.key());
        nor.power(0);
        std::mem::forget(call);
    })
    .await;
    nor.power(u64::MAX);
    // The server sees that the board is gone, and gives its commands to no dead connection.
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.command(7, RELAY.key(), Policy::Once, &[1]);
    server.command(8, RELAY.key(), Policy::Once, &[0]);
    with_device(Some(&server), &nor, Acceptance::AtOnce, async |device| {
        let call = device.next_command().await.on(&RELAY, |on| if on { panic!("7 again") } else { Ok(on) });
        call.otherwise_refuse();
        device.drain().await;
    })
    .await;
    let desk = server.desk();
    assert_eq!(desk.hellos[1].last_begun, CommandId(7));
    assert_eq!(desk.hellos[1].features & 3, 3);
    assert_eq!(desk.replies(), [(8, Outcome::Done)]);
}

#[tokio::test(start_paused = true)]
async fn a_rebase_outlives_the_boot() {
    let (server, nor) = (Server::new(), Nor::new(16, 5));
    for round in 0..3 {
        server.desk().rebase = if round == 1 { 40 } else { 0 };
        with_device(Some(&server), &nor, Acceptance::WhenPersisted, async |device| {
            device.record(&[TEMPERATURE.is(1.0)]).unwrap();
            device.drain().await;
            device.flush().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        })
        .await;
    }
    // 1/0 was still held when the boots were shifted: it is stored a second time, as both ends were told.
    let expected = [(1, 0), (41, 0), (42, 0), (43, 0)].map(|(boot, n)| Position::new(boot, n));
    assert_eq!(server.desk().positions(Lane::Readings), expected);
}

#[tokio::test(start_paused = true)]
async fn boots_that_a_server_moved_are_called_moved_from_then_on() {
    let (server, nor) = (Server::new(), Nor::new(16, 8));
    let boot = async |dials: bool, rebase: u32| {
        (server.desk().rebase, server.desk().stalled) = (rebase, true);
        with_device(dials.then_some(&server), &nor, Acceptance::WhenPersisted, async |device| {
            let position = device.record(&[TEMPERATURE.is(1.0)]).unwrap();
            device.persisted(Lane::Readings, position).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        })
        .await;
    };
    boot(false, 0).await;
    boot(true, 0).await;
    assert_eq!(server.desk().announced, [1]);
    assert_eq!(server.desk().moved, []);
    // Nothing is committed, so nobody but the device will know of this.
    boot(true, 40).await;
    assert_eq!(server.desk().moved, [41, 42]);
    boot(false, 0).await;
    boot(true, 0).await;
    assert_eq!(server.desk().announced, [1, 41, 42, 43, 44]);
    assert_eq!(
        server.desk().moved,
        [41, 42, 43],
        "the boot that met the server was moved, and none after it"
    );
}

#[tokio::test(start_paused = true)]
async fn without_its_task_nothing_is_framed() {
    let (server, nor) = (Server::new(), Nor::new(16, 6));
    let mut flash = Flash::new(nor.clone(), 0..nor.size()).unwrap();
    let boot = flash.recover(&CELLAR, Acceptance::AtOnce).await.unwrap();
    let outbox = Outbox::<1024>::new();
    let (mut buffers, clock) = (Buffers::<512>::new(), TokioClock::new());
    let node = Node { id: "cellar-3", key: Key::Insecure, catalog: &CELLAR, boot };
    let (device, mut runner) = outbox.start(&node, &clock, &mut buffers);
    let position = device.record(&[TEMPERATURE.is(1.0)]).unwrap();
    let (reader, writer) = server.dial();
    tokio::select! {
        why = runner.connection(reader, writer) => panic!("{why}"),
        () = tokio::time::sleep(Duration::from_secs(5)) => {}
    }
    assert!(device.persisted(Lane::Readings, position).now_or_never().is_none());
    assert_eq!(server.desk().positions(Lane::Readings), []);
}

#[test]
fn a_range_that_is_no_outbox_is_refused_in_words() {
    let nor = Nor::new(16, 7);
    for range in [0..4096, 100..nor.size(), 0..nor.size() + 1024] {
        let error = Flash::new(nor.clone(), range).err().unwrap();
        assert_eq!(
            error.to_string(),
            "the outbox needs eight pages of flash at least, aligned to pages of 1024 bytes and within the chip: choose another range"
        );
    }
}
