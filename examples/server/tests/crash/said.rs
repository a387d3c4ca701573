//! What devices said on their pipes.

use std::collections::{BTreeMap, BTreeSet};

use sensock::batch::Cell;
use sensock::{DeviceId, Lane, Position, Reading};

/// What one device said in all of its boots.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    /// Every record that it accepted.
    pub(crate) accepted: BTreeMap<(Lane, Position), Vec<Reading>>,
    /// The highest position of each lane and boot that it knows to be stored.
    pub(crate) acked: BTreeMap<(Lane, u32), Position>,
    /// Boots that it began.
    pub(crate) boots: BTreeSet<u32>,
    /// Boots that were killed.
    pub(crate) killed: BTreeSet<u32>,
    /// It recorded its last and everything is stored.
    pub(crate) drained: bool,
}

/// What all devices said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fleet {
    /// By name.
    pub(crate) devices: BTreeMap<DeviceId, Said>,
    /// What they said that they must not say.
    pub(crate) wrong: Vec<String>,
}

impl Fleet {
    /// Takes one line of a pipe; a line that is not for programs is passed over.
    pub(crate) fn hear(&mut self, line: &str) {
        match self.understand(line) {
            Some(Ok(())) | None => {}
            Some(Err(why)) => self.wrong.push(format!("{why}: {line}")),
        }
    }

    /// The process of this device was killed.
    pub(crate) fn killed(&mut self, device: DeviceId) {
        let said = self.devices.entry(device).or_default();
        said.killed.extend(said.boots.last());
    }

    /// How many records were accepted so far.
    pub(crate) fn accepted(&self) -> usize {
        self.devices.values().map(|said| said.accepted.len()).sum()
    }

    fn understand(&mut self, line: &str) -> Option<Result<(), String>> {
        let (verb, rest) = line.split_once(' ')?;
        let mut words = rest.split(' ');
        let id = words.next()?;
        match verb {
            "boot" | "accepted" | "acked" | "drained" => {}
            _ => return None,
        }
        let Ok(id) = DeviceId::new(id) else { return Some(Err("no device".into())) };
        let said = self.devices.entry(id).or_default();
        Some(said.take(verb, &mut words).unwrap_or_else(|| Err("not understood".into())))
    }
}

impl Said {
    /// The highest position of a lane that it knows to be stored.
    pub(crate) fn acked_up_to(&self, lane: Lane) -> Position {
        self.acked.iter().filter(|(at, _)| at.0 == lane).map(|(_, mark)| *mark).max().unwrap_or_default()
    }

    /// Whether its newest boot goes on.
    pub(crate) fn is_up(&self) -> bool {
        self.boots.last().is_some_and(|boot| !self.killed.contains(boot))
    }

    fn take<'a>(
        &mut self,
        verb: &str,
        words: &mut impl Iterator<Item = &'a str>,
    ) -> Option<Result<(), String>> {
        if verb == "drained" {
            self.drained = true;
            return Some(Ok(()));
        }
        if verb == "boot" {
            let boot = words.next()?.parse().ok()?;
            let newest = self.boots.last().copied().unwrap_or(0);
            self.boots.insert(boot);
            return Some(if boot > newest { Ok(()) } else { Err(format!("boot {boot} after {newest}")) });
        }
        let lane = Lane::from_number(words.next()?.parse().ok()?)?;
        let position = Position::new(words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        if verb == "acked" {
            let before = self.acked_up_to(lane);
            self.acked.insert((lane, position.boot()), position);
            return Some(if before <= position {
                Ok(())
            } else {
                Err(format!("a mark went back from {before}"))
            });
        }
        let readings = words.map(reading).collect::<Option<Vec<_>>>()?;
        if !self.boots.contains(&position.boot()) {
            return Some(Err("a boot that was never announced".into()));
        }
        let before = self.accepted.insert((lane, position), readings);
        Some(if before.is_none() { Ok(()) } else { Err("accepted twice".into()) })
    }
}

fn reading(word: &str) -> Option<Reading> {
    let (quantity, value) = word.split_once('=')?;
    let cell = match value.strip_prefix('f') {
        Some(fault) => Cell::Fault(fault.parse().ok()?),
        None => Cell::Value(value.parse().ok()?),
    };
    Some(Reading { quantity: quantity.parse().ok()?, cell })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(lines: &[&str]) -> Fleet {
        let mut fleet = Fleet::default();
        lines.iter().for_each(|line| fleet.hear(line));
        fleet
    }

    #[test]
    fn lines_become_records_marks_and_boots() {
        let mut fleet = hear(&[
            "boot a-1 7",
            "a-1: connected",
            "accepted a-1 2 7 0 1=2345 2=f3",
            "accepted a-1 0 7 0 1=-5",
            "acked a-1 2 7 0",
            "drained b",
        ]);
        assert_eq!((fleet.wrong.len(), fleet.accepted()), (0, 2));
        fleet.killed(DeviceId::new("a-1").unwrap());
        let a = &fleet.devices["a-1"];
        let readings = vec![
            Reading { quantity: 1, cell: Cell::Value(2345) },
            Reading { quantity: 2, cell: Cell::Fault(3) },
        ];
        assert_eq!(a.accepted[&(Lane::Readings, Position::new(7, 0))], readings);
        assert_eq!(a.acked_up_to(Lane::Readings), Position::new(7, 0));
        assert_eq!(a.acked_up_to(Lane::Alarm), Position::NONE);
        assert_eq!(a.killed, BTreeSet::from([7]));
        assert!(fleet.devices["b"].drained && !a.drained);
    }

    #[test]
    fn what_must_not_be_is_noticed() {
        let wrong = |lines: &[&str]| hear(lines).wrong.join("\n");
        assert!(wrong(&["boot a 7", "boot a 7"]).contains("boot 7 after 7"));
        assert!(wrong(&["acked a 2 7 5", "acked a 2 7 4"]).contains("a mark went back from 7/5"));
        assert!(wrong(&["boot a 7", "accepted a 2 7 1", "accepted a 2 7 1"]).contains("accepted twice"));
        assert!(wrong(&["accepted a 2 8 1"]).contains("a boot that was never announced"));
        assert!(wrong(&["accepted a 2 8 x"]).contains("not understood"));
        assert!(wrong(&["acked a 9 8 1"]).contains("not understood"));
    }
}
