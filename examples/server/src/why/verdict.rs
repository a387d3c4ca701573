//! The last word: what it was, in a few sentences.

use super::Facts;
use super::away::{Away, Reason};
use super::holes::{Empty, Hole};
use super::timeline::cause;
use crate::show::time::{Times, lasting};
use crate::show::words::count;

/// Times less certain than this are worth a sentence.
const VAGUE_US: i64 = 60_000_000;

/// The verdict.
pub(crate) fn verdict(facts: &Facts, times: &Times) -> String {
    if facts.connections.is_empty() {
        return format!(
            "{} was never connected before the end of this span: nothing is known of it.",
            facts.device
        );
    }
    let (aways, holes) = (facts.aways(), facts.holes());
    let mut said = Vec::new();
    let mut reasons: Vec<Reason> = aways.iter().map(|a| a.reason).collect();
    reasons.sort_unstable();
    reasons.dedup();
    for reason in reasons {
        let mut same: Vec<&Away<'_>> = aways.iter().filter(|a| a.reason == reason).collect();
        same.sort_by_key(|a| a.from_us - a.to_us);
        if let Some(longest) = same.first() {
            said.push(sentence(facts, longest, same.len(), times));
        }
    }
    if aways.is_empty() {
        let n = facts.records_between(facts.span.from_us, facts.span.to_us);
        said.push(format!(
            "It was connected all the time; {} of this span {} stored",
            count(n, "record"),
            are(n)
        ));
    }
    said.extend(empty(&holes, times));
    said.push(losses(facts));
    said.extend(vague(facts));
    let mut text = said.join(". ");
    text.push('.');
    text
}

/// What kept the device away: the longest of its kind, and how many there were.
fn sentence(facts: &Facts, away: &Away<'_>, times_away: usize, times: &Times) -> String {
    let (from, to) =
        (times.near(away.from_us, facts.span.from_us), times.near(away.to_us, facts.span.from_us));
    let made = facts.records_between(away.from_us, away.to_us);
    let arrived = match made {
        0 => "no record of this time is stored".to_owned(),
        n => format!("{} of this time arrived afterwards", count(n, "record")),
    };
    let often = match times_away {
        1 => format!("from {from} to {to}"),
        n => format!("{n} times, the longest from {from} to {to}"),
    };
    let (others, too) = facts.others_away(away);
    let mut proof = Vec::new();
    if away.reason == Reason::Server && others > 0 {
        proof.push(format!("{too} of {} had no connection either", count(others, "other device")));
    }
    if away.failed_dials() > 0 {
        proof.push(format!("{} failed", count(away.failed_dials(), "dial")));
    }
    let proof = if proof.is_empty() { String::new() } else { format!(" ({})", proof.join("; ")) };
    match away.reason {
        Reason::First => format!("{} connected for the first time at {to}", facts.device),
        Reason::Asleep => format!("It slept as it had announced, {often}"),
        Reason::Overslept => {
            let until = away.before.and_then(|c| c.asleep_until_us);
            let until = until.map(|u| times.near(u, facts.span.from_us)).unwrap_or_default();
            let now = if away.after.is_some() {
                format!("and came at {to}")
            } else {
                "and has not come".to_owned()
            };
            format!("It was to wake at {until} {now}: look at its battery first")
        }
        Reason::Power => power(facts, away, times),
        Reason::Server => format!("The board kept running; the server was away {often}{proof}; {arrived}"),
        Reason::Refused => format!("The server turned it away {often}{proof}; {arrived}"),
        Reason::Network => {
            let whose = match (others, too) {
                (n, t) if n > 1 && n == t => {
                    format!(
                        "the network was away for all {} devices, look at the access point, {often}",
                        n + 1
                    )
                }
                _ => format!("its network was away {often}"),
            };
            let sampled = if made > 0 { "had power and kept sampling" } else { "had power" };
            format!("The board {sampled}; {whose}{proof}; {arrived}")
        }
        Reason::NotBack => {
            let why =
                away.before.map(|c| c.reason.as_str()).filter(|r| !r.is_empty()).unwrap_or("reason unknown");
            if why.contains("moving") {
                return format!("The server ended in order at {from}, and the device has reached none since");
            }
            format!(
                "It left at {from} ({why}) and has not come back: whether it has power is not known until it does"
            )
        }
    }
}

