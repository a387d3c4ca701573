//! What of a quantity is judged, with the parameters of each kind.

use sensock_rules::{Daily, Flow, Rate, Running, Season, Shaking, Signal, Slots, Way};

use super::measure::{Measure, milliseconds, per_words, stated_per, steps};
use super::quantity::Quantity;
use super::source::{Section, Told, Value};

/// The keys of a rule that belong to its signal.
pub(super) const KEYS: [&str; 14] = [
    "signal", "over", "per", "wraps-at", "memory", "least", "warm-up", "way", "slots", "needed", "days",
    "table", "short", "long",
];

/// The kinds, each with the keys that it takes.
const KINDS: [(&str, &[&str]); 9] = [
    ("value", &[]),
    ("rate", &["over", "per"]),
    ("flow", &["over", "per", "wraps-at"]),
    ("running", &["memory", "least", "warm-up", "way"]),
    ("daily", &["slots", "least", "needed"]),
    ("season", &["slots", "least", "needed", "days"]),
    ("standard", &["slots", "table"]),
    ("shaking", &["short", "long", "warm-up", "least"]),
    ("silence", &[]),
];

/// A signal as a file states it.
pub(super) struct Stated {
    /// The signal; of a standard, the table is beside it.
    pub(super) signal: Signal<'static>,
    pub(super) table: Vec<i32>,
    /// The time that a rate is stated for.
    pub(super) per_ms: Option<u64>,
}

/// Reads a rule's signal; `warning` is its threshold, which may state a rate's time, and `first` the first free slot.
pub(super) fn read(
    rule: &Section<'_>,
    of: &Quantity,
    warning: Option<Value<'_>>,
    grid_ms: u32,
    first: u16,
) -> Result<Stated, Told> {
    let kinds: Vec<(&'static str, usize)> =
        KINDS.iter().enumerate().map(|(i, (kind, _))| (*kind, i)).collect();
    let kind = rule.optional("signal", |value| value.choice(&kinds))?.unwrap_or(0);
    let (word, takes) = KINDS.get(kind).copied().unwrap_or(("value", &[]));
    let mut strays = Ok(());
    for key in KEYS.iter().skip(1).filter(|key| !takes.contains(key)) {
        if let Some(value) = rule.value(key) {
            let words = takes.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            let takes = if words.is_empty() { "nothing more".to_owned() } else { words };
            strays =
                Err(value.says(format!("`{key}` is not for the signal \"{word}\", which takes {takes}")));
        }
    }
    let plain = |signal| Stated { signal, table: Vec::new(), per_ms: None };
    let unit = Measure::Unit(&of.unit, of.scale);
    let stated = match word {
        "rate" => rate(rule, warning, grid_ms)
            .map(|(rate, per)| Stated { per_ms: Some(per), ..plain(Signal::Rate(rate)) }),
        "flow" => {
            let modulus = rule.optional("wraps-at", |value| unit.size(value));
            let rate = rate(rule, warning, grid_ms);
            rate.and_then(|(rate, per)| {
                let signal = Signal::Flow(Flow { rate, modulus: modulus?.unwrap_or(0) });
                Ok(Stated { per_ms: Some(per), ..plain(signal) })
            })
        }
        "running" => running(rule, unit).map(plain),
        "daily" => daily(rule, unit, first).map(plain),
        "season" => season(rule, unit, first).map(plain),
        "standard" => standard(rule, unit),
        "shaking" => shaking(rule).map(plain),
        "silence" => Ok(plain(Signal::Silence)),
        _ => Ok(plain(Signal::Value)),
    };
    strays.and(stated)
}

/// Over how long a change is taken, and for how long it is stated.
fn rate(rule: &Section<'_>, warning: Option<Value<'_>>, grid_ms: u32) -> Result<(Rate, u64), Told> {
    let window = rule.required("over", "the time that the change is taken over, as in \"60 s\"", |value| {
        steps(value, grid_ms)
    });
    let own = rule.optional("per", |value| {
        let ms = milliseconds(value)?;
        if steps(value, grid_ms)? == 0 { Err(value.wrong("a time above 0")) } else { Ok(ms) }
    })?;
    let stated = warning.and_then(stated_per);
    let per = match (own, stated) {
        (Some(own), _) => own,
        (None, Some(stated)) => stated,
        (None, None) => {
            return Err(rule.lacks("per", "the time that the change is stated for, as in \"1 min\""));
        }
    };
    let grid = u64::from(grid_ms.max(1));
    let whole = u32::try_from(per / grid).ok().filter(|_| per.is_multiple_of(grid) && per > 0);
    let per_steps = whole.ok_or_else(|| {
        rule.wrong(format!("a change per {} is no whole number of steps of the grid", per_words(per)))
    })?;
    Ok((Rate { window: window?, per: per_steps }, per))
}

fn running(rule: &Section<'_>, unit: Measure<'_>) -> Result<Signal<'static>, Told> {
    let shift =
        rule.required("memory", "how many readings it remembers, as in 256", |value| power(value, 20));
    let least = rule.required("least", LEAST, |value| unit.size(value));
    let warm = rule.required("warm-up", "how many readings make the first baseline, as in 60", |value| {
        value.whole(1, u16::MAX.into())
    });
    let way = rule.optional("way", |value| value.choice(&[("either", Way::Either), ("signed", Way::Signed)]));
    let (shift, least, warm) = (shift?, least?, u16::try_from(warm?).unwrap_or(u16::MAX));
    Ok(Signal::Running(Running { shift, least, warm, way: way?.unwrap_or(Way::Either) }))
}

