//! Catalogues: stored before any record, compared now and then, and nothing decoded by guesswork.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use catalog::{CELLAR, HUMIDITY, TEMPERATURE};
use common::*;
use sensock::{Catalog, Cause, Lane, Quantity};
use sensock_server::*;
use sensock_store::work::Work;

#[tokio::test(start_paused = true)]
async fn a_catalogue_that_contradicts_a_stored_one_of_its_hash_is_told() {
    let store = MemoryStore::default();
    let board = Board::new("cellar-3", Some(1));
    // A collision of the hash, as the store would have it: other content under this hash.
    let mut bytes = vec![0; CELLAR.len()];
    CELLAR.copy_at(0, &mut bytes);
    let at = bytes.windows(6).position(|w| w == b"cellar").unwrap();
    bytes[at] = b'X';
    let row = CatalogRow { device: board.id, hash: CELLAR.hash(), bytes };
    let batch = Batch { catalogs: vec![row], ..Batch::default() };
    sensock_store::commit(&store, &[Work::Rows(Box::new(batch))]).await.unwrap();
    let (server, mut events) = builder(&store).recheck_catalogs(1.0).start().await.unwrap();
    board.record(1.0, 1.0);
    board.connect(&server, "192.0.2.1:1").ended().await;
    let hash = until(&mut events, |e| match e {
        Event::CatalogContradicts { hash, .. } => Some(hash),
        _ => None,
    });
    assert_eq!(hash.await, CELLAR.hash());
    let (retry_ms, text) = board
        .heard(|s| match s {
            Said::Bye { retry_ms, text, .. } => Some((*retry_ms, text.clone())),
            _ => None,
        })
        .await;
    assert_eq!(retry_ms, 300_000);
    assert!(text.contains("contradicts a stored one of the same hash: change the firmware's name"), "{text}");
    assert_eq!(store.range(&board.id, Span::ALL, None, 10).await.unwrap(), []);
    assert!(!board.outbox(|o| o.is_drained(Lane::Readings)), "the device keeps its records");
}

#[tokio::test(start_paused = true)]
async fn a_catalogue_that_is_looked_at_again_and_is_the_same_changes_nothing() {
    let store = MemoryStore::default();
    let (server, _events) = builder(&store).recheck_catalogs(1.0).start().await.unwrap();
    let board = Board::new("cellar-3", Some(1));
    for _ in 0..3 {
        board.record(1.0, 1.0);
        let link = board.connect(&server, "192.0.2.1:1");
        board.drained().await;
        link.cut();
    }
    assert_eq!(store.range(&board.id, Span::ALL, None, 10).await.unwrap().len(), 6);
}

const ODD: Quantity<u32> = Quantity::new(7, "odd", "");
/// Lists humidity with a narrow range, and not all that the board measures.
const NARROW: Catalog<'_> =
    Catalog::new("narrow 1", &[HUMIDITY.range(0, 600).entry(), TEMPERATURE.entry()], &[], &[]);

#[tokio::test(start_paused = true)]
async fn w8_values_out_of_range_are_faults_and_unknown_quantities_go_to_quarantine() {
    let store = MemoryStore::default();
    let (server, mut events) = server(&store).await;
    let board = Board::with_catalog("cellar-3", Some(1), &NARROW);
    board.record(f32::NAN, 75.0);
    let now = board.now();
    board.outbox(|o| o.record(Lane::Readings, now, &[ODD.is(5)])).unwrap();
    board.record(21.0, f32::NEG_INFINITY);
    let _link = board.connect(&server, "192.0.2.1:1");
    board.drained().await;
    let rows = store.range(&board.id, Span::ALL, None, 10).await.unwrap();
    let faults: Vec<_> = rows.iter().map(|r| r.row.fault.map(|f| f.words())).collect();
    // 75.0 %RH fits the board's own type, but not what its catalogue says.
    assert_eq!(faults, [Some("not a number"), Some("above range"), None, Some("below range")]);
    assert!(rows.iter().filter(|r| r.row.fault.is_some()).all(|r| r.row.value.is_nan() && r.row.raw == 0));
    let gap = until(&mut events, |e| match e {
        Event::Gap(gap) => Some(gap),
        _ => None,
    });
    let gap = gap.await;
    assert_eq!((gap.cause, gap.count), (Cause::Rejected, Some(1)));
    assert!(gap.detail.contains("quantity 7 is not in the catalogue"), "{}", gap.detail);
    let quarantine = store.quarantine(&board.id).await.unwrap();
    assert_eq!((quarantine[0].first, quarantine[0].last), (gap.first, gap.last));
    assert!(!quarantine[0].raw.is_empty());
    board.record(22.0, 50.0);
    board.drained().await;
}
