//! The engine: records and time go in, alarms come out.

use crate::alarm::{Alarm, Cause};
use crate::matrix::Matrix;
use crate::row::NEVER;
use crate::signal::{Around, Kinds};
use crate::state::{LAYOUT, Plain};
use crate::{BadState, BadTable, Compiled, Level, Row, Rule, Slot, Step, Table};

/// Judges one zone. `R`, `H` and `S` are the memory for rules, hazards and slots of baselines: arrays in firmware, `Vec` on a
/// server, or slices that somebody lends.
///
/// What it says is a pure function of the table, the memory it began with, and the records and times that it was given,
/// in their order. How far `advance` leaps makes no difference.
#[derive(Clone, Debug)]
pub struct Engine<'t, R, H, S = [Slot; 0]> {
    table: &'t Table<'t>,
    hash: u64,
    kinds: &'t Kinds,
    rows: R,
    hazards: H,
    slots: S,
    now: Option<Step>,
    /// Before this step, nothing happens without a record.
    due: Step,
    cause: Cause,
    faults: u32,
}

/// What one instant of one device gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'r> {
    /// When.
    pub at: Step,
    /// Which record of which device: what an alarm that it raises is known by.
    pub from: Cause,
    /// Its readings; of one quantity only the first counts.
    pub readings: &'r [Reading],
}

/// One value of one quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The quantity's id in the device's catalogue.
    pub quantity: u16,
    /// The encoded value, in the quantity's scaled unit; none for a fault that the device reported.
    pub value: Option<i32>,
}

/// What the engine remembers of a hazard: 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Danger {
    level: Level,
    score: u8,
    began: Step,
    cause: Cause,
}

/// A record from before the time that the engine has come to: nothing was done with it. Put a
/// [`Reorder`](crate::Reorder) before the engine, and judge again from an earlier copy what comes too late even for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLate {
    /// The time that the engine has come to.
    pub now: Step,
}

impl Danger {
    /// A hazard of which nothing is known.
    pub const NEW: Self = Self { level: Level::Unknown, score: 0, began: Step(0), cause: Cause::NONE };

    /// What it is at.
    pub const fn level(&self) -> Level {
        self.level
    }

    /// Its score when that last changed its level, in hundredths.
    pub const fn score(&self) -> u8 {
        self.score
    }
}