fn power(facts: &Facts, away: &Away<'_>, times: &Times) -> String {
    let near = |us| times.near(us, facts.span.from_us);
    let (from, to) = (near(away.from_us), near(away.to_us));
    let Some(after) = away.after else { return format!("The board lost power after {from}") };
    let code = match after.account.reset_cause {
        0 => String::new(),
        n => format!(", reset cause {n}"),
    };
    let last = facts.records.iter().rfind(|r| r.position.boot() < after.boot && r.at_us() <= away.to_us);
    let first = facts.records.iter().find(|r| r.position.boot() >= after.boot && r.at_us() >= away.from_us);
    let silent = match (last, first) {
        (Some(last), Some(first)) => format!(
            "; its last record before is of {}, its first after of {}",
            near(last.at_us()),
            near(first.at_us())
        ),
        _ => String::new(),
    };
    format!("The board lost power or was reset between {from} and {to} (boot {}{code}){silent}", after.boot)
}

fn empty(holes: &[Hole], times: &Times) -> Option<String> {
    let never: Vec<&Hole> = holes.iter().filter(|h| h.why == Empty::NeverRecorded).collect();
    let longest = never.iter().max_by_key(|h| h.to_us - h.from_us)?;
    let (from, to) = (times.clock(longest.from_us), times.clock(longest.to_us));
    let often = match never.len() {
        1 => format!("from {from} to {to}"),
        n => format!("{n} times, the longest from {from} to {to}"),
    };
    Some(format!(
        "It recorded nothing {often}, and nothing of it is missing: look at its sensor or its program"
    ))
}

/// What is missing.
fn losses(facts: &Facts) -> String {
    let Some(first) = facts.gaps.first() else { return "No record was lost".to_owned() };
    let known: u64 = facts.gaps.iter().filter_map(|g| g.count).sum();
    let unknown = facts.gaps.iter().any(|g| g.count.is_none());
    let many = match (known, unknown) {
        (n, false) => format!("{} {} lost", count(n, "record"), if n == 1 { "was" } else { "were" }),
        (0, true) => "An unknown number of records were lost".to_owned(),
        (n, true) => format!("{}, and an unknown number more, were lost", count(n, "record")),
    };
    let mut causes: Vec<&str> = facts.gaps.iter().map(|g| cause(g.cause)).collect();
    causes.dedup();
    let why = if causes.len() > 1 { causes.join("; ") } else { cause(first.cause).to_owned() };
    format!("{many}: {why}")
}

fn are(n: u64) -> &'static str {
    if n == 1 { "is" } else { "are" }
}

/// Whether the clock is to be doubted.
fn vague(facts: &Facts) -> Option<String> {
    let span = facts.span.from_us..=facts.span.to_us;
    let vague = facts.records.iter().filter(|r| span.contains(&r.at_us()));
    let vague: Vec<_> = vague.filter(|r| r.plus_minus_us().is_none_or(|pm| pm > VAGUE_US)).collect();
    let n = vague.len() as u64;
    let worst = vague.iter().filter_map(|r| r.plus_minus_us()).max();
    match (n, vague.iter().any(|r| r.plus_minus_us().is_none()), worst) {
        (0, ..) => None,
        (n, true, _) => Some(format!(
            "Of {} only an upper bound of the time is known: the board met no server in that boot",
            count(n, "record")
        )),
        (n, false, worst) => Some(format!(
            "The times of {} are certain only to ± {}: the board's clock was compared with the server's too long before",
            count(n, "record"),
            lasting(worst.unwrap_or_default())
        )),
    }
}
