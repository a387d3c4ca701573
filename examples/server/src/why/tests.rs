//! Verdicts from rows.

use sensock::wire::hello::{Account, End};
use sensock::{Cause, DeviceId, Lane, Position, Tag, Tick};
use sensock_store::{BootRow, ConnectionRow, GapRow, LaneId, Span};

use super::facts::{Facts, Record};
use super::{timeline, verdict};
use crate::database::tests::{SECOND, two_o_clock};
use crate::show::time::Times;

const MINUTE: i64 = 60 * SECOND;
const CELLAR: &str = "cellar-3";

/// `minutes` after two o'clock.
fn at(minutes: f64) -> i64 {
    two_o_clock() + (minutes * MINUTE as f64) as i64
}

fn connection(
    device: &str,
    boot: u32,
    server: u64,
    from: f64,
    to: Option<f64>,
    reason: &str,
) -> ConnectionRow {
    ConnectionRow {
        id: from as u64,
        device: DeviceId::new(device).unwrap(),
        boot,
        server,
        peer: "10.0.0.7:4711".to_owned(),
        from_us: at(from),
        to_us: to.map(at),
        reason: reason.to_owned(),
        asleep_until_us: None,
        account: Account::default(),
        records: 720,
        bytes: 9_000,
    }
}

fn told(mut c: ConnectionRow, dials: u16, offline_s: u32, end: End) -> ConnectionRow {
    c.account = Account {
        dial_attempts: dials,
        offline_ms: offline_s * 1_000,
        last_end: end as u8,
        outbox_high_water: 31,
        signal: 71,
        ..Account::default()
    };
    c
}

/// Records of a boot, ten seconds apart, beginning with this number.
fn records(boot: u32, first: u32, from: f64, to: f64) -> Vec<Record> {
    let count = ((to - from) * 6.0) as u32;
    let one = |i: u32| Record {
        lane: Lane::Readings,
        position: Position::new(boot, first + i),
        not_before_us: Some(at(from) + i64::from(i) * 10 * SECOND - 500_000),
        not_after_us: at(from) + i64::from(i) * 10 * SECOND + 500_000,
    };
    (0..count).map(one).collect()
}

/// From 02:10 to 02:40 of a day in which now is 03:00.
fn facts(connections: Vec<ConnectionRow>, records: Vec<Record>) -> Facts {
    Facts {
        device: DeviceId::new(CELLAR).unwrap(),
        span: Span { from_us: at(10.0), to_us: at(40.0) },
        now_us: at(60.0),
        connections,
        boots: vec![],
        gaps: vec![],
        records,
        interval_us: Some(10 * SECOND),
        others: vec![],
    }
}

fn gap(cause: Cause, count: Option<u64>) -> GapRow {
    GapRow {
        lane: LaneId { device: DeviceId::new(CELLAR).unwrap(), lane: Lane::Readings },
        first: Position::new(4, 90),
        last: Position::new(4, 190),
        cause,
        count,
        not_before_us: Some(at(15.0)),
        not_after_us: Some(at(20.0)),
        written_us: at(39.0),
        detail: String::new(),
    }
}

fn said(facts: &Facts) -> String {
    verdict(facts, &Times::utc())
}

#[test]
fn wifi_away() {
    let before = connection(CELLAR, 4, 1, 0.0, Some(12.5), "nothing came for too long");
    let after = told(connection(CELLAR, 4, 1, 39.85, None, ""), 42, 27 * 60 + 47, End::Transport);
    let facts = facts(vec![before, after], records(4, 0, 0.0, 60.0));
    assert_eq!(
        said(&facts),
        "The board had power and kept sampling; its network was away from 02:12:04 to 02:39:51 (41 dials failed); \
         167 records of this time arrived afterwards. No record was lost."
    );
    assert_eq!(
        timeline(&facts, &Times::utc()),
        [
            "  02:12:04  no connection until 02:39:51 (27 min 47 s); 167 records of this time, stored",
            "  02:12:30  connection ended: nothing came for too long (720 records over it)",
            "  02:39:51  connected from 10.0.0.7:4711 in boot 4; it dialled 42 times, was 27 min 47 s without, saw the \
             last one end so: the transport broke, outbox at most 31 % full, signal -71 dBm",
        ]
    );
}

#[test]
fn a_half_open_connection_does_not_hide_the_time_away() {
    // The server noticed nothing until the new connection took over.
    let before = connection(CELLAR, 4, 1, 0.0, Some(30.0), "a newer connection took over");
    let after = told(connection(CELLAR, 4, 1, 30.0, None, ""), 9, 600, End::Silent);
    let words = said(&facts(vec![before, after], records(4, 0, 0.0, 60.0)));
    assert!(
        words.contains("its network was away from 02:20:00 to 02:30:00 (8 dials failed); 61 records"),
        "{words}"
    );
}

#[test]
fn power_loss() {
    let before = connection(CELLAR, 4, 1, 0.0, Some(12.0), "nothing came for too long");
    let mut after = connection(CELLAR, 5, 1, 30.0, None, "");
    after.account.reset_cause = 3;
    let mut measured = records(4, 0, 0.0, 12.0);
    measured.extend(records(5, 0, 29.0, 60.0));
    let mut facts = facts(vec![before, after], measured);
    facts.gaps = vec![gap(Cause::Power, None)];
    facts.boots = vec![BootRow {
        device: facts.device,
        boot: 5,
        tag: Tag(1),
        catalog: 1,
        firmware: "cellar-node 1.4.0".to_owned(),
        seen_us: at(30.0),
        started: (Some(at(28.9)), Some(at(28.95))),
        last_tick: Tick(0),
        account: Account { reset_cause: 3, ..Account::default() },
        rebased_by: 0,
    }];
    assert_eq!(
        said(&facts),
        "The board lost power or was reset between 02:12:00 and 02:30:00 (boot 5, reset cause 3); its last record \
         before is of 02:11:50, its first after of 02:29:00. An unknown number of records were lost: power was lost, \
         or the board reset, with records in its memory."
    );
    let lines = timeline(&facts, &Times::utc()).join("\n");
    assert!(
        lines.contains("02:28:55  the board started, boot 5, cellar-node 1.4.0, reset cause 3 (± 1.5 s)"),
        "{lines}"
    );
    assert!(
        lines.contains(
            "lost: an unknown number of records of lane readings, made between 02:15:00 and 02:20:00"
        )
    );
}

