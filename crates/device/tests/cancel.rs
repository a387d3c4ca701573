//! Every future of the device dropped at every await: nothing is lost, nothing comes twice.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use catalog::{CELLAR, INTERVAL, RELAY, SETPOINT, TEMPERATURE};
use common::nor::Nor;
use common::{Row, Server};
use sensock::catalog::{Policy, READ_NOW};
use sensock::wire::data::Outcome;
use sensock::{Lane, Position};
use sensock_device::flash::{Acceptance, Flash};
use sensock_device::{Boot, Buffers, Device, Ended, Key, NoAnswer, Node, Outbox, Runner, TokioClock};

const NODE: Node<'static> =
    Node { id: "cellar-3", key: Key::Insecure, catalog: &CELLAR, boot: Boot::Number(1) };

fn start(boot: Boot) -> (Device<'static>, Runner<'static, TokioClock>) {
    let outbox = Box::leak(Box::new(Outbox::<4096>::new()));
    let buffers = Box::leak(Box::new(Buffers::<512>::new()));
    outbox.start(&Node { boot, ..NODE }, &*Box::leak(Box::new(TokioClock::new())), buffers)
}

/// Polls a future until it has been pending so often, or nothing moves any more, then drops it.
async fn polls<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = times;
    let counted = std::future::poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        match future.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => {
                left -= 1;
                if left == 0 { Poll::Ready(None) } else { Poll::Pending }
            }
        }
    });
    tokio::time::timeout(Duration::from_secs(3), counted).await.ok().flatten()
}

fn keep_up(server: &Server, mut runner: Runner<'static, TokioClock>) {
    let server = server.clone();
    tokio::spawn(async move {
        loop {
            let (reader, writer) = server.dial();
            let _why = runner.connection(reader, writer).await;
            runner.backoff().await;
        }
    });
}

