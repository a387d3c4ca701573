//! From a Data frame to work for rule A.

use std::collections::BTreeMap;

use sensock::batch::{Cell, Sink};
use sensock::catalog::Fault;
use sensock::link::Bounds;
use sensock::wire::data::{Data, Item, Outcome};
use sensock::{DeviceId, Tick};
use sensock_store::work::{Applied, RecordsWork, Reply, Step};
use sensock_store::{CommandState, LaneId, ReadingRow};

/// What the rows of one boot need.
pub(crate) struct Terms<'a> {
    pub device: DeviceId,
    pub catalog: u64,
    pub bounds: Bounds,
    /// Added to the server's steady clock to give wall time.
    pub wall_us: i64,
    pub received_us: i64,
    pub scales: &'a BTreeMap<u16, i8>,
}

pub(crate) fn records(data: &Data<'_>, terms: &Terms<'_>) -> RecordsWork {
    let lane = LaneId { device: terms.device, lane: data.lane };
    let mut work = RecordsWork {
        lane,
        steps: vec![],
        readings: vec![],
        replies: vec![],
        applied: vec![],
        anchors: vec![],
        raw: data.bytes().to_vec(),
        now_us: terms.received_us,
    };
    let moment = |tick: Tick| {
        let (lo, hi) = terms.bounds.moment(tick);
        (lo + terms.wall_us, (hi + terms.wall_us).min(terms.received_us))
    };
    for item in data.items() {
        match item {
            Item::Run(run) => {
                let ids = run.shape.as_slice();
                let mut table =
                    Table { ticks: vec![], cells: vec![vec![Cell::Fault(0); ids.len()]; run.count] };
                let known = ids.iter().all(|id| terms.scales.contains_key(id));
                let (first, count) = (run.first, run.count as u32);
                if !known || run.decode(&mut table).is_err() {
                    let last = first.plus(u64::from(count) - 1);
                    let reason = "a quantity that the catalogue does not list".to_owned();
                    work.steps.push(Step::Quarantine { first, last, reason, raw: data.bytes().to_vec() });
                    continue;
                }
                work.steps.push(Step::Records { first, count });
                for (i, (tick, cells)) in table.ticks.iter().zip(&table.cells).enumerate() {
                    for (quantity, cell) in ids.iter().zip(cells) {
                        let (not_before, not_after) = moment(Tick(*tick));
                        let (raw, fault) = match cell {
                            Cell::Value(v) => (*v, None),
                            Cell::Fault(code) => (0, Some(Fault(*code))),
                        };
                        let scale = terms.scales.get(quantity).copied().unwrap_or(0);
                        work.readings.push(ReadingRow {
                            lane,
                            position: first.plus(i as u64),
                            quantity: *quantity,
                            catalog: terms.catalog,
                            raw,
                            fault,
                            value: if fault.is_some() {
                                f64::NAN
                            } else {
                                f64::from(raw) * 10f64.powi(scale.into())
                            },
                            tick: Tick(*tick),
                            not_before_us: Some(not_before),
                            not_after_us: not_after,
                        });
                    }
                }
            }
            Item::Gap { first, last, cause, span } => {
                let between_us = span.map_or((None, None), |(a, b)| (Some(moment(a).0), Some(moment(b).1)));
                work.steps.push(Step::Gap { first, last, cause, between_us });
            }
            Item::Boot { after, boot, complete } => work.steps.push(Step::Boot { after, boot, complete }),
            Item::Reply { position, command, outcome, body } => {
                work.steps.push(Step::Records { first: position, count: 1 });
                let state = match outcome {
                    Outcome::Done => CommandState::Done,
                    Outcome::Expired => CommandState::Expired,
                    Outcome::Unknown => CommandState::Unknown,
                    Outcome::Refused(code) => CommandState::Refused(code),
                };
                work.replies.push(Reply { position, command, state, answer: body.to_vec() });
            }
            Item::Applied { position, revision, refused } => {
                work.steps.push(Step::Records { first: position, count: 1 });
                work.applied.push(Applied { position, revision, refused });
            }
            Item::Unknown { first, count, bytes } => {
                let last = first.plus(u64::from(count.max(1)) - 1);
                let reason = "an item of a later version".to_owned();
                work.steps.push(Step::Quarantine { first, last, reason, raw: bytes.to_vec() });
            }
        }
    }
    work
}

struct Table {
    ticks: Vec<u64>,
    cells: Vec<Vec<Cell>>,
}

impl Sink for Table {
    fn tick(&mut self, _: usize, tick: u64) {
        self.ticks.push(tick);
    }
    fn cell(&mut self, row: usize, column: usize, cell: Cell) {
        self.cells[row][column] = cell;
    }
}
