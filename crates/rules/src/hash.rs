//! A table's hash: which version of the rules said something.

use crate::{Calendar, Cell, Hazard, Over, Owner, Rule, Side, Signal, Table, Way};

impl Table<'_> {
    /// 64 bits over everything that has a part in a decision or in its words: FNV-1a over all fields in their order,
    /// numbers as eight bytes little-endian, texts and lists with their length first.
    ///
    /// Two tables that judge differently have different hashes for all practical purposes; it is no protection against
    /// somebody who looks for a pair on purpose.
    pub const fn hash(&self) -> u64 {
        let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
        hash.number(self.grid_ms as i64);
        hash.calendar(&self.calendar);
        hash.number(self.rules.len() as i64);
        let mut i = 0;
        while i < self.rules.len() {
            hash.rule(&self.rules[i]);
            i += 1;
        }
        hash.number(self.hazards.len() as i64);
        let mut i = 0;
        while i < self.hazards.len() {
            hash.hazard(&self.hazards[i]);
            i += 1;
        }
        hash.0
    }
}

struct Fnv(u64);

impl Fnv {
    const fn number(&mut self, number: i64) {
        self.bytes(&number.to_le_bytes());
    }

    const fn numbers<const N: usize>(&mut self, numbers: [i64; N]) {
        let mut i = 0;
        while i < N {
            self.number(numbers[i]);
            i += 1;
        }
    }

    const fn text(&mut self, text: &str) {
        self.number(text.len() as i64);
        self.bytes(text.as_bytes());
    }

    const fn bytes(&mut self, bytes: &[u8]) {
        let mut i = 0;
        while i < bytes.len() {
            self.0 = (self.0 ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01b3);
            i += 1;
        }
    }

    const fn calendar(&mut self, calendar: &Calendar<'_>) {
        self.numbers([calendar.origin_s, calendar.offset_s as i64, calendar.changes.len() as i64]);
        let mut i = 0;
        while i < calendar.changes.len() {
            let (from, offset) = calendar.changes[i];
            self.numbers([from.0 as i64, offset as i64]);
            i += 1;
        }
    }

    const fn rule(&mut self, rule: &Rule<'_>) {
        self.text(rule.name);
        self.text(rule.unit);
        self.numbers([rule.scale as i64, rule.device as i64, rule.quantity as i64]);
        self.numbers([rule.least as i64, rule.most as i64, rule.interval as i64]);
        self.signal(&rule.signal);
        let levels = &rule.levels;
        self.number(match levels.side {
            Side::Above => 0,
            Side::Below => 1,
        });
        self.numbers([levels.warning as i64, levels.critical as i64, levels.hysteresis as i64]);
        self.numbers([levels.hold as i64, levels.release as i64]);
        match rule.veto {
            None => self.number(-1),
            Some(veto) => self.numbers([veto.rule as i64, veto.at as i64]),
        }
    }

    const fn signal(&mut self, signal: &Signal<'_>) {
        match signal {
            Signal::Value => self.number(0),
            Signal::Rate(rate) => self.numbers([1, rate.window as i64, rate.per as i64]),
            Signal::Flow(flow) => {
                self.numbers([2, flow.rate.window as i64, flow.rate.per as i64, flow.modulus as i64]);
            }
            Signal::Running(of) => {
                let way = match of.way {
                    Way::Signed => 0,
                    Way::Either => 1,
                };
                self.numbers([3, of.shift as i64, of.least as i64, of.warm as i64, way]);
            }
            Signal::Daily(of) => {
                let slots = of.slots.count() as i64;
                self.numbers([4, slots, of.first as i64, of.least as i64, of.needed as i64]);
            }
            Signal::Standard { slots, table } => {
                self.numbers([5, slots.count() as i64]);
                let mut i = 0;
                while i < table.len() {
                    self.number(table[i] as i64);
                    i += 1;
                }
            }
            Signal::Shaking(of) => {
                self.numbers([6, of.short as i64, of.long as i64, of.warm as i64, of.least as i64]);
            }
            Signal::Silence => self.number(7),
            Signal::Season(of) => {
                self.numbers([8, of.cells.count() as i64, of.first as i64]);
                self.numbers([of.least as i64, of.needed as i64, of.days as i64]);
            }
        }
    }

    const fn hazard(&mut self, hazard: &Hazard<'_>) {
        self.text(hazard.name);
        self.number(hazard.cells.len() as i64);
        let mut i = 0;
        while i < hazard.cells.len() {
            self.cell(&hazard.cells[i]);
            i += 1;
        }
        self.numbers([hazard.warning as i64, hazard.critical as i64, hazard.hysteresis as i64]);
        let owner = match hazard.owner {
            Owner::Server => 0,
            Owner::Device => 1,
        };
        self.numbers([owner, hazard.max_age_ms as i64]);
    }

    const fn cell(&mut self, cell: &Cell) {
        self.numbers([cell.rule as i64, cell.at as i64, cell.weight as i64]);
        match cell.over {
            Over::Now => self.number(0),
            Over::Lasting(steps) => self.numbers([1, steps as i64]),
            Over::Within(steps) => self.numbers([2, steps as i64]),
        }
    }
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
