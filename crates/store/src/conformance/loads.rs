//! `load` returns what it says, and not more.

use sensock::{DeviceId, Position, Tick};

use super::fixture::*;
use crate::batch::Batch;
use crate::history::History;
use crate::rows::*;
use crate::store::{Resume, Store, Transaction};

/// A device that nobody knows has nothing; the limits of each list hold, and the newest rows are what is kept; within a transaction it is
/// the same.
pub async fn load_keeps_its_limits<S: Store + History>(store: S) {
    let d = device("cellar");
    assert_eq!(store.load(&d).await.expect("load"), Resume::default());
    for i in 0..6 {
        let catalogs = vec![catalog(d, &format!("suite {i}"))];
        write(&store, Batch { catalogs, ..Batch::default() }).await;
    }
    let settled = |c: CommandRow| CommandRow { state: CommandState::Expired, settled_us: Some(NOON), ..c };
    let commands: Vec<CommandRow> =
        (1..=100).map(|id| if id % 40 == 3 { command(d, id) } else { settled(command(d, id)) }).collect();
    let batch = Batch {
        boots: (1..=100).map(|n| boot(d, n)).collect(),
        commands: commands.clone(),
        marks: vec![(LaneId { device: d, lane: sensock::Lane::Alarm }, Position::new(1, 0))],
        // Another device's rows are not this one's.
        settings: vec![setting(device("attic"), 1, 1)],
        ..Batch::default()
    };
    write(&store, batch).await;
    let resume = store.load(&d).await.expect("load");
    assert_eq!(
        resume.catalogs,
        [5, 4, 3, 2].map(|i| catalog(d, &format!("suite {i}"))),
        "the newest four, the newest first"
    );
    assert_eq!(resume.boots, (37..=100).map(|n| boot(d, n)).collect::<Vec<_>>(), "the newest 64, in order");
    // 3, 43 and 83 wait; of the 97 others the newest 64.
    let mut settled_seen = 0;
    let mut wanted: Vec<CommandRow> = commands
        .iter()
        .rev()
        .filter(|c| {
            !c.state.is_settled() || {
                settled_seen += 1;
                settled_seen <= 64
            }
        })
        .cloned()
        .collect();
    wanted.reverse();
    assert_eq!(resume.commands, wanted);
    assert_eq!(resume.settings, []);

    let (mut tx, _) = store.begin(&[]).await.expect("begin");
    assert_eq!(tx.load(&d).await.expect("load"), resume, "within a transaction it is the same");
}

/// Boots reach back to the one before the lowest mark; anchors are those of these boots, the newest.
pub async fn load_reaches_back_to_the_lowest_mark<S: Store + History>(store: S) {
    let d = device("cellar");
    let lanes = sensock::Lane::ALL.map(|lane| LaneId { device: d, lane });
    let anchor = |boot: u32, tick: u64| AnchorRow {
        device: d,
        boot,
        tick: Tick(tick),
        lo_us: NOON,
        hi_us: NOON + tick as i64,
        server: 7,
    };
    let batch = Batch {
        marks: vec![
            (lanes[0], Position::new(20, 0)),
            (lanes[1], Position::new(14, 3)),
            (lanes[2], Position::new(20, 5)),
        ],
        boots: [5, 9, 12, 14, 17, 20].map(|n| boot(d, n)).to_vec(),
        anchors: (0..300).map(|t| anchor(20, t)).chain([anchor(17, 5), anchor(14, 5)]).collect(),
        ..Batch::default()
    };
    write(&store, batch).await;
    let resume = store.load(&d).await.expect("load");
    assert_eq!(resume.boots, [12, 14, 17, 20].map(|n| boot(d, n)));
    let wanted: Vec<AnchorRow> = (44..300).map(|t| anchor(20, t)).collect();
    assert_eq!(resume.anchors, wanted, "the newest 256, in order of boot and tick");
}

/// Many devices loaded at once are each as if loaded alone, in the order asked for, in a transaction too.
pub async fn load_all_is_load_of_each<S: Store + History>(store: S) {
    let names: Vec<DeviceId> = (0..37).map(|i| device(&format!("d{}", i * 7 % 37))).collect();
    for (i, &d) in names.iter().enumerate().filter(|(i, _)| i % 5 != 0) {
        let i = i as u32;
        let settled = |c: CommandRow| CommandRow { state: CommandState::Done, settled_us: Some(NOON), ..c };
        let anchors = (0..i % 4).map(|n| AnchorRow {
            device: d,
            boot: 1 + i % 3,
            tick: Tick(u64::from(n)),
            lo_us: NOON,
            hi_us: NOON + 1,
            server: 7,
        });
        let batch = Batch {
            marks: vec![(LaneId { device: d, lane: sensock::Lane::Readings }, Position::new(1 + i % 3, i))],
            ended: vec![(LaneId { device: d, lane: sensock::Lane::Control }, Position::new(1, i))],
            boots: (1..=i % 4).map(|n| boot(d, n)).collect(),
            catalogs: (0..i % 6).map(|n| catalog(d, &format!("suite {n}"))).collect(),
            anchors: anchors.collect(),
            commands: vec![command(d, i + 1), settled(command(d, i + 2))],
            settings: (0..i as u16 % 3).map(|n| setting(d, 9 - n, 1)).collect(),
            ..Batch::default()
        };
        write(&store, batch).await;
    }
    let mut each = Vec::new();
    for d in &names {
        each.push(store.load(d).await.expect("load"));
    }
    assert!(each.iter().filter(|r| **r == Resume::default()).count() == 8, "every fifth is unknown");
    assert_eq!(store.load_all(&names).await.expect("load_all"), each);
    assert_eq!(store.load_all(&[]).await.expect("load_all"), []);
    let (mut tx, _) = store.begin(&[]).await.expect("begin");
    assert_eq!(tx.load_all(&names).await.expect("load_all"), each, "within a transaction it is the same");
}
