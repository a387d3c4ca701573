//! A device that wants to sleep: what keeps it awake, for how long, and what takes its word back.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::Pair;
use sensock::catalog::Policy;
use sensock::device::{Event, Share, Transmit};
use sensock::error::Misuse;
use sensock::limits::{SLEEP_HELD_MS, SLEEP_OWED_MS};
use sensock::wire::call::{Call, SettingValue};
use sensock::wire::data::Outcome;
use sensock::{CommandId, Tick};

/// A live session whose server said that so many commands and settings wait.
fn live(pending: u16) -> Pair {
    let mut p = Pair::new();
    p.pending = pending;
    p.dial();
    p.settle();
    p
}

/// Frames that the device writes now, none of which arrives.
fn written(p: &mut Pair) -> usize {
    let (mut buf, mut frames) = ([0; 1024], 0);
    while let Transmit::Frame(_) = p.device.poll_transmit(&p.outbox, Tick(p.now), &mut buf) {
        frames += 1;
    }
    frames
}

/// Time passes up to the session's own deadline, and a millisecond more if that is not enough.
fn pass(p: &mut Pair, until: u64) {
    while p.now < until {
        p.now = p.device.poll_timeout().map_or(until, |t| t.0.clamp(p.now + 1, until));
        p.device.handle_timeout(Tick(p.now)).unwrap();
    }
}

fn command(p: &mut Pair, id: u32) {
    let (mut buf, now) = ([0; 512], Tick(p.now));
    let call = Call { id: CommandId(id), key: 1, policy: Policy::Once, not_after: None, body: &[1] };
    let len = p.server.command(&call, &mut buf).unwrap();
    let event = p.device.handle_frame(&p.outbox, now, &mut buf[..len]).unwrap();
    assert!(matches!(event, Some(Event::Command(_))), "{event:?}");
}

#[test]
fn sleep_goes_with_the_last_record_and_ends_the_boot() {
    let mut p = live(0);
    p.record(20.0, 50.0);
    p.device.sleep(60_000, true);
    assert_eq!((written(&mut p), p.device.is_leaving()), (2, true), "Data and Sleep, before any ack");
    let late =
        p.outbox.with(|o| o.record(sensock::Lane::Readings, Tick(p.now), &[common::TEMPERATURE.is(1.0)]));
    assert_eq!(late, Err(Misuse::State));
    // What is not acknowledged is waited for as ever, and not for 200 ms only.
    assert!(p.device.poll_timeout().unwrap() >= Tick(p.now + 2_000));
}

#[test]
fn what_welcome_promised_is_waited_for_but_not_for_ever() {
    let mut p = live(1);
    p.device.sleep(60_000, true);
    assert_eq!(written(&mut p), 0, "a command is on its way");
    let begin = p.now;
    pass(&mut p, begin + SLEEP_OWED_MS - 1);
    assert_eq!(written(&mut p), 0);
    pass(&mut p, begin + SLEEP_OWED_MS + 100);
    assert_eq!((written(&mut p), p.device.is_leaving()), (1, true));
}

#[test]
fn a_command_is_answered_before_the_device_sleeps() {
    let mut p = live(1);
    p.device.sleep(60_000, true);
    command(&mut p, 1);
    assert_eq!(written(&mut p), 0, "the application has it");
    p.device.reply(&p.outbox, CommandId(1), Outcome::Done, &[1]).unwrap();
    assert_eq!((written(&mut p), p.device.is_leaving()), (2, true), "the answer, and Sleep");
}

#[test]
fn an_application_that_does_not_answer_does_not_keep_the_device_awake() {
    let mut p = live(1);
    p.device.sleep(60_000, true);
    command(&mut p, 1);
    let begin = p.now;
    pass(&mut p, begin + SLEEP_HELD_MS - 1);
    assert_eq!(written(&mut p), 0);
    pass(&mut p, begin + SLEEP_HELD_MS + 100);
    assert_eq!((written(&mut p), p.device.is_leaving()), (1, true));
}

#[test]
fn a_setting_is_applied_before_the_device_sleeps() {
    let mut p = live(0);
    p.device.sleep(60_000, true);
    let (mut buf, now) = ([0; 512], Tick(p.now));
    let len = p.server.setting(&SettingValue { key: 1, revision: 3, body: &[9] }, &mut buf).unwrap();
    p.device.handle_frame(&p.outbox, now, &mut buf[..len]).unwrap();
    assert_eq!(written(&mut p), 0);
    p.outbox.with(|o| o.applied(3, None)).unwrap();
    assert_eq!((written(&mut p), p.device.is_leaving()), (2, true));
}

#[test]
fn a_command_that_crosses_the_sleep_takes_it_back() {
    let mut p = live(0);
    p.device.sleep(60_000, true);
    assert_eq!((written(&mut p), p.device.is_leaving()), (1, true));
    command(&mut p, 1);
    assert!(!p.device.is_leaving() && p.device.is_live());
    // The boot goes on until Sleep is said again: the answer may be a record.
    p.record(21.0, 50.0);
    p.device.reply(&p.outbox, CommandId(1), Outcome::Done, &[1]).unwrap();
    assert_eq!((written(&mut p), p.device.is_leaving()), (3, true), "the answer, the record, and Sleep");
}
