//! Rows to test with: small, plausible, and easily changed.

use sensock::catalog::{Catalog, Policy, Quantity, fnv1a};
use sensock::wire::hello::Account;
use sensock::{CommandId, DeviceId, Lane, Position, Tag, Tick};

use crate::batch::Batch;
use crate::history::NamedReading;
use crate::rows::*;
use crate::store::{Store, Transaction};

/// Noon of some day, in us since 1970.
pub const NOON: i64 = 1_700_000_000_000_000;
/// Hundredths of a degree.
pub const TEMPERATURE: u16 = 1;
/// Tenths of a percent.
pub const HUMIDITY: u16 = 2;

const QUANTITIES: [sensock::catalog::QuantityEntry<'static>; 2] = [
    Quantity::<f32>::new(TEMPERATURE, "temperature", "Cel").scale(-2).entry(),
    Quantity::<f32>::new(HUMIDITY, "humidity", "%RH").scale(-1).entry(),
];

/// A device's name.
pub fn device(name: &str) -> DeviceId {
    DeviceId::new(name).expect("the suite's own names are valid")
}

/// The readings lane of a device.
pub fn readings_lane(name: &str) -> LaneId {
    LaneId { device: device(name), lane: Lane::Readings }
}

/// A catalogue of temperature and humidity; the firmware's name tells two of them apart.
pub fn catalog(device: DeviceId, firmware: &str) -> CatalogRow {
    let catalog = Catalog::new(firmware, &QUANTITIES, &[], &[]);
    let mut bytes = vec![0; catalog.len()];
    catalog.copy_at(0, &mut bytes);
    CatalogRow { device, hash: fnv1a(&bytes), bytes }
}

/// A temperature of `raw` hundredths, measured `n` seconds after noon, within 10 ms.
pub fn reading(lane: LaneId, position: Position, raw: i32) -> ReadingRow {
    let at = NOON + i64::from(position.n()) * 1_000_000;
    ReadingRow {
        lane,
        position,
        quantity: TEMPERATURE,
        catalog: catalog(lane.device, "suite 1").hash,
        raw,
        fault: None,
        value: f64::from(raw) / 100.0,
        tick: Tick(u64::from(position.n()) * 1000),
        not_before_us: Some(at - 10_000),
        not_after_us: at,
    }
}

/// A device row.
pub fn device_row(device: DeviceId, boot: u32, tag: u64) -> DeviceRow {
    let hash = catalog(device, "suite 1").hash;
    DeviceRow { device, boot, tag: Tag(tag), superseded: vec![], catalog: hash }
}

/// A boot.
pub fn boot(device: DeviceId, boot: u32) -> BootRow {
    BootRow {
        device,
        boot,
        tag: Tag(u64::from(boot) + 100),
        catalog: catalog(device, "suite 1").hash,
        firmware: "suite 1".to_owned(),
        seen_us: NOON,
        started: (Some(NOON - 2_000_000), Some(NOON - 1_000_000)),
        last_tick: Tick(1_000),
        account: Account::default(),
        rebased_by: 0,
    }
}

/// A connection.
pub fn connection(device: DeviceId, id: u64) -> ConnectionRow {
    ConnectionRow {
        id,
        device,
        boot: 1,
        server: 7,
        peer: "192.0.2.7:4242".to_owned(),
        from_us: NOON,
        to_us: None,
        reason: String::new(),
        asleep_until_us: None,
        account: Account::default(),
        records: 0,
        bytes: 0,
    }
}

/// A command that waits.
pub fn command(device: DeviceId, id: u32) -> CommandRow {
    CommandRow {
        device,
        id: CommandId(id),
        key: 1,
        name: "relay".to_owned(),
        policy: Policy::Once,
        body: vec![1],
        issuer: "suite".to_owned(),
        idempotency_key: None,
        keep_all: true,
        created_us: NOON,
        deadline_us: NOON + 60_000_000,
        state: CommandState::Queued,
        answer: vec![],
        settled_us: None,
    }
}

/// A setting.
pub fn setting(device: DeviceId, key: u16, revision: u32) -> SettingRow {
    SettingRow {
        device,
        key,
        name: format!("setting-{key}"),
        revision,
        body: vec![key as u8],
        issuer: "suite".to_owned(),
        set_us: NOON,
        applied_us: None,
        refused: None,
    }
}

/// A gap of `count` positions.
pub fn gap(lane: LaneId, first: Position, count: u64) -> GapRow {
    GapRow {
        lane,
        first,
        last: first.plus(count - 1),
        cause: sensock::Cause::Overflow,
        count: Some(count),
        not_before_us: Some(NOON),
        not_after_us: Some(NOON + 1_000_000),
        written_us: NOON + 2_000_000,
        detail: "the outbox was full".to_owned(),
    }
}

/// Writes one batch in a transaction of its own, with the lanes of its marks locked.
pub async fn write<S: Store>(store: &S, batch: Batch) {
    let mut lanes: Vec<LaneId> = batch.marks.iter().map(|m| m.0).collect();
    lanes.sort_unstable();
    let (mut tx, _) = store.begin(&lanes).await.expect("begin");
    tx.write(&batch).await.expect("write");
    tx.commit().await.expect("commit");
}

/// Writes the catalogue and these readings.
pub async fn write_readings<S: Store>(store: &S, readings: Vec<ReadingRow>) {
    let mut batch = Batch { readings, ..Batch::default() };
    for r in &batch.readings {
        batch.catalogs.push(catalog(r.lane.device, "suite 1"));
        batch.marks.push((r.lane, r.position));
    }
    batch.catalogs.dedup();
    batch.marks.reverse();
    batch.marks.sort_by_key(|m| m.0);
    batch.marks.dedup_by_key(|m| m.0);
    write(store, batch).await;
}

/// Whether two readings are the same; values may differ by rounding, and no value equals no value.
pub fn same_reading(a: &ReadingRow, b: &ReadingRow) -> bool {
    let values = (a.value.is_nan() && b.value.is_nan()) || (a.value - b.value).abs() <= 1e-9 * a.value.abs();
    values && ReadingRow { value: 0.0, ..*a } == ReadingRow { value: 0.0, ..*b }
}

/// Compares what came back with what was written.
pub fn assert_readings(got: &[NamedReading], wanted: &[ReadingRow]) {
    let equal = got.len() == wanted.len() && got.iter().zip(wanted).all(|(g, w)| same_reading(&g.row, w));
    assert!(equal, "got {got:#?}, wanted {wanted:#?}");
}
