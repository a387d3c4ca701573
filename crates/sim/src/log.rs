//! What happened, for a person.

use crate::world::BEGIN_US;

/// Lines with their time. A quiet log costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) quiet: bool,
    pub(crate) lines: Vec<(u64, String)>,
}

impl Log {
    pub(crate) fn say(&mut self, now: u64, words: impl FnOnce() -> String) {
        if !self.quiet {
            self.lines.push((now, words()));
        }
    }
}

/// Several logs as one text, in order of time, in seconds since the beginning.
pub(crate) fn merged<'a>(logs: impl Iterator<Item = &'a Log>) -> String {
    let mut lines: Vec<&(u64, String)> = logs.flat_map(|l| &l.lines).collect();
    lines.sort_by_key(|(at, _)| *at);
    let line = |(at, words): &&(u64, String)| {
        format!("{:>12.6} {words}\n", at.saturating_sub(BEGIN_US) as f64 / 1e6)
    };
    lines.iter().map(line).collect()
}