async fn connected(device: Device<'_>) {
    while !device.is_connected() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_dropped_at_any_await_loses_and_doubles_nothing() {
    let (device, mut runner) = start(Boot::Number(1));
    let server = Server::new();
    let mut made = 0;
    for times in 0..60 {
        for _ in 0..3 {
            device.record(&[TEMPERATURE.is(made as f32 / 100.0)]).unwrap();
            made += 1;
        }
        server.command(times as u32 + 1, RELAY.key(), Policy::Idempotent, &[1]);
        let (reader, writer) = server.dial();
        let ended = polls(times, runner.connection(reader, writer)).await;
        assert_eq!(ended, None, "only we end it");
        assert!(!device.is_connected());
        // And the wait before the next dial, at any await.
        polls(times % 3, runner.backoff()).await;
    }
    let (reader, writer) = server.dial();
    tokio::select! {
        why = runner.connection(reader, writer) => panic!("{why}"),
        () = device.drain() => {}
    }
    let expected: Vec<_> = (0..made).map(|n| Position::new(1, n)).collect();
    assert_eq!(server.desk().positions(Lane::Readings), expected);
    assert_eq!(server.desk().gaps(), 0);
}

#[tokio::test(start_paused = true)]
async fn commands_settings_and_wishes_for_readings_wait_for_a_future_that_lives() {
    let (device, runner) = start(Boot::Number(1));
    let server = Server::new();
    keep_up(&server, runner);
    connected(device).await;
    for times in 0..6u32 {
        let mut dropped = Box::pin(polls(times as usize, device.next_command()));
        server.command(3 * times + 1, RELAY.key(), Policy::Once, &[1]);
        match dropped.as_mut().await {
            Some(call) => call.refuse(20),
            None => device.next_command().await.refuse(20),
        }
        let mut dropped = Box::pin(polls(times as usize, device.setting(&INTERVAL)));
        server.setting(INTERVAL.key(), times + 1, &[times as u8]);
        let value = match dropped.as_mut().await {
            Some(value) => value,
            None => device.setting(&INTERVAL).await,
        };
        assert_eq!(value, times);
        let mut dropped = Box::pin(polls(times as usize, device.read_now()));
        server.command(3 * times + 2, READ_NOW.key(), Policy::Once, &[]);
        if dropped.as_mut().await.is_none() {
            device.read_now().await;
        }
        device.record(&[TEMPERATURE.is(1.0)]).unwrap();
    }
    device.drain().await;
    let desk = server.desk();
    let expected: Vec<_> =
        (0..6).flat_map(|n| [(3 * n + 1, Outcome::Refused(20)), (3 * n + 2, Outcome::Done)]).collect();
    assert_eq!(desk.replies(), expected);
    let applied = desk.rows.iter().filter(|r| matches!(r, Row::Applied(_, _, None))).count();
    assert_eq!(applied, 6);
}

#[tokio::test(start_paused = true)]
async fn questions_that_nobody_waits_for_leave_room_for_others() {
    let (device, runner) = start(Boot::Number(1));
    let server = Server::new();
    server.desk().mute = true;
    keep_up(&server, runner);
    connected(device).await;
    let hour = Duration::from_secs(3600);
    for times in 0..12 {
        assert_eq!(polls(times % 5, device.ask(&SETPOINT, 3, hour)).await, None);
    }
    server.desk().mute = false;
    let answer = device.ask(&SETPOINT, 3, Duration::from_secs(5)).await;
    assert_eq!(answer, Err(NoAnswer::Refused(3)), "this server echoes the question: no f32");
}

#[tokio::test(start_paused = true)]
async fn waiting_can_be_given_up_and_begun_again() {
    let (device, runner) = start(Boot::Number(1));
    let server = Server::new();
    keep_up(&server, runner);
    for times in 0..6 {
        let position = device.record(&[TEMPERATURE.is(1.0)]).unwrap();
        polls(times, device.drain()).await;
        polls(times, device.flush()).await;
        polls(times, device.persisted(Lane::Readings, position)).await;
    }
    device.drain().await;
    assert_eq!(server.desk().positions(Lane::Readings).len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_sleep_that_is_given_up_in_time_is_forgotten() {
    for times in 0..8 {
        let (device, mut runner) = start(Boot::Number(1));
        let server = Server::new();
        device.record(&[TEMPERATURE.is(1.0)]).unwrap();
        let (reader, writer) = server.dial();
        let sleepy = async {
            connected(device).await;
            let told = polls(times, device.sleep(Duration::from_secs(60))).await;
            tokio::time::sleep(Duration::from_secs(5)).await;
            told
        };
        let (ended, told) = tokio::select! {
            (ended, told) = async {
                let mut sleepy = pin!(sleepy);
                tokio::select! {
                    ended = runner.connection(reader, writer) => (Some(ended), sleepy.await),
                    told = &mut sleepy => (None, told),
                }
            } => (ended, told),
        };
        match ended {
            Some(ended) => assert_eq!((ended, server.desk().sleeps.len()), (Ended::Slept, 1)),
            None => assert_eq!((told, server.desk().sleeps.len()), (None, 0), "{times}"),
        }
        assert_eq!(server.desk().positions(Lane::Readings), [Position::new(1, 0)]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_flash_task_dropped_between_two_writes_goes_on_where_it_was() {
    let (server, nor) = (Server::new(), Nor::new(16, 1));
    let mut flash = Flash::new(nor.clone(), 0..nor.size()).unwrap();
    let boot = flash.recover(&CELLAR, Acceptance::WhenPersisted).await.unwrap();
    let (device, runner) = start(boot);
    keep_up(&server, runner);
    for times in 0..40 {
        device.record(&[TEMPERATURE.is(1.0)]).unwrap();
        assert_eq!(polls(times % 7, flash.run(device)).await, None);
    }
    tokio::select! {
        error = flash.run(device) => panic!("{error}"),
        () = device.drain() => {}
    }
    let expected: Vec<_> = (0..40).map(|n| Position::new(1, n)).collect();
    assert_eq!(server.desk().positions(Lane::Readings), expected);
    assert_eq!(server.desk().gaps(), 0);
}
