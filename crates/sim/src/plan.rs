//! What is to go wrong in one run: a list that can be shortened, each entry on its own.

use crate::board::Memory;
use crate::chance::Chance;
use crate::faults::{Kind, Step};

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// Not before this, in us from the beginning.
    pub at_us: u64,
    /// Which device, by number.
    pub device: usize,
    /// What.
    pub kind: Kind,
    /// When the device is in this step: it is brought there.
    pub step: Step,
    /// Everything else about it.
    pub seed: u64,
}

/// How large a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Devices.
    pub devices: usize,
    /// Servers.
    pub servers: usize,
    /// Simulated hours.
    pub hours: u64,
    /// Time between two faults of one device, in seconds on average.
    pub every_s: u64,
}

impl Default for Size {
    fn default() -> Self {
        Size { devices: 3, servers: 2, hours: 2, every_s: 280 }
    }
}

/// The plan of a seed.
pub fn plan(seed: u64, size: &Size) -> Vec<Op> {
    let mut chance = Chance::new(seed ^ 0x706c_616e);
    let end = size.hours * 3_600_000_000;
    let mut ops = vec![];
    for device in 0..size.devices {
        let pairs = &pairs(memory_of(seed, device));
        let mut at_us = chance.pick(5_000_000..60_000_000);
        while at_us < end {
            let (kind, step) = chance.of(pairs);
            // Some hit everybody, and are slow to recover from.
            let rare = matches!(kind, Kind::Clone | Kind::Restore | Kind::Clock1970) && chance.percent(30);
            if !rare {
                ops.push(Op { at_us, device, kind, step, seed: chance.word() });
                at_us += chance.pick(1..2 * size.every_s) * 1_000_000;
            }
        }
    }
    ops.sort_by_key(|op| op.at_us);
    ops
}

/// What a device of a run keeps without power.
pub(crate) fn memory_of(seed: u64, device: usize) -> Memory {
    Chance::new(seed ^ (device as u64 + 1) << 32).of(&[Memory::None, Memory::Boot, Memory::Flash])
}

/// What can go wrong, and when; what few boards can suffer comes more often.
fn pairs(memory: Memory) -> Vec<(Kind, Step)> {
    let mut pairs = vec![];
    for kind in Kind::ALL {
        for step in Step::ALL.into_iter().filter(|s| kind.impossible(*s).is_none()) {
            let short = matches!(
                step,
                Step::Dialing | Step::Hello | Step::Unconfirmed | Step::Catalogue | Step::Idle
            );
            let times = match (kind, memory) {
                // A write to flash seldom falls into a step that is short.
                (Kind::BetweenWrites, Memory::Flash) if step == Step::Idle => 24,
                (Kind::TornWrite | Kind::BetweenWrites, Memory::Flash) if short => 8,
                (Kind::TornWrite | Kind::BetweenWrites, Memory::Flash) => 3,
                (Kind::TornWrite | Kind::BetweenWrites, _) | (Kind::Rollback, Memory::None) => 0,
                (Kind::Restore | Kind::Split, _) => 2,
                _ => 1,
            };
            pairs.extend(std::iter::repeat_n((kind, step), times));
        }
    }
    pairs
}
