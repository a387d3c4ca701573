//! Works as a server makes them, given straight to a store: what a record costs without a network.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use sensock::catalog::{Catalog, Quantity, QuantityEntry, fnv1a};
use sensock::{DeviceId, Lane, Position, Tick};
use sensock_store::work::{Done, RecordsWork, Step, Work};
use sensock_store::{Batch, CatalogRow, LaneId, ReadingRow, Store, append};

use crate::usage::Cpu;

const QUANTITIES: [QuantityEntry<'static>; 2] = [
    Quantity::<f32>::new(1, "temperature", "Cel").scale(-2).entry(),
    Quantity::<f32>::new(2, "humidity", "%RH").scale(-1).entry(),
];
const BEGIN_US: i64 = 1_800_000_000_000_000;

/// Devices that write records of two readings, one after the other in a circle.
#[derive(Debug)]
pub struct Devices {
    lanes: Vec<(LaneId, u64, u32)>,
    turn: usize,
}

/// How large a transaction is.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// Devices in it.
    pub works: usize,
    /// Records of each.
    pub records: u32,
}

impl Group {
    /// Records in all.
    pub fn len(self) -> u64 {
        self.works as u64 * u64::from(self.records)
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// What some transactions cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Records stored.
    pub records: u64,
    /// CPU of this process.
    pub cpu: Duration,
    /// From the first to the last.
    pub wall: Duration,
}

impl Cost {
    /// Microseconds of CPU for each record.
    pub fn cpu_per_record(self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.records.max(1) as f64
    }

    /// Records a second.
    pub fn rate(self) -> f64 {
        self.records as f64 / self.wall.as_secs_f64()
    }
}

impl Devices {
    /// New devices whose catalogues are stored.
    ///
    /// # Errors
    /// The store's.
    pub async fn new<S: Store>(store: &S, devices: usize) -> Result<Self> {
        let mut lanes = vec![];
        for n in 0..devices {
            let device = DeviceId::new(&format!("direct-{n:05}"))?;
            let catalog = Catalog::new("direct 1", &QUANTITIES, &[], &[]);
            let mut bytes = vec![0; catalog.len()];
            catalog.copy_at(0, &mut bytes);
            let hash = fnv1a(&bytes);
            lanes.push((LaneId { device, lane: Lane::Readings }, hash, 1));
            let rows = Batch { catalogs: vec![CatalogRow { device, hash, bytes }], ..Batch::default() };
            for done in append::commit(store, &[Work::Rows(Box::new(rows))]).await? {
                done?;
            }
        }
        Ok(Self { lanes, turn: 0 })
    }

    /// Commits so many groups; making the works is not measured.
    ///
    /// # Errors
    /// The store's, or when it does not store everything.
    pub async fn commit<S: Store>(&mut self, store: &S, group: Group, groups: usize) -> Result<Cost> {
        let mut cost = Cost::default();
        let mut left = groups;
        while left > 0 {
            // Not more in memory than some thousand records.
            let now = left.min((8_192 / group.len().max(1) as usize).max(1));
            let works: Vec<Vec<Work>> = (0..now).map(|_| self.works(group)).collect();
            let (cpu, begun) = (Cpu::of(std::process::id())?, Instant::now());
            for works in &works {
                for done in append::commit(store, works).await? {
                    match done? {
                        Done::Appended(done) if done.stored == u64::from(group.records) => {}
                        other => bail!("{} records were given, the store says {other:?}", group.records),
                    }
                }
            }
            cost.wall += begun.elapsed();
            cost.cpu += Cpu::of(std::process::id())?.since(cpu).total;
            cost.records += group.len() * now as u64;
            left -= now;
        }
        Ok(cost)
    }

    fn works(&mut self, group: Group) -> Vec<Work> {
        (0..group.works).map(|_| self.work(group.records)).collect()
    }

    fn work(&mut self, records: u32) -> Work {
        let place = self.turn % self.lanes.len();
        self.turn += 1;
        let (lane, catalog, next) = &mut self.lanes[place];
        let (lane, catalog, first) = (*lane, *catalog, *next);
        *next += records;
        let readings = (first..first + records).flat_map(|n| readings(lane, catalog, n)).collect();
        Work::Records(Box::new(RecordsWork {
            lane,
            steps: vec![Step::Records { first: Position::new(0, first), count: records }],
            readings,
            replies: vec![],
            applied: vec![],
            anchors: vec![],
            raw: vec![0; 16],
            now_us: BEGIN_US + i64::from(first) * 1_000_000,
        }))
    }
}

fn readings(lane: LaneId, catalog: u64, n: u32) -> [ReadingRow; 2] {
    let at = BEGIN_US + i64::from(n) * 1_000_000;
    let drift = (n % 100) as i32;
    [(1, 2_345 + drift, 100.0), (2, 567 - drift, 10.0)].map(|(quantity, raw, by)| ReadingRow {
        lane,
        position: Position::new(0, n),
        quantity,
        catalog,
        raw,
        fault: None,
        value: f64::from(raw) / by,
        tick: Tick(u64::from(n) * 1_000),
        not_before_us: Some(at - 10_000),
        not_after_us: at,
    })
}