const LEAST: &str = "the least deviation that counts, the sensor's noise or resolution, as in 0.1";

fn daily(rule: &Section<'_>, unit: Measure<'_>, first: u16) -> Result<Signal<'static>, Told> {
    let slots = rule.optional("slots", |value| match slots(value)? {
        Slots::Months | Slots::MonthsAndHours => {
            let word = value.is.as_str().unwrap_or_default();
            Err(value.says(format!(
                "what repeats by the year has a signal of its own: write `signal = \"season\"` for `slots = \"{word}\"`"
            )))
        }
        slots => Ok(slots),
    });
    let least = rule.required("least", LEAST, |value| unit.size(value));
    let needed = rule.required("needed", "how many past days a slot must have, as in 5", |value| {
        value.whole(1, u16::MAX.into())
    });
    let slots = slots?.unwrap_or(Slots::Hours);
    Ok(Signal::Daily(Daily {
        slots,
        first,
        least: least?,
        needed: u16::try_from(needed?).unwrap_or(u16::MAX),
    }))
}

/// Of so many days a month must have readings where the file does not say.
const DAYS: u8 = 7;

fn season(rule: &Section<'_>, unit: Measure<'_>, first: u16) -> Result<Signal<'static>, Told> {
    let cells = rule.optional("slots", |value| {
        value.choice(&[("months", Slots::Months), ("months and hours", Slots::MonthsAndHours)])
    });
    let least = rule.required("least", LEAST, |value| unit.size(value));
    let needed =
        rule.required("needed", "how many past years a month must have, as in 2", |value| value.whole(1, 50));
    let days = rule.optional("days", |value| value.whole(2, 28));
    Ok(Signal::Season(Season {
        cells: cells?.unwrap_or(Slots::Months),
        first,
        least: least?,
        needed: u16::try_from(needed?).unwrap_or(u16::MAX),
        days: days?.and_then(|days| u8::try_from(days).ok()).unwrap_or(DAYS),
    }))
}

fn standard(rule: &Section<'_>, unit: Measure<'_>) -> Result<Stated, Told> {
    let slots = rule.optional("slots", slots)?.unwrap_or(Slots::One);
    let expected = format!("a list of {} values", slots.count());
    let table = rule.required("table", &expected, |value| {
        let items = value.items(&expected)?;
        if items.len() != slots.count() {
            let found = items.len();
            return Err(value.says(format!("`table` has {found} values: expected {expected}")));
        }
        let values: Vec<Result<i32, Told>> = items.into_iter().map(|item| unit.amount(item)).collect();
        values.into_iter().collect::<Result<Vec<i32>, Told>>()
    })?;
    Ok(Stated { signal: Signal::Standard { slots, table: &[] }, table, per_ms: None })
}

fn shaking(rule: &Section<'_>) -> Result<Signal<'static>, Told> {
    let short = rule.required("short", "how many samples the short average remembers, as in 32", |value| {
        power(value, 14)
    });
    let long = rule.required("long", "how many samples the long average remembers, as in 2048", |value| {
        power(value, 15)
    });
    let warm =
        rule.required("warm-up", "how many samples it learns from before it speaks, as in 1200", |value| {
            value.whole(0, u16::MAX.into())
        });
    let least = rule.optional("least", |value| value.whole(0, u32::MAX.into()));
    let (short, long, warm, least) = (short?, long?, warm?, least?);
    if short >= long {
        return Err(
            rule.wrong("the short average must be shorter than the long one: look at `short` and `long`")
        );
    }
    let least = least.and_then(|least| u32::try_from(least).ok()).unwrap_or(1);
    Ok(Signal::Shaking(Shaking { short, long, warm: u16::try_from(warm).unwrap_or(u16::MAX), least }))
}

fn slots(value: Value<'_>) -> Result<Slots, Told> {
    value.choice(&[
        ("one", Slots::One),
        ("hours", Slots::Hours),
        ("months", Slots::Months),
        ("months and hours", Slots::MonthsAndHours),
    ])
}

/// A power of two, as the power.
fn power(value: Value<'_>, most: u32) -> Result<u8, Told> {
    let number = value.whole(1, 1 << most)?;
    let number = u64::try_from(number).unwrap_or(1);
    if !number.is_power_of_two() {
        let above = number.next_power_of_two();
        return Err(value.wrong(&format!("a power of two: {} or {above}", above / 2)));
    }
    Ok(u8::try_from(number.ilog2()).unwrap_or(u8::MAX))
}
