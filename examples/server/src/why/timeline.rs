//! What happened, a line each, in order of time.

use sensock::Cause;
use sensock::wire::hello::{Account, End};
use sensock_store::{ConnectionRow, GapRow};

use super::Facts;
use super::holes::Empty;
use crate::show::time::{Times, lasting};
use crate::show::words::count;

/// A timeline is at most this long: the middle is left out.
const LINES: usize = 40;

/// The lines.
pub(crate) fn timeline(facts: &Facts, times: &Times) -> Vec<String> {
    let span = facts.span;
    let mut events: Vec<(i64, String)> = Vec::new();
    let aways = facts.aways();
    let (mut first, mut last) = (span.from_us, span.to_us);
    for away in &aways {
        first = first.min(away.from_us);
        last = last.max(away.to_us);
        let made = facts.records_between(away.from_us, away.to_us);
        let made = match made {
            0 => "no record is stored of this time".to_owned(),
            n => format!("{} of this time, stored", count(n, "record")),
        };
        let end = if away.after.is_some() { times.near(away.to_us, away.from_us) } else { "now".to_owned() };
        let lasted = lasting(away.to_us - away.from_us);
        events.push((away.from_us, format!("no connection until {end} ({lasted}); {made}")));
    }
    for c in &facts.connections {
        events.push((c.from_us, begun(c)));
        if let Some(to) = c.to_us {
            events.push((to, ended(c)));
        }
    }
    for boot in &facts.boots {
        // The middle of what bounds it, or the one bound that there is.
        let started = match boot.started {
            (Some(lo), Some(hi)) => Some(lo + (hi - lo) / 2),
            (lo, hi) => hi.or(lo),
        };
        if let Some(at) = started {
            events.push((at, started_words(boot.boot, &boot.firmware, boot.started, &boot.account)));
        }
    }
    for gap in &facts.gaps {
        events.push((gap.not_before_us.or(gap.not_after_us).unwrap_or(gap.written_us), lost(gap, times)));
    }
    for hole in facts.holes().iter().filter(|h| h.why == Empty::NeverRecorded) {
        let until = times.near(hole.to_us, hole.from_us);
        events.push((
            hole.from_us,
            format!("made no record until {until}, although connected or not it could have"),
        ));
    }
    events.retain(|(at, _)| (first..=last).contains(at));
    events.sort_by_key(|(at, _)| *at);
    let mut lines: Vec<String> =
        events.iter().map(|(at, what)| format!("  {}  {what}", times.near(*at, span.from_us))).collect();
    if lines.len() > LINES {
        let left_out = lines.len() - LINES;
        lines.splice(LINES / 2..LINES / 2 + left_out, [format!("  … {left_out} more …")]);
    }
    lines
}

fn begun(c: &ConnectionRow) -> String {
    let account = account(&c.account);
    let account = if account.is_empty() { account } else { format!("; {account}") };
    format!("connected from {} in boot {}{account}", c.peer, c.boot)
}

/// What the device said of the time before a connection.
fn account(a: &Account) -> String {
    let mut parts = Vec::new();
    if a.dial_attempts > 1 {
        parts.push(format!("it dialled {} times", a.dial_attempts));
    }
    if a.offline_ms > 0 {
        parts.push(format!("was {} without", lasting(i64::from(a.offline_ms) * 1_000)));
    }
    if End::from_number(a.last_end) != End::Unknown {
        parts.push(format!("saw the last one end so: {}", End::from_number(a.last_end).words()));
    }
    if a.outbox_high_water > 0 {
        parts.push(format!("outbox at most {} % full", a.outbox_high_water));
    }
    if a.signal > 0 {
        parts.push(format!("signal -{} dBm", a.signal));
    }
    if a.free_kib > 0 {
        parts.push(format!("{} KiB free", a.free_kib));
    }
    parts.join(", ")
}

fn ended(c: &ConnectionRow) -> String {
    let reason = if c.reason.is_empty() { "reason unknown" } else { &c.reason };
    format!("connection ended: {reason} ({} over it)", count(c.records, "record"))
}

fn started_words(boot: u32, firmware: &str, bounds: (Option<i64>, Option<i64>), a: &Account) -> String {
    let about = match bounds {
        (Some(lo), Some(hi)) if hi - lo > 2_000_000 => format!(" (± {})", lasting((hi - lo) / 2)),
        (Some(_), Some(_)) => String::new(),
        _ => " (or earlier)".to_owned(),
    };
    let cause = if a.reset_cause > 0 { format!(", reset cause {}", a.reset_cause) } else { String::new() };
    let firmware = if firmware.is_empty() { String::new() } else { format!(", {firmware}") };
    format!("the board started, boot {boot}{firmware}{cause}{about}")
}

fn lost(gap: &GapRow, times: &Times) -> String {
    let many = match gap.count {
        Some(n) => count(n, "record"),
        None => "an unknown number of records".to_owned(),
    };
    let lane = gap.lane.lane;
    let when = match (gap.not_before_us, gap.not_after_us) {
        (Some(lo), Some(hi)) => format!(", made between {} and {}", times.clock(lo), times.clock(hi)),
        (None, Some(hi)) => format!(", made before {}", times.clock(hi)),
        (Some(lo), None) => format!(", made after {}", times.clock(lo)),
        (None, None) => String::new(),
    };
    let detail = if gap.detail.is_empty() { String::new() } else { format!(" ({})", gap.detail) };
    format!("lost: {many} of lane {lane}{when}: {}{detail}", cause(gap.cause))
}

/// Why records are missing, in words.
pub(crate) fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::None | Cause::Mixed => "for several reasons",
        Cause::Overflow => "the outbox was full",
        Cause::Expired => "they grew older than the lane keeps them",
        Cause::Power => "power was lost, or the board reset, with records in its memory",
        Cause::Flash => "the board's flash could not be read",
        Cause::Rejected => "the store refused them; their bytes are in quarantine",
        Cause::Store => "the database had acknowledged them and no longer has them (restored from a backup?)",
    }
}
