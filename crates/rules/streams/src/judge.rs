//! Judging a stream, in order and as it might arrive.

use sensock_rules::{Alarm, Cause, Danger, Engine, Key, Record, Reorder, Row, Slot, Step};

use crate::line::Line;
use crate::packed::{Packed, Readings};
use crate::streams::{SEASON, Stream};

/// The most that a table of these streams has.
const RULES: usize = 9;
const HAZARDS: usize = 2;
const SLOTS: usize = 24 + SEASON.memory();

type Judge<'m> = Engine<'static, &'m mut [Row], &'m mut [Danger], &'m mut [Slot]>;

/// Memory for an engine.
struct Memory {
    rows: [Row; RULES],
    hazards: [Danger; HAZARDS],
    slots: [Slot; SLOTS],
}

impl Memory {
    const NEW: Self =
        Self { rows: [Row::NEW; RULES], hazards: [Danger::NEW; HAZARDS], slots: [Slot::EMPTY; SLOTS] };

    fn judge(&mut self, stream: &'static Stream) -> Option<Judge<'_>> {
        let table = stream.table.table();
        let rows = self.rows.get_mut(..table.rules.len())?;
        let hazards = self.hazards.get_mut(..table.hazards.len())?;
        Engine::compiled(&stream.table, rows, hazards, self.slots.as_mut_slice()).ok()
    }
}

/// An engine whose words are lines.
struct Judged<'m, 't> {
    engine: Judge<'m>,
    /// Of all that it knew.
    hash: u64,
    prefix: &'static str,
    name: &'static str,
    alarms: &'t mut u32,
    tell: &'t mut dyn FnMut(&str),
}

/// How many records pass between two looks at what the engine knows.
const LOOKS: u32 = 8;

impl Judged<'_, '_> {
    fn record(&mut self, at: Step, from: Cause, readings: &Readings) {
        let Self { engine, alarms, tell, name, prefix, .. } = self;
        let record = Record { at, from, readings };
        let late = engine.record(&record, &mut |alarm| say(prefix, name, alarm, alarms, tell)).is_err();
        if late {
            self.note("the engine is ahead at ", at.0);
        }
        if (from.position as u32).is_multiple_of(LOOKS) {
            self.look();
        }
    }

    fn advance(&mut self, to: Step) {
        let Self { engine, alarms, tell, name, prefix, .. } = self;
        // Before the first record there is no time, and an earlier one changes nothing.
        if engine.now().is_some_and(|now| to > now) {
            let _never_late = engine.advance(to, &mut |alarm| say(prefix, name, alarm, alarms, tell));
        }
    }

    fn gap(&mut self, until: Step) {
        let Self { engine, alarms, tell, name, prefix, .. } = self;
        if engine.gap(0, until, &mut |alarm| say(prefix, name, alarm, alarms, tell)).is_err() {
            self.note("a gap is in the past at ", until.0);
        }
    }

