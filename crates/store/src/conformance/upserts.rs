//! Rows that replace what was there under the same key, and rows that must not.

use sensock::{CommandId, Position, Tag, Tick};

use super::fixture::*;
use crate::batch::Batch;
use crate::history::{History, Span};
use crate::rows::*;
use crate::store::Store;

/// The later row of a key is what is read; a catalogue that is known stays, and keeps its place.
pub async fn a_later_row_replaces<S: Store + History>(store: S) {
    let lane = readings_lane("cellar");
    let d = lane.device;
    let at = Position::new(1, 3);
    let first = Batch {
        marks: vec![(lane, at)],
        ended: vec![(lane, at)],
        devices: vec![DeviceRow { superseded: vec![Tag(1), Tag(2)], ..device_row(d, 1, 5) }],
        boots: vec![boot(d, 1), boot(d, 2)],
        catalogs: vec![catalog(d, "suite 1")],
        connections: vec![connection(d, 1), connection(d, 2)],
        commands: vec![command(d, 1), command(d, 2)],
        settings: vec![setting(d, 1, 1), setting(d, 2, 2)],
        ..Batch::default()
    };
    write(&store, first.clone()).await;
    let changed = Batch {
        marks: vec![(lane, at.next())],
        ended: vec![(lane, Position::NONE)],
        devices: vec![DeviceRow { superseded: vec![Tag(5)], ..device_row(d, 2, 6) }],
        boots: vec![BootRow {
            last_tick: Tick(77),
            started: (None, None),
            firmware: String::new(),
            ..boot(d, 2)
        }],
        catalogs: vec![catalog(d, "suite 2"), catalog(d, "suite 1")],
        connections: vec![ConnectionRow {
            to_us: Some(NOON + 9),
            reason: "closed in order".to_owned(),
            records: 5,
            bytes: 50,
            ..connection(d, 2)
        }],
        commands: vec![CommandRow {
            state: CommandState::Done,
            answer: vec![9],
            settled_us: Some(NOON + 9),
            ..command(d, 2)
        }],
        settings: vec![SettingRow { body: vec![42], applied_us: Some(NOON), ..setting(d, 2, 7) }],
        ..Batch::default()
    };
    // Twice: an upsert of what is already so changes nothing.
    for _ in 0..2 {
        write(&store, changed.clone()).await;
        let resume = store.load(&d).await.expect("load");
        assert_eq!(resume.marks[2], at.next());
        assert_eq!(resume.ended[2], Position::NONE, "the end was taken back");
        assert_eq!(resume.device.as_ref(), changed.devices.first());
        assert_eq!(store.boots(&d).await.expect("boots"), [first.boots[0].clone(), changed.boots[0].clone()]);
        assert_eq!(resume.catalogs, [catalog(d, "suite 2"), catalog(d, "suite 1")], "the newest first");
        let connections = store.connections(&d, Span::ALL).await.expect("connections");
        assert_eq!(connections, [first.connections[0].clone(), changed.connections[0].clone()]);
        assert_eq!(resume.commands, [first.commands[0].clone(), changed.commands[0].clone()]);
        let command = store.command(&d, CommandId(2)).await.expect("command");
        assert_eq!(command.as_ref(), changed.commands.first());
        let mut settings = resume.settings;
        settings.sort_by_key(|s| s.key);
        assert_eq!(settings, [first.settings[0].clone(), changed.settings[0].clone()]);
    }
}