impl<'t, R, H, S> Engine<'t, R, H, S>
where
    R: AsRef<[Row]> + AsMut<[Row]>,
    H: AsRef<[Danger]> + AsMut<[Danger]>,
    S: AsRef<[Slot]> + AsMut<[Slot]>,
{
    /// An engine over that memory: new, or as another engine of the same table left it.
    ///
    /// # Errors
    /// What is wrong with the table or the size of the memory.
    pub fn new(table: &'t Table<'t>, rows: R, hazards: H, slots: S) -> Result<Self, BadTable> {
        table.check()?;
        Self::over(table, table.hash(), &Kinds::ALL, rows, hazards, slots)
    }

    /// The same for a table that is known to be good.
    ///
    /// # Errors
    /// [`BadTable::Memory`] if the memory is not of the right size.
    pub fn compiled(compiled: &'t Compiled<'t>, rows: R, hazards: H, slots: S) -> Result<Self, BadTable> {
        Self::over(&compiled.table, compiled.hash, &compiled.kinds, rows, hazards, slots)
    }

    fn over(
        table: &'t Table<'t>,
        hash: u64,
        kinds: &'t Kinds,
        rows: R,
        hazards: H,
        slots: S,
    ) -> Result<Self, BadTable> {
        let fits = rows.as_ref().len() == table.rules.len() && hazards.as_ref().len() == table.hazards.len();
        if !fits || slots.as_ref().len() < table.slots() {
            return Err(BadTable::Memory);
        }
        Ok(Self {
            table,
            hash,
            kinds,
            rows,
            hazards,
            slots,
            now: None,
            due: NEVER,
            cause: Cause::NONE,
            faults: 0,
        })
    }

    /// Judges a record, after all that time alone brings before it.
    ///
    /// # Errors
    /// [`TooLate`] if its time has passed; then nothing changed.
    pub fn record(&mut self, record: &Record<'_>, tell: &mut dyn FnMut(&Alarm<'_>)) -> Result<(), TooLate> {
        self.advance(record.at, tell)?;
        self.cause = record.from;
        let mut changed = false;
        let device = record.from.device;
        for (i, rule) in self.table.rules.iter().enumerate() {
            // Most rules of a large zone are another device's.
            if rule.device == device {
                changed |= self.read(i, rule, record);
            }
        }
        if changed {
            self.judge(record.at, tell);
        }
        Ok(())
    }

    /// Time has come to `to`, and no record from before it is still to come.
    ///
    /// # Errors
    /// [`TooLate`] if it has passed already; then nothing changed.
    pub fn advance(&mut self, to: Step, tell: &mut dyn FnMut(&Alarm<'_>)) -> Result<(), TooLate> {
        let now = *self.now.get_or_insert_with(|| {
            self.rows.as_mut().iter_mut().for_each(|row| row.start(to));
            self.due = to;
            to
        });
        if to < now {
            return Err(TooLate { now });
        }
        while self.due <= to && self.due != NEVER {
            let at = self.due;
            for (rule, row) in self.table.rules.iter().zip(self.rows.as_mut()) {
                row.wait(rule, at);
            }
            self.judge(at, tell);
        }
        self.now = Some(to);
        Ok(())
    }

    /// Readings of a device up to `until` were lost: it was not silent. Its levels wait, or become unknown, as in any gap.
    ///
    /// # Errors
    /// As [`record`](Self::record), where the gap's time is its end.
    pub fn gap(&mut self, device: u8, until: Step, tell: &mut dyn FnMut(&Alarm<'_>)) -> Result<(), TooLate> {
        self.advance(until, tell)?;
        let mut changed = false;
        for (rule, row) in self.table.rules.iter().zip(self.rows.as_mut()) {
            changed |= rule.device == device && row.lost(rule, until);
        }
        if changed {
            self.judge(until, tell);
        }
        Ok(())
    }

    /// The time that it has come to; none before the first record.
    pub fn now(&self) -> Option<Step> {
        self.now
    }

    /// The table that it judges by.
    pub fn table(&self) -> &'t Table<'t> {
        self.table
    }

    /// What is known of each rule, in the table's order.
    pub fn rows(&self) -> &[Row] {
        self.rows.as_ref()
    }

    /// What is known of each hazard, in the table's order.
    pub fn hazards(&self) -> &[Danger] {
        self.hazards.as_ref()
    }

    /// What daily and seasonal rules have learned, for the application to keep.
    pub fn slots(&self) -> &[Slot] {
        self.slots.as_ref()
    }

    /// How many readings were not judged: reported as faults, not plausible, or vetoed.
    pub fn faults(&self) -> u32 {
        self.faults
    }

    /// Gives all that it knows, piece by piece: bytes for the application to keep.
    pub fn save(&self, out: &mut dyn FnMut(&[u8])) {
        LAYOUT.put(out);
        self.hash.put(out);
        self.now.put(out);
        self.due.put(out);
        self.cause.put(out);
        self.faults.put(out);
        self.rows.as_ref().iter().for_each(|row| row.put(out));
        self.hazards.as_ref().iter().for_each(|danger| danger.put(out));
        self.slots.as_ref().iter().take(self.table.slots()).for_each(|slot| slot.put(out));
    }

    /// Puts it where the engine of the same table was that gave these bytes: what follows is the same to the bit.
    ///
    /// # Errors
    /// What is wrong with the bytes; then nothing changed.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), BadState> {
        let body = match bytes.split_first() {
            Some((&LAYOUT, body)) => body,
            Some(_) => return Err(BadState::Layout),
            None => return Err(BadState::Damaged),
        };
        let from = &mut &*body;
        match u64::take(from) {
            Some(hash) if hash == self.hash => {}
            Some(hash) => return Err(BadState::Table(hash)),
            None => return Err(BadState::Damaged),
        }
        // Looked through once, so that nothing changes if they are damaged.
        let (mut trial, mut known) = (*from, *from);
        self.read_state(&mut trial, false).filter(|()| trial.is_empty()).ok_or(BadState::Damaged)?;
        self.read_state(&mut known, true).ok_or(BadState::Damaged)
    }

    fn read_state(&mut self, from: &mut &[u8], keep: bool) -> Option<()> {
        let head = (Plain::take(from)?, Plain::take(from)?, Plain::take(from)?, Plain::take(from)?);
        if keep {
            (self.now, self.due, self.cause, self.faults) = head;
        }
        for row in self.rows.as_mut() {
            let known = Plain::take(from)?;
            *row = if keep { known } else { *row };
        }
        for danger in self.hazards.as_mut() {
            let known = Plain::take(from)?;
            *danger = if keep { known } else { *danger };
        }
        for slot in self.slots.as_mut().iter_mut().take(self.table.slots()) {
            let known = Plain::take(from)?;
            *slot = if keep { known } else { *slot };
        }
        Some(())
    }

    /// One rule of its device reads a record. Says whether its level changed.
    fn read(&mut self, i: usize, rule: &Rule<'_>, record: &Record<'_>) -> bool {
        let Some(reading) = record.readings.iter().find(|reading| reading.quantity == rule.quantity) else {
            return false;
        };
        let matrix = Matrix { rules: self.table.rules, rows: self.rows.as_ref(), at: record.at };
        let vetoed = matrix.is_vetoed(i as u8);
        let plausible = |value: &i32| (rule.least..=rule.most).contains(value) && !vetoed;
        let Some(value) = reading.value.filter(plausible) else {
            self.faults = self.faults.saturating_add(1);
            return false;
        };
        let mut around = Around {
            calendar: &self.table.calendar,
            grid_ms: self.table.grid_ms,
            at: record.at,
            before: value,
            slots: self.slots.as_mut(),
        };
        let Some(row) = self.rows.as_mut().get_mut(i) else { return false };
        let changed = row.read(self.kinds, rule, &mut around, value);
        self.due = self.due.min(row.due(rule, record.at));
        changed
    }

    /// Weighs every hazard, tells what changed, and finds out when to look again.
    fn judge(&mut self, at: Step, tell: &mut dyn FnMut(&Alarm<'_>)) {
        let matrix = Matrix { rules: self.table.rules, rows: self.rows.as_ref(), at };
        let mut due = NEVER;
        for (i, (hazard, danger)) in self.table.hazards.iter().zip(self.hazards.as_mut()).enumerate() {
            let (score, changes) = matrix.score(hazard);
            let from = danger.level;
            let reached = hazard.reach(from, score.known, score.held);
            let to = if reached == Level::Normal && !score.any { Level::Unknown } else { reached };
            if from < Level::Warning && to >= Level::Warning {
                (danger.began, danger.cause) = (at, self.cause);
            }
            danger.level = to;
            if from != to {
                danger.score = if to > from { score.known } else { score.held } as u8;
            }
            if from != to && from.max(to) >= Level::Warning {
                tell(&Alarm {
                    table: self.hash,
                    grid_ms: self.table.grid_ms,
                    index: i as u8,
                    hazard,
                    from,
                    to,
                    score: danger.score,
                    began: danger.began,
                    cause: danger.cause,
                    matrix,
                });
            }
            due = due.min(changes);
        }
        let rows = self.table.rules.iter().zip(self.rows.as_ref());
        self.due = rows.map(|(rule, row)| row.due(rule, at)).fold(due, Step::min);
    }
}

impl Plain for Danger {
    fn put(&self, out: &mut dyn FnMut(&[u8])) {
        self.level.put(out);
        self.score.put(out);
        self.began.put(out);
        self.cause.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(Self {
            level: Plain::take(from)?,
            score: Plain::take(from)?,
            began: Plain::take(from)?,
            cause: Plain::take(from)?,
        })
    }
}

impl core::fmt::Display for TooLate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "the record is from before step {}, to which time has come; judge it from an earlier copy of the engine",
            self.now.0
        )
    }
}

impl core::error::Error for TooLate {}