    /// Takes what the engine knows into the hash: FNV-1a.
    fn look(&mut self) {
        let Self { engine, hash, .. } = self;
        engine.save(&mut |bytes| {
            for byte in bytes {
                *hash = (*hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        });
    }

    fn note(&mut self, what: &str, number: u32) {
        let mut line = Line::new();
        line.text(self.name).text(self.prefix).text(": ").text(what).number(number);
        (self.tell)(line.as_str());
    }

    /// Time goes on until nothing more can happen; the last words.
    fn end(mut self, records: u32, late: u32, last: Step) {
        self.advance(last.after(1_000_000));
        self.look();
        let mut line = Line::new();
        line.text(self.name).text(self.prefix).text(": ").number(records).text(" records, ").number(late);
        line.text(" late, ").number(self.engine.faults()).text(" faults; state ").hex(self.hash);
        (self.tell)(line.as_str());
    }
}

fn say(prefix: &str, name: &str, alarm: &Alarm<'_>, alarms: &mut u32, tell: &mut dyn FnMut(&str)) {
    *alarms += 1;
    let key = alarm.key();
    let mut line = Line::new();
    line.text(name).text(prefix).text(": ").number(alarm.at().0).text(" ").text(alarm.hazard.name).text(" ");
    line.text(alarm.from.word()).text(" to ").text(alarm.to.word()).text(" at ").number(alarm.score.into());
    line.text(", since ").number(key.began.0).text(" by ").number(key.start.position as u32).text(":");
    for share in alarm.cells() {
        let (mark, steps) = match (share.lasted, share.ago) {
            (Some(lasted), _) => ("+", lasted),
            (None, ago) => ("-", ago.unwrap_or(u32::MAX)),
        };
        line.text(" ")
            .number(share.cell.rule.into())
            .text(" ")
            .text(share.cell.at.word())
            .text(mark)
            .number(steps);
    }
    tell(line.as_str());
}

/// A record that comes, by its number; nothing, if it is among those that do not come.
fn comes(stream: &Stream, number: u32) -> bool {
    !stream.silent.contains(&number) && !stream.lost.contains(&number)
}

fn cause(number: u32) -> Cause {
    Cause { device: 0, lane: 2, position: number.into() }
}

/// Everything in its order: the final set. Says how many records came.
pub(crate) fn in_order(stream: &'static Stream, alarms: &mut u32, tell: &mut dyn FnMut(&str)) -> u32 {
    let mut memory = Memory::NEW;
    let Some(engine) = memory.judge(stream) else { return 0 };
    let mut judged = Judged { engine, hash: FNV, prefix: "", name: stream.name, alarms, tell };
    let (mut records, mut last) = (0, Step(0));
    for (number, readings) in (0..).zip(Packed::new(stream.packed)) {
        last = Step(number * stream.interval);
        if number == stream.lost.end && number > 0 {
            judged.gap(last);
        }
        if comes(stream, number) {
            records += 1;
            judged.record(last, cause(number), &readings);
        }
    }
    judged.end(records, 0, last);
    records
}

/// FNV-1a begins with it.
const FNV: u64 = 0xcbf2_9ce4_8422_2325;
/// So many records come together, in this order.
const BLOCK: [usize; 8] = [3, 0, 1, 5, 2, 4, 7, 6];
/// One of every so many blocks comes without its last record, which comes far too late.
const SHORT: u32 = 9;
/// By how many intervals a record may be late.
const LATENESS: u32 = 16;

/// As it might arrive: the live log. Halfway another engine goes on from the bytes of the first.
pub(crate) fn live(stream: &'static Stream, alarms: &mut u32, tell: &mut dyn FnMut(&str)) {
    let (mut first, mut second, mut kept) = (Memory::NEW, Memory::NEW, [0; 1_024]);
    let (Some(engine), Some(mut next)) = (first.judge(stream), second.judge(stream)) else { return };
    let table = stream.table.table();
    let step_ms = u64::from(table.grid_ms) * u64::from(stream.interval);
    let origin_ms = table.calendar.origin_s.cast_unsigned() * 1_000;
    let at_ms = |number: u32| origin_ms + u64::from(number) * step_ms;
    let key = |number| Key { at_ms: at_ms(number), from: cause(number) };
    let mut judged = Judged { engine, hash: FNV, prefix: " live", name: stream.name, alarms, tell };
    let mut reorder = Reorder::new(u64::from(LATENESS) * step_ms, [None; 32]);
    let mut packed = Packed::new(stream.packed);
    let (mut number, mut block, mut records, mut withheld) = (0, 0u32, 0, None);
    loop {
        let arrived: [Option<Readings>; BLOCK.len()] = core::array::from_fn(|_| packed.next());
        if arrived[0].is_none() {
            break;
        }
        for place in BLOCK {
            let (of, Some(readings)) = (number + place as u32, arrived.get(place).copied().flatten()) else {
                continue;
            };
            if !comes(stream, of) {
                continue;
            }
            if block % SHORT == SHORT - 1 && place == BLOCK.len() - 1 {
                withheld = Some((of, readings));
                continue;
            }
            records += 1;
            // What is late is counted there.
            let _late = reorder.push(key(of), readings);
        }
        number += BLOCK.len() as u32;
        block += 1;
        if block % SHORT == SHORT / 2
            && let Some((of, readings)) = withheld.take()
        {
            records += 1;
            let _late = reorder.push(key(of), readings);
        }
        if block % 3 == 0 {
            reorder.idle(at_ms(number));
        }
        while let Some((key, readings)) = reorder.pop() {
            judged.record(table.step(key.at_ms), key.from, &readings);
        }
        if block % 3 == 0 {
            judged.advance(table.step(reorder.watermark_ms()));
        }
        if block == 30 {
            let mut free = &mut kept[..];
            let mut fits = true;
            judged.engine.save(
                &mut |bytes| match core::mem::take(&mut free).split_at_mut_checked(bytes.len()) {
                    Some((here, rest)) => {
                        here.copy_from_slice(bytes);
                        free = rest;
                    }
                    None => fits = false,
                },
            );
            let used = 1_024 - free.len();
            let restored = kept.get(..used).is_some_and(|bytes| next.restore(bytes).is_ok());
            if fits && restored {
                core::mem::swap(&mut judged.engine, &mut next);
            } else {
                judged.note("cannot go on from its bytes: ", used as u32);
            }
        }
    }
    reorder.idle(u64::MAX);
    while let Some((key, readings)) = reorder.pop() {
        judged.record(table.step(key.at_ms), key.from, &readings);
    }
    judged.end(records, reorder.late() as u32, Step(number * stream.interval));
}
