//! Recorded streams, baked in, and what the rule engine says of them to the bit.
//!
//! Nothing here needs `std`, an allocator or `core::fmt`, so the very same streams are judged in the host's tests and on a microcontroller. Each is
//! judged twice: in order, which gives the final set of alarms, and as a live log, where records come shuffled, some of them too late, with idle
//! markers between them and a restart in the middle. Every alarm is a line, with its key and the cells that hold; so is a hash of all that the engine
//! knew on the way, by the bytes that [`Engine::save`](sensock_rules::Engine::save) gives. The lines stand in `expected.txt`.
//!
//! What a recording is judged as is not what it was: a mote beside a kettle is a fire here, fifteen times as hot. It is to take the engine through
//! all its kinds of rules with numbers that real sensors gave.
//!
//! ```
//! let count = sensock_rules_streams::run(&mut |expected, said| panic!("expected {expected}, and it says {said}"));
//! assert_eq!(count.differ, 0);
//! ```

#![no_std]
#![forbid(unsafe_code)]

mod judge;
mod line;
mod packed;
mod streams;

use line::Line;

/// What the host found, line by line.
static EXPECTED: &str = include_str!("../expected.txt");

/// What was judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Streams.
    pub streams: u32,
    /// Records, each of which was judged twice.
    pub records: u32,
    /// Alarms that were told.
    pub alarms: u32,
    /// Lines that are not as expected; each was reported.
    pub differ: u32,
}

/// Judges all streams; calls `report` with the expected line and what was said, for each that differs.
pub fn run(report: &mut dyn FnMut(&str, &str)) -> Count {
    let mut expected = EXPECTED.lines();
    let mut differ = 0;
    let mut count = said(&mut |said| {
        let expected = expected.next().unwrap_or("no more");
        if said != expected {
            differ += 1;
            report(expected, said);
        }
    });
    for expected in expected {
        differ += 1;
        report(expected, "no more");
    }
    count.differ = differ;
    count
}

/// The same for a console: prints each line that differs, and what was judged; whether something was, and nothing differs.
pub fn print(print: &mut dyn FnMut(&str)) -> bool {
    let count = run(&mut |expected, said| {
        ["expected: ", expected, "\nsaid:     ", said, "\n"].into_iter().for_each(&mut *print);
    });
    let mut line = Line::new();
    line.number(count.streams).text(" streams, ").number(count.records).text(" records judged twice, ");
    line.number(count.alarms).text(" alarms, ").number(count.differ).text(" lines differ\n");
    print(line.as_str());
    count.differ == 0 && count.alarms > 0
}

/// Judges all streams; calls `tell` with each line that there is to say.
pub fn said(tell: &mut dyn FnMut(&str)) -> Count {
    let mut count = Count::default();
    for stream in &streams::ALL {
        count.streams += 1;
        count.records += judge::in_order(stream, &mut count.alarms, tell);
        judge::live(stream, &mut count.alarms, tell);
    }
    count
}
