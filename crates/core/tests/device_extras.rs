//! What a device's session and outbox do at the edges: leaving, settings out of order, items for flash.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{HUMIDITY, Pair, Row, TEMPERATURE};
use sensock::catalog::Policy;
use sensock::device::{Event, Outbox, Share, walk};
use sensock::error::Misuse;
use sensock::wire::call::Call;
use sensock::{Cause, CommandId, Lane, Position, Tag, Tick};

#[test]
fn a_device_that_sleeps_does_not_wait_long_for_a_bye() {
    let mut p = Pair::new();
    p.dial();
    p.settle();
    p.device.sleep(60_000, false);
    // This server is gone: Sleep is written, nobody answers.
    let mut buf = [0; 512];
    assert!(matches!(
        p.device.poll_transmit(&p.outbox, Tick(p.now), &mut buf),
        sensock::device::Transmit::Frame(_)
    ));
    assert!(p.device.is_leaving());
    let until = p.device.poll_timeout().unwrap();
    assert!(until <= Tick(p.now + 250), "{until:?}");
    p.device.handle_timeout(until).unwrap();
    assert!(p.device.is_closed());
}

#[test]
fn nothing_is_sent_until_the_tag_is_kept_or_memory_is_given_up() {
    for memory_works in [true, false] {
        let mut p = Pair::new();
        p.outbox.with(|o| o.tag_persists(Tag(5)));
        p.record(20.0, 50.0);
        p.dial();
        p.settle();
        let tag = p.outbox.with(|o| o.last_tag());
        assert!(p.outbox.with(|o| o.has_tag_to_keep()) && tag != Tag(5), "Welcome gave another");
        assert!(!p.device.is_live() && p.positions(Lane::Readings).is_empty());
        assert_eq!(
            p.device.ask(9, &[], &mut [0; 64]),
            Err(Misuse::State),
            "a question is behind the proof, too"
        );
        let until = p.device.poll_timeout().unwrap();
        assert_eq!(until, Tick(p.now + 2_000));
        match memory_works {
            true => p.outbox.with(|o| o.tag_kept(tag)),
            false => p.now = until.0,
        }
        p.settle();
        assert!(p.device.is_live());
        assert_eq!(p.positions(Lane::Readings).len(), 1);
    }
}

#[test]
fn a_setting_that_waits_is_not_forgotten_for_a_later_one() {
    let mut outbox = Outbox::<1024>::new();
    let mut o = outbox.as_mut();
    o.start(Some(1));
    o.applied_through(5, None, 3).unwrap();
    assert_eq!(o.settings(), 3);
    o.applied(4, None).unwrap();
    assert_eq!(o.settings(), 4);
}

#[test]
fn items_go_to_flash_many_at_a_time_and_are_read_back_one_by_one() {
    let mut outbox = Outbox::<4096>::new();
    let mut o = outbox.as_mut();
    o.start(Some(3));
    o.with_flash([None; 3]);
    for i in 0..40 {
        o.record(Lane::Readings, Tick(100 + 10 * i), &[TEMPERATURE.is(20.0), HUMIDITY.is(50.0)]).unwrap();
    }
    let (mut bytes, mut seen) = ([0; 256], 0);
    while let Some(spill) = o.next_spills(Lane::Readings, &mut bytes) {
        assert!(spill.next.n() - spill.position.n() > 1, "many at a time");
        for item in walk(&bytes[..spill.len], spill.position, spill.tick) {
            assert_eq!((item.first, item.tick), (Position::new(3, seen), Tick(100 + 10 * u64::from(seen))));
            seen += 1;
        }
        o.persisted(Lane::Readings, spill.next, Some(Position::new(3, 0)));
    }
    assert_eq!(seen, 40);
}

#[test]
fn a_floor_says_what_flash_knows_of_earlier_boots() {
    let lanes = |lost: bool| {
        let mut outbox = Outbox::<1024>::new();
        let mut o = outbox.as_mut();
        o.start(Some(9));
        o.with_flash([None, None, Some(Position::new(7, 4))]);
        o.nothing_since(Lane::Alarm, Position::new(2, 0));
        o.whole_since(if lost { 9 } else { 8 });
        Lane::ALL.map(|lane| o.floor(lane))
    };
    let [alarm, control, readings] = lanes(false);
    assert_eq!((alarm.floor, alarm.cause), (Position::new(2, 0), Cause::None));
    assert_eq!((control.floor, control.cause), (Position::new(9, 0), Cause::None));
    assert_eq!(readings.floor, Position::new(7, 4));
    assert_eq!(lanes(true)[1].cause, Cause::Power);
}

#[test]
fn memory_that_holds_more_than_flash_still_delivers_it() {
    let outbox = std::cell::RefCell::new(Outbox::<1024>::new());
    outbox.with(|o| {
        o.start(Some(3));
        o.with_flash([None; 3]);
        for i in 0..5 {
            o.record(Lane::Readings, Tick(i), &[TEMPERATURE.is(20.0)]).unwrap();
        }
        o.flash_lost(Lane::Readings, Some(Position::new(3, 3)), Cause::Overflow);
        assert_eq!(o.floor(Lane::Readings).floor, Position::new(3, 0));
    });
}

#[test]
fn a_command_that_was_refused_is_not_run_by_another_servers_clock() {
    for policy in [Policy::Once, Policy::Idempotent] {
        let mut p = Pair::new();
        p.dial();
        p.settle();
        let call = |p: &mut Pair, not_after: u64| {
            let mut buf = [0; 512];
            let call =
                Call { id: CommandId(7), key: 1, policy, not_after: Some(Tick(not_after)), body: &[1] };
            let len = p.server.command(&call, &mut buf).unwrap();
            let event = p.device.handle_frame(&p.outbox, Tick(p.now), &mut buf[..len]).unwrap();
            matches!(event, Some(Event::Command(_)))
        };
        let early = p.now - 1;
        assert!(!call(&mut p, early), "too late, by the first server's clock");
        // It goes away before it heard that; the second one has another clock, and knows of no answer.
        p.hold_commits = true;
        p.dial();
        p.settle();
        let late = p.now + 60_000;
        assert!(!call(&mut p, late), "the refusal is on its way");
        p.release_commits();
        p.settle();
        assert_eq!(p.rows, [Row::Reply(Position::new(1, 0), 7)]);
        assert!(
            call(&mut p, late),
            "of a store that forgot it: the refusal was acknowledged, and is no news"
        );
    }
}
