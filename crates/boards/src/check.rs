//! What must be true of what the store holds.

use crate::stored::Kept;
use sensock::Position;
use sensock_store::ReadingRow;

/// The quantities of the example firmware.
const TEMPERATURE: u16 = 1;
const HUMIDITY: u16 = 2;

/// Everything that is not as promised, in words; empty if all is well.
///
/// One boot, nothing lost: every record once, in order, from the first on, with the values of the sensor's recording, and no gap.
pub fn whole(kept: &Kept, recording: &[(i32, i32)]) -> Vec<String> {
    let mut faults = Faults(Vec::new());
    for gap in &kept.gaps {
        faults.add(format!(
            "there is a gap in {} from {} to {} ({}), and there must be none",
            gap.lane.lane, gap.first, gap.last, gap.cause
        ));
    }
    let mut expected = kept.records.first().map(|rows| Position::boot_start(position(rows).boot()));
    let mut tick = None;
    for (n, rows) in kept.records.iter().enumerate() {
        let found = position(rows);
        if Some(found) != expected {
            let due = expected.map_or("nothing".into(), |due| due.to_string());
            faults.add(format!("record {n} is {found}, but {due} is due"));
        }
        expected = Some(found.next());
        let (temperature, humidity) = recording[n % recording.len()];
        for (quantity, value) in [(TEMPERATURE, temperature), (HUMIDITY, humidity)] {
            match rows.iter().find(|row| row.quantity == quantity) {
                Some(row) if row.fault.is_none() && row.raw == value => {}
                other => {
                    faults.add(format!("quantity {quantity} of {found} is {other:?}, measured was {value}"))
                }
            }
        }
        let now = rows.first().map(|row| row.tick);
        if now < tick {
            faults.add(format!("the clock of {found} went back from {tick:?} to {now:?}"));
        }
        tick = now;
    }
    faults.0
}

fn position(rows: &[ReadingRow]) -> Position {
    rows.first().map_or(Position::NONE, |row| row.position)
}

/// Collects sentences, and not thousands of the same kind.
struct Faults(Vec<String>);

impl Faults {
    const MOST: usize = 20;

    fn add(&mut self, what: String) {
        if self.0.len() < Self::MOST {
            self.0.push(what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensock::{Cause, DeviceId, Lane, Tick};
    use sensock_store::{GapRow, LaneId};

    const RECORDING: [(i32, i32); 3] = [(2370, 2627), (2371, 2629), (2372, 2631)];

    fn lane() -> LaneId {
        LaneId { device: DeviceId::new("mps2").unwrap(), lane: Lane::Readings }
    }

    fn record(n: u32) -> Vec<ReadingRow> {
        let values = RECORDING[n as usize % RECORDING.len()];
        let row = |quantity, raw| ReadingRow {
            lane: lane(),
            position: Position::new(4, n),
            quantity,
            catalog: 1,
            raw,
            fault: None,
            value: f64::from(raw) / 100.0,
            tick: Tick(u64::from(n) * 10),
            not_before_us: None,
            not_after_us: 0,
        };
        vec![row(TEMPERATURE, values.0), row(HUMIDITY, values.1)]
    }

    fn faults(spoil: impl FnOnce(&mut Kept)) -> String {
        let mut kept = Kept { records: (0..8).map(record).collect(), gaps: vec![] };
        spoil(&mut kept);
        whole(&kept, &RECORDING).join("\n")
    }

    #[test]
    fn what_is_whole_passes() {
        assert_eq!(faults(|_| {}), "");
    }

    #[test]
    fn each_fault_is_named() {
        let said = faults(|kept| drop(kept.records.remove(3)));
        assert!(said.contains("record 3 is 4/4, but 4/3 is due"), "{said}");
        let said = faults(|kept| kept.records.insert(3, record(3)));
        assert!(said.contains("record 4 is 4/3, but 4/4 is due"), "{said}");
        let said = faults(|kept| kept.records.swap(3, 4));
        assert!(said.contains("4/3 is due") && said.contains("went back"), "{said}");
        let said = faults(|kept| drop(kept.records.remove(0)));
        assert!(said.contains("but 4/0 is due"), "{said}");
        let said = faults(|kept| kept.records[5][1].raw += 1);
        assert!(said.contains("quantity 2 of 4/5"), "{said}");
        let said = faults(|kept| {
            kept.records[5].remove(0);
        });
        assert!(said.contains("quantity 1 of 4/5 is None"), "{said}");
        let said = faults(|kept| {
            kept.gaps.push(GapRow {
                lane: lane(),
                first: Position::new(4, 8),
                last: Position::new(4, 9),
                cause: Cause::Overflow,
                count: Some(2),
                not_before_us: None,
                not_after_us: None,
                written_us: 0,
                detail: String::new(),
            });
        });
        assert!(said.contains("from 4/8 to 4/9"), "{said}");
    }
}
