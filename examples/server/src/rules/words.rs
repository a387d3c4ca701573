//! Rules and hazards in words, with units.

use sensock_rules::{Calendar, Cell, Level, Over, Rule, Side, Signal, Slots, Way};

use super::file::offset_words;
use crate::show::words::{count, decimal};

/// A time as a file would write it: `90 s`, `6 h`.
pub(crate) fn span(steps: u32, grid_ms: u32) -> String {
    let ms = u64::from(steps) * u64::from(grid_ms);
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    match units.iter().find(|(unit, _)| ms > 0 && ms.is_multiple_of(*unit)) {
        Some((unit, word)) => format!("{} {word}", ms / unit),
        None => format!("{ms} ms"),
    }
}

/// A scaled integer as people write it: 2340 at scale -2 is `23.4`.
pub(crate) fn number(raw: i32, scale: i8) -> String {
    let text = decimal(raw, scale);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A value of a rule's quantity: `23.4 °C`.
pub(crate) fn value(rule: &Rule<'_>, scale: i8, raw: i32) -> String {
    format!("{} {}", number(raw, scale), rule.unit).trim_end().to_owned()
}

/// What a rule's levels are taken from: `12 %RH/min`, `6.5 deviations`.
pub(crate) fn signal(rule: &Rule<'_>, grid_ms: u32, raw: i32) -> String {
    let per = |steps: u32| {
        let time = span(steps, grid_ms);
        let time = time.strip_prefix("1 ").unwrap_or(&time);
        format!("{} {}/{time}", number(raw, rule.scale), rule.unit)
    };
    match &rule.signal {
        Signal::Value | Signal::Standard { .. } => value(rule, rule.scale, raw),
        Signal::Rate(rate) => per(rate.per),
        Signal::Flow(flow) => per(flow.rate.per),
        Signal::Running(_) | Signal::Daily(_) | Signal::Season(_) => format!("{} deviations", times(raw)),
        Signal::Shaking(_) => format!("{} times the usual", times(raw)),
        Signal::Silence => span(u32::try_from(raw).unwrap_or(0), grid_ms),
    }
}

/// 256ths, to two decimals.
fn times(raw: i32) -> String {
    let hundredths = (i64::from(raw) * 100 + if raw < 0 { -128 } else { 128 }) / 256;
    number(i32::try_from(hundredths).unwrap_or(i32::MAX), -2)
}

/// What of its quantity a rule judges.
pub(crate) fn judged(rule: &Rule<'_>, grid_ms: u32, scale: i8, quantity: &str, device: &str) -> String {
    let of = format!("{quantity} of {device}");
    let span = |steps| span(steps, grid_ms);
    let least = |least: u32| number(i32::try_from(least).unwrap_or(i32::MAX), scale);
    match &rule.signal {
        Signal::Value => of,
        Signal::Rate(rate) => format!("change of {of}, taken over {}", span(rate.window)),
        Signal::Flow(flow) => {
            let counter = format!("flow that {of} counts, taken over {}", span(flow.rate.window));
            match i32::try_from(flow.modulus) {
                Ok(0) => counter,
                Ok(modulus) => format!("{counter}, from 0 again at {}", value(rule, scale, modulus)),
                Err(_) => format!("{counter}, from 0 again at {} counts", flow.modulus),
            }
        }
        Signal::Running(running) => {
            let way = match running.way {
                Way::Either => "distance",
                Way::Signed => "signed distance",
            };
            format!(
                "{way} of {of} from its mean over {} readings, in mean deviations of at least {} {}",
                1u32 << running.shift.min(20),
                least(running.least),
                rule.unit
            )
        }
        Signal::Daily(daily) => format!(
            "distance of {of} from {}, in mean deviations of at least {} {}; known after {} of them",
            slots(daily.slots),
            least(daily.least),
            rule.unit,
            daily.needed
        ),
        Signal::Season(season) => format!(
            "distance of {of} from {}, in mean deviations of at least {} {}; known after {} with readings of {} days each",
            match season.cells {
                Slots::MonthsAndHours => "the same hour in the same month of past years",
                _ => "the same month of past years",
            },
            least(season.least),
            rule.unit,
            count(season.needed.into(), "year"),
            season.days
        ),
        Signal::Standard { slots: by, .. } => format!("distance of {of} from a standard, {}", slots(*by)),
        Signal::Shaking(shaking) => format!(
            "shaking of {of}: change over {} samples against {}, after {}",
            1u32 << shaking.short.min(15),
            1u32 << shaking.long.min(15),
            shaking.warm
        ),
        Signal::Silence => format!("no reading of {of}"),
    }
}

fn slots(slots: Slots) -> &'static str {
    match slots {
        Slots::One => "one for all times",
        Slots::Hours => "the same hour of past days",
        Slots::Months => "one for each month",
        Slots::MonthsAndHours => "one for each hour in each month",
    }
}

/// What lies beyond a threshold: `from 54 °C`, `down to -10 %RH/min`.
pub(crate) fn threshold(rule: &Rule<'_>, grid_ms: u32, at: Level) -> String {
    let raw = if at == Level::Critical { rule.levels.critical } else { rule.levels.warning };
    let side = match rule.levels.side {
        Side::Above => "from",
        Side::Below => "down from",
    };
    format!("{side} {}", signal(rule, grid_ms, raw))
}

/// What else a rule says, each in a few words.
pub(crate) fn conditions(rule: &Rule<'_>, grid_ms: u32, scale: i8, vetoed_by: Option<&str>) -> Vec<String> {
    let mut all = Vec::new();
    let levels = &rule.levels;
    if levels.hold > 0 {
        all.push(format!("counts after {}", span(levels.hold, grid_ms)));
    }
    match (levels.hysteresis, levels.release) {
        (0, 0) => {}
        (back, 0) => all.push(format!("left {} back", signal(rule, grid_ms, back))),
        (0, release) => all.push(format!("left after {}", span(release, grid_ms))),
        (back, release) => {
            all.push(format!("left {} back, after {}", signal(rule, grid_ms, back), span(release, grid_ms)));
        }
    }
    if rule.interval > 0 {
        let believed = span(rule.patience(), grid_ms);
        all.push(format!("a reading each {}, believed for {believed}", span(rule.interval, grid_ms)));
    }
    if (rule.least, rule.most) != (i32::MIN, i32::MAX) {
        all.push(format!("can be {} to {}", number(rule.least, scale), value(rule, scale, rule.most)));
    }
    if let (Some(veto), Some(by)) = (rule.veto, vetoed_by) {
        all.push(format!("not read while `{by}` is {}", veto.at));
    }
    all
}

/// A column of the matrix: `critical for 60 s`.
pub(crate) fn column(cell: &Cell, grid_ms: u32) -> String {
    match cell.over {
        Over::Now => cell.at.to_string(),
        Over::Lasting(steps) => format!("{} for {}", cell.at, span(steps, grid_ms)),
        Over::Within(steps) => format!("{} within {}", cell.at, span(steps, grid_ms)),
    }
}

/// Hundredths as a score: `0.86`.
pub(crate) fn score(hundredths: i32) -> String {
    decimal(hundredths, -2)
}

/// `local time +01:00, changed 100 times`.
pub(crate) fn local(calendar: &Calendar<'_>) -> String {
    let offset = offset_words(calendar.offset_s);
    match calendar.changes.iter().find(|(_, other)| *other != calendar.offset_s) {
        Some((_, summer)) => format!("local time {offset}, in summer {}", offset_words(*summer)),
        None => format!("local time {offset}"),
    }
}
