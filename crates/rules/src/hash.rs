//! A table's hash: which version of the rules said something.

use crate::{Calendar, Cell, Hazard, Over, Owner, Rule, Side, Signal, Slots, Table, Way};

impl Table<'_> {
    /// 64 bits over everything that has a part in a decision or in its words: FNV-1a over all fields in their order,
    /// numbers little-endian, texts and lists with their length first.
    ///
    /// Two tables that judge differently have different hashes for all practical purposes; it is no protection against
    /// somebody who looks for a pair on purpose.
    pub fn hash(&self) -> u64 {
        let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
        hash.number(self.grid_ms.into());
        hash.calendar(&self.calendar);
        hash.number(self.rules.len() as i64);
        self.rules.iter().for_each(|rule| hash.rule(rule));
        hash.number(self.hazards.len() as i64);
        self.hazards.iter().for_each(|hazard| hash.hazard(hazard));
        hash.0
    }
}

struct Fnv(u64);

impl Fnv {
    fn number(&mut self, number: i64) {
        self.bytes(&number.to_le_bytes());
    }

    fn numbers<const N: usize>(&mut self, numbers: [i64; N]) {
        numbers.into_iter().for_each(|number| self.number(number));
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as i64);
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn calendar(&mut self, calendar: &Calendar<'_>) {
        self.numbers([calendar.origin_s, calendar.offset_s.into(), calendar.changes.len() as i64]);
        calendar.changes.iter().for_each(|(from, offset)| self.numbers([from.0.into(), i64::from(*offset)]));
    }

    fn rule(&mut self, rule: &Rule<'_>) {
        self.text(rule.name);
        self.text(rule.unit);
        self.numbers([rule.scale.into(), rule.device.into(), rule.quantity.into()]);
        self.numbers([rule.least.into(), rule.most.into(), rule.interval.into()]);
        self.signal(&rule.signal);
        let levels = &rule.levels;
        self.number(match levels.side {
            Side::Above => 0,
            Side::Below => 1,
        });
        self.numbers([levels.warning.into(), levels.critical.into(), levels.hysteresis.into()]);
        self.numbers([levels.hold.into(), levels.release.into()]);
        match rule.veto {
            None => self.number(-1),
            Some(veto) => self.numbers([veto.rule.into(), veto.at as i64]),
        }
    }

    fn signal(&mut self, signal: &Signal<'_>) {
        match signal {
            Signal::Value => self.number(0),
            Signal::Rate(rate) => self.numbers([1, rate.window.into(), rate.per.into()]),
            Signal::Flow(flow) => {
                self.numbers([2, flow.rate.window.into(), flow.rate.per.into(), flow.modulus.into()]);
            }
            Signal::Running(running) => {
                let way = match running.way {
                    Way::Signed => 0,
                    Way::Either => 1,
                };
                self.numbers([3, running.shift.into(), running.least.into(), running.warm.into(), way]);
            }
            Signal::Daily(daily) => {
                self.numbers([
                    4,
                    slots(daily.slots),
                    daily.first.into(),
                    daily.least.into(),
                    daily.needed.into(),
                ]);
            }
            Signal::Standard { slots: of, table } => {
                self.numbers([5, slots(*of)]);
                table.iter().for_each(|value| self.number((*value).into()));
            }
            Signal::Shaking(shaking) => {
                self.numbers([6, shaking.short.into(), shaking.long.into()]);
                self.numbers([shaking.warm.into(), shaking.least.into()]);
            }
            Signal::Silence => self.number(7),
        }
    }

    fn hazard(&mut self, hazard: &Hazard<'_>) {
        self.text(hazard.name);
        self.number(hazard.cells.len() as i64);
        hazard.cells.iter().for_each(|cell| self.cell(cell));
        self.numbers([hazard.warning.into(), hazard.critical.into(), hazard.hysteresis.into()]);
        let owner = match hazard.owner {
            Owner::Server => 0,
            Owner::Device => 1,
        };
        self.numbers([owner, hazard.max_age_ms.into()]);
    }

    fn cell(&mut self, cell: &Cell) {
        self.numbers([cell.rule.into(), cell.at as i64, cell.weight.into()]);
        match cell.over {
            Over::Now => self.number(0),
            Over::Lasting(steps) => self.numbers([1, steps.into()]),
            Over::Within(steps) => self.numbers([2, steps.into()]),
        }
    }
}

fn slots(slots: Slots) -> i64 {
    slots.count() as i64
}

#[cfg(test)]
mod tests {
    use crate::{Calendar, Cell, Hazard, Level, Levels, Rule, Signal, Table};

    #[test]
    fn every_change_of_a_table_changes_its_hash() {
        let rule = Rule::new("heat", 0, 1, Signal::Value, Levels::above(50, 60));
        let cell = Cell::now(0, Level::Warning, 60);
        let hash = |rules: &[Rule<'_>], hazards: &[Hazard<'_>]| {
            Table { grid_ms: 1_000, calendar: Calendar::UTC, rules, hazards }.hash()
        };
        let cells = [cell];
        let fire = Hazard::new("fire", &cells);
        let later = [Cell::within(0, Level::Warning, 5, 60)];
        let hashes = [
            hash(&[rule], &[fire]),
            hash(&[rule], &[]),
            hash(&[rule, rule], &[fire]),
            hash(&[rule.hold(1, 0)], &[fire]),
            hash(&[rule.hold(0, 1)], &[fire]),
            hash(&[rule.hysteresis(1)], &[fire]),
            hash(&[rule.every(5)], &[fire]),
            hash(&[rule.unit("K", 0)], &[fire]),
            hash(&[Rule { signal: Signal::Silence, ..rule }], &[fire]),
            hash(&[rule], &[fire.from_score(50, 81, 10)]),
            hash(&[rule], &[fire.max_age_ms(1)]),
            hash(&[rule], &[Hazard::new("fire", &later)]),
        ];
        let different: std::collections::BTreeSet<u64> = hashes.into_iter().collect();
        assert_eq!(different.len(), hashes.len());
    }
}