#[test]
fn server_down() {
    // The server died and wrote no end; its next run has another number. Nobody else reached it either.
    let before = connection(CELLAR, 4, 1, 0.0, None, "");
    let after = told(connection(CELLAR, 4, 2, 20.0, None, ""), 4, 480, End::Transport);
    let mut facts = facts(vec![before, after], records(4, 0, 0.0, 60.0));
    for other in ["attic-7", "garage"] {
        facts.others.push(connection(other, 1, 1, 0.0, None, ""));
        facts.others.push(told(connection(other, 1, 2, 20.1, None, ""), 4, 486, End::Transport));
    }
    assert_eq!(
        said(&facts),
        "The board kept running; the server was away from 02:12:00 to 02:20:00 (2 of 2 other devices had no connection \
         either; 3 dials failed); 49 records of this time arrived afterwards. No record was lost."
    );
    // The others went on with the first server: then it was not the server.
    facts.others = vec![connection("attic-7", 1, 1, 0.0, Some(55.0), "closed in order")];
    assert!(said(&facts).starts_with("The board had power and kept sampling; its network was away"));
}

#[test]
fn everybody_away_is_the_access_point() {
    let pair = |device: &str| {
        let before = connection(device, 4, 1, 0.0, Some(12.0), "nothing came for too long");
        [before, told(connection(device, 4, 1, 20.0, None, ""), 4, 480, End::Transport)]
    };
    let mut facts = facts(pair(CELLAR).to_vec(), records(4, 0, 0.0, 60.0));
    facts.others = [pair("attic-7"), pair("garage")].concat();
    let words = said(&facts);
    assert!(
        words.contains("the network was away for all 3 devices, look at the access point, from 02:12:00"),
        "{words}"
    );
}

#[test]
fn asleep_as_announced_and_overslept() {
    let mut before = connection(CELLAR, 4, 1, 0.0, Some(12.0), "the device went to sleep");
    before.asleep_until_us = Some(at(30.0));
    // Deep sleep: another boot.
    let after = connection(CELLAR, 5, 1, 30.2, None, "");
    let mut measured = records(4, 0, 0.0, 12.0);
    measured.extend(records(5, 0, 30.1, 60.0));
    let slept = said(&facts(vec![before.clone(), after], measured.clone()));
    assert_eq!(slept, "It slept as it had announced, from 02:12:00 to 02:30:12. No record was lost.");
    let words = said(&facts(vec![before], measured));
    assert!(
        words.starts_with("It was to wake at 02:30:00 and has not come: look at its battery first"),
        "{words}"
    );
}

#[test]
fn never_recorded() {
    // Connected all the time, positions without a hole: nothing was made between 02:15 and 02:25.
    let mut measured = records(4, 0, 0.0, 15.0);
    measured.extend(records(4, 90, 25.0, 60.0));
    let words = said(&facts(vec![connection(CELLAR, 4, 1, 0.0, None, "")], measured));
    assert_eq!(
        words,
        "It was connected all the time; 121 records of this span are stored. It recorded nothing from 02:14:50 to \
         02:25:00, and nothing of it is missing: look at its sensor or its program. No record was lost."
    );
}

#[test]
fn overflow() {
    let before = connection(CELLAR, 4, 1, 0.0, Some(12.0), "nothing came for too long");
    let after = told(connection(CELLAR, 4, 1, 30.0, None, ""), 20, 1_080, End::Transport);
    let mut measured = records(4, 0, 0.0, 15.0);
    measured.extend(records(4, 191, 20.0, 60.0));
    let mut facts = facts(vec![before, after], measured);
    facts.gaps = vec![gap(Cause::Overflow, Some(101))];
    let words = said(&facts);
    assert!(words.ends_with("101 records were lost: the outbox was full."), "{words}");
    assert!(!words.contains("recorded nothing"), "what lies in a gap was recorded: {words}");
}

#[test]
fn nothing_was_wrong_not_back_and_never_there() {
    let fine = facts(vec![connection(CELLAR, 4, 1, 0.0, None, "")], records(4, 0, 0.0, 60.0));
    let words = "It was connected all the time; 181 records of this span are stored. No record was lost.";
    assert_eq!(said(&fine), words);
    let left = facts(
        vec![connection(CELLAR, 4, 1, 0.0, Some(20.0), "nothing came for too long")],
        records(4, 0, 0.0, 20.0),
    );
    assert_eq!(
        said(&left),
        "It left at 02:20:00 (nothing came for too long) and has not come back: whether it has power is not known until \
         it does. No record was lost."
    );
    let words = said(&facts(vec![], vec![]));
    assert_eq!(words, "cellar-3 was never connected before the end of this span: nothing is known of it.");
}

#[test]
fn a_doubtful_clock_is_told() {
    let mut measured = records(4, 0, 0.0, 60.0);
    for r in measured.iter_mut().skip(100).take(3) {
        r.not_before_us = None;
    }
    let words = said(&facts(vec![connection(CELLAR, 4, 1, 0.0, None, "")], measured));
    assert!(words.contains("Of 3 records only an upper bound of the time is known"), "{words}");
}
