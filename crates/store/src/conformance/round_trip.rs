//! Rows of every kind come back as they went in, extremes included.

use sensock::catalog::{Fault, Policy};
use sensock::wire::hello::Account;
use sensock::{Cause, CommandId, Lane, Position, Tag, Tick};

use super::fixture::*;
use crate::batch::Batch;
use crate::history::{Cursor, FeedItem, History, Span};
use crate::rows::*;
use crate::store::Store;

const WORDS: &str = "Grüße aus dem Keller: 23,4 °C, \u{1f321}\u{fe0f} 'quoted' \"twice\" \\ ; -- \n\ttail ";

fn account() -> Account {
    Account {
        reset_cause: u16::MAX,
        dial_attempts: u16::MAX,
        last_end: 9,
        offline_ms: u32::MAX,
        outbox_high_water: 100,
        signal: u8::MAX,
        free_kib: u16::MAX,
    }
}

/// Each kind of row, with long texts, unicode and the ends of each range, is read back as it was.
pub async fn rows_come_back_as_they_went<S: Store + History>(store: S) {
    let d = device("abcdefghijklmnopqrstuvwxyz.012-_");
    let lanes = Lane::ALL.map(|lane| LaneId { device: d, lane });
    let lane = lanes[2];
    let top = Position::new(i32::MAX as u32, u32::MAX);
    let mut readings = vec![
        reading(lane, Position::new(1, 0), i32::MIN),
        reading(lane, Position::new(1, 1), i32::MAX),
        reading(lane, Position::new(1, 2), 0),
        reading(lane, top, -1),
    ];
    readings[0].not_before_us = None;
    readings[2].fault = Some(Fault(255));
    readings[2].value = f64::NAN;
    readings[3].tick = Tick(i64::MAX as u64);
    readings[3].not_after_us = NOON + 50_000_000_000;
    readings[3].not_before_us = Some(NOON);
    let long: String = WORDS.repeat(12);
    let gaps: Vec<GapRow> = (0..=7u8)
        .map(|n| GapRow {
            lane: lanes[usize::from(n) % 3],
            first: Position::new(2, u32::from(n) * 10),
            last: Position::new(2 + u32::from(n), u32::from(n) * 10),
            cause: Cause::from_number(n),
            count: (n % 2 == 0).then_some(u64::from(u32::MAX) * u64::from(n)),
            not_before_us: (n % 3 != 0).then_some(NOON),
            not_after_us: (n % 3 != 1).then_some(NOON + 5),
            written_us: NOON + 6,
            detail: if n == 0 { String::new() } else { long.clone() },
        })
        .collect();
    let quarantine = vec![QuarantineRow {
        lane,
        first: Position::new(3, 0),
        last: Position::new(3, 9),
        reason: long.clone(),
        raw: (0..100_000).map(|i| (i % 251) as u8).collect(),
        written_us: NOON,
    }];
    let device_row = DeviceRow {
        superseded: (0..8).map(|i| Tag(u64::MAX - i)).collect(),
        ..device_row(d, i32::MAX as u32, u64::MAX)
    };
    let mut boots = vec![boot(d, 1), boot(d, i32::MAX as u32)];
    boots[0] = BootRow { tag: Tag::NONE, firmware: String::new(), started: (None, None), ..boots[0].clone() };
    boots[1].firmware = "ü".repeat(24);
    boots[1].account = account();
    boots[1].rebased_by = 77;
    boots[1].last_tick = Tick(i64::MAX as u64);
    boots[1].started = (None, Some(NOON));
    let anchors: Vec<AnchorRow> = [1, i32::MAX as u32]
        .map(|boot| AnchorRow {
            device: d,
            boot,
            tick: Tick(u64::from(boot)),
            lo_us: -5,
            hi_us: NOON,
            server: u64::MAX,
        })
        .to_vec();
    let mut connections = vec![connection(d, 1), connection(d, u64::MAX)];
    connections[1] = ConnectionRow {
        server: u64::MAX,
        peer: "[2001:db8:85a3:1319:8a2e:370:7348:4242]:65535".to_owned(),
        from_us: NOON + 1,
        to_us: Some(NOON + 2),
        reason: WORDS.to_owned(),
        asleep_until_us: Some(NOON + 3),
        account: account(),
        records: u64::from(u32::MAX) * 3,
        bytes: u64::from(u32::MAX) * 40,
        ..connections[1].clone()
    };
    let states = [
        CommandState::Queued,
        CommandState::Sent(i32::MAX as u32),
        CommandState::Done,
        CommandState::Refused(255),
        CommandState::Expired,
        CommandState::Undeliverable,
        CommandState::Unknown,
    ];
    let commands: Vec<CommandRow> = (1..)
        .zip(states)
        .map(|(id, state)| CommandRow {
            key: u16::MAX,
            name: "ä".repeat(24),
            policy: if id % 2 == 0 { Policy::Idempotent } else { Policy::Once },
            body: (0..128).map(|b| b * 2).collect(),
            issuer: WORDS.to_owned(),
            idempotency_key: (id > 2).then(|| format!("{WORDS}{id}")),
            keep_all: id % 2 == 1,
            state,
            answer: vec![0xff; 128],
            settled_us: state.is_settled().then_some(NOON),
            ..command(d, id)
        })
        .collect();
    let mut settings = vec![setting(d, 1, u32::MAX >> 1), setting(d, u16::MAX, 2), setting(d, 3, 3)];
    settings[1].applied_us = Some(NOON);
    settings[1].issuer = WORDS.to_owned();
    settings[2].refused = Some(255);

    let batch = Batch {
        marks: lanes.iter().map(|&l| (l, top)).collect(),
        ended: vec![(lane, top)],
        readings: readings.clone(),
        gaps: gaps.clone(),
        quarantine: quarantine.clone(),
        devices: vec![device_row.clone()],
        boots: boots.clone(),
        catalogs: vec![catalog(d, "suite 1")],
        anchors: anchors.clone(),
        connections: connections.clone(),
        commands: commands.clone(),
        settings: settings.clone(),
    };
    write(&store, batch).await;

    let resume = store.load(&d).await.expect("load");
    assert_eq!(resume.device, Some(device_row.clone()));
    assert_eq!(resume.marks, [top; 3]);
    assert_eq!(resume.ended, [Position::NONE, Position::NONE, top]);
    assert_eq!(resume.catalogs, [catalog(d, "suite 1")]);
    assert_eq!(resume.boots, boots);
    assert_eq!(resume.commands, commands);
    assert!(resume.anchors.ends_with(&anchors[1..]), "the newest boot's anchors stay: {:?}", resume.anchors);
    assert_eq!(by_key(resume.settings), by_key(settings.clone()));
    assert_eq!(store.devices().await.expect("devices"), [device_row]);
    assert_readings(&store.range(&d, Span::ALL, None, 100).await.expect("range"), &readings);
    assert_eq!(sorted(store.gaps(&d, Span::ALL).await.expect("gaps")), sorted(gaps.clone()));
    assert_eq!(store.connections(&d, Span::ALL).await.expect("connections"), connections);
    assert_eq!(store.boots(&d).await.expect("boots"), boots);
    let newest_first: Vec<CommandRow> = commands.iter().rev().cloned().collect();
    assert_eq!(store.commands(&d, 100).await.expect("commands"), newest_first);
    assert_eq!(store.commands(&d, 2).await.expect("commands"), newest_first[..2]);
    assert_eq!(store.command(&d, CommandId(3)).await.expect("command"), Some(commands[2].clone()));
    assert_eq!(store.command(&d, CommandId(99)).await.expect("command"), None);
    assert_eq!(by_key(store.settings(&d).await.expect("settings")), by_key(settings));
    assert_eq!(store.quarantine(&d).await.expect("quarantine"), quarantine);
    let (items, _) = store.feed(&Cursor::default(), 1000).await.expect("feed");
    let records = items.iter().filter(|i| matches!(i, FeedItem::Record(_))).count();
    assert_eq!((records, items.len()), (readings.len(), readings.len() + gaps.len()));
    let info = store.info().await.expect("info");
    assert!(info.latest_us >= NOON + 6, "the latest time written is known: {}", info.latest_us);
    assert_ne!(info.id.0, 0, "0 means that there is no store id");
}

fn by_key(mut settings: Vec<SettingRow>) -> Vec<SettingRow> {
    settings.sort_by_key(|s| s.key);
    settings
}

fn sorted(mut gaps: Vec<GapRow>) -> Vec<GapRow> {
    gaps.sort_by_key(|g| (g.lane, g.first));
    gaps
}

/// Devices whose names differ in case alone are two devices, and nothing of the one is read as the other's.
pub async fn names_are_told_apart<S: Store + History>(store: S) {
    let (upper, lower) = (readings_lane("Cellar"), readings_lane("cellar"));
    write_readings(&store, vec![reading(upper, Position::new(1, 0), 1)]).await;
    assert_eq!(store.load(&lower.device).await.expect("load").marks, [Position::NONE; 3]);
    write_readings(&store, vec![reading(lower, Position::new(1, 0), 2)]).await;
    for (lane, raw) in [(upper, 1), (lower, 2)] {
        let got = store.range(&lane.device, Span::ALL, None, 10).await.expect("range");
        assert_readings(&got, &[reading(lane, Position::new(1, 0), raw)]);
    }
}
