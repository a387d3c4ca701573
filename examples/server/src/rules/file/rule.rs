//! A rule of a file: a row of the matrix.

use sensock_rules::{Level, Levels, Signal, Veto};

use super::measure::{Measure, steps};
use super::quantity::{self, Catalogues, Quantity};
use super::signal;
use super::source::{Section, Told, Value};

/// The keys of a rule beside those of its signal.
const KEYS: [&str; 12] = [
    "name",
    "words",
    "device",
    "quantity",
    "above",
    "below",
    "hysteresis",
    "hold",
    "release",
    "every",
    "plausible",
    "unless",
];

/// A rule, as what is compiled is made from it.
pub(super) struct Rule {
    /// What the file calls it.
    pub(super) name: String,
    /// What a person reads.
    pub(super) words: String,
    pub(super) line: usize,
    pub(super) device: u8,
    pub(super) quantity: Quantity,
    /// The quantity's scale, where the table has none because time is judged.
    pub(super) scale: i8,
    pub(super) signal: Signal<'static>,
    /// The values of a standard.
    pub(super) table: Vec<i32>,
    pub(super) levels: Levels,
    pub(super) veto: Option<Veto>,
}

/// What a rule is read with.
pub(super) struct Around<'a, 't> {
    pub(super) grid_ms: u32,
    pub(super) devices: &'a [String],
    pub(super) quantities: &'a [quantity::Stated<'t>],
    pub(super) catalogues: &'a Catalogues,
    /// The names of all rules, in the order of the file.
    pub(super) names: &'a [String],
}

/// Each rule's table, and its name.
pub(super) fn sections<'t>(top: &Section<'t>) -> (Vec<Section<'t>>, Vec<String>) {
    let keys: Vec<&'static str> = KEYS.iter().chain(&signal::KEYS).copied().collect();
    let expected = "tables, each headed [[rule]]";
    let items = top.optional("rule", |value| value.items(expected)).ok().flatten().unwrap_or_default();
    let sections: Vec<Section<'t>> =
        items.into_iter().filter_map(|item| item.section("rule", expected, &keys).ok()).collect();
    let name = |section: &Section<'t>| {
        let name =
            section.required("name", "a name, as in \"heat\"", |value| value.text("a name, as in \"heat\""));
        name.unwrap_or_default().to_owned()
    };
    let names: Vec<String> = sections.iter().map(name).collect();
    for (i, (name, section)) in names.iter().zip(&sections).enumerate() {
        let before = names.iter().take(i).position(|other| other == name && !name.is_empty());
        if let Some(other) = before.and_then(|before| sections.get(before)) {
            section.wrong(format!(
                "there is a rule `{name}` already, on line {}: give one another name",
                other.line()
            ));
        }
    }
    if sections.len() > 255 {
        top.wrong(format!(
            "there are {} rules: expected 255 at most; make two files of them",
            sections.len()
        ));
    }
    (sections, names)
}

/// Reads a rule; `at` is its place, and `first` the first slot that no rule before it has taken.
pub(super) fn read(
    section: &Section<'_>,
    around: &Around<'_, '_>,
    at: usize,
    first: u16,
) -> Result<Rule, Told> {
    let grid_ms = around.grid_ms;
    let name = around.names.get(at).cloned().unwrap_or_default();
    let words = section.optional("words", |value| value.text("what a person reads in an alarm"));
    let device = device(section, around.devices)?;
    let device_name = around.devices.get(usize::from(device)).map(String::as_str).unwrap_or_default();
    let quantity = section.required("quantity", "the name of a quantity of this file", |value| {
        let text = value.text("the name of a quantity of this file")?;
        let names = || around.quantities.iter().map(|quantity| quantity.key);
        let stated = around.quantities.iter().find(|quantity| quantity.key == text).ok_or_else(|| {
            let all = names().collect::<Vec<_>>().join(", ");
            value.unknown(text, &format!("a quantity of this file: {all}"), names())
        })?;
        stated.of(device_name, around.catalogues, grid_ms)
    });
    let mut quantity = quantity?;
    let every = section.optional("every", |value| steps(value, grid_ms));
    let plausible =
        section.optional("plausible", |value| quantity::plausible(value, &quantity.unit, quantity.scale));
    let veto = section.optional("unless", |value| veto(value, around.names, at));
    let (side, thresholds) = match (section.value("above"), section.value("below")) {
        (Some(above), None) => (true, above),
        (None, Some(below)) => (false, below),
        (None, None) => {
            return Err(section.wrong(
                "this rule lacks `above` or `below`: expected { warning = …, critical = … } under one of them",
            ));
        }
        (Some(_), Some(below)) => {
            return Err(below.says("a rule has `above` or `below`, not both: make two rules of it"));
        }
    };
    let thresholds = thresholds.section(
        "threshold",
        "a table, as in { warning = 54, critical = 65 }",
        &["warning", "critical"],
    )?;
    let stated = signal::read(section, &quantity, thresholds.value("warning"), grid_ms, first)?;
    let measure = match (&stated.signal, stated.per_ms) {
        (_, Some(per)) => Measure::Per(&quantity.unit, quantity.scale, per),
        (Signal::Silence, _) => Measure::Time(grid_ms),
        (Signal::Running(_) | Signal::Daily(_) | Signal::Season(_) | Signal::Shaking(_), _) => Measure::Times,
        _ => Measure::Unit(&quantity.unit, quantity.scale),
    };
    let levels = levels(section, &thresholds, side, measure, &stated.signal, grid_ms);
    quantity.every = every?.unwrap_or(quantity.every);
    quantity.plausible = plausible?.or(quantity.plausible);
    let scale = quantity.scale;
    if matches!(stated.signal, Signal::Silence) {
        // What is judged is time: it has no unit, and no interval makes it late.
        (quantity.unit, quantity.scale, quantity.every) = (String::new(), 0, 0);
    }
    let words = words?.map_or_else(|| name.clone(), str::to_owned);
    let (levels, veto) = (levels?, veto?);
    let (signal, table) = (stated.signal, stated.table);
    Ok(Rule { name, words, line: section.line(), device, quantity, scale, signal, table, levels, veto })
}

/// The device that a rule reads; the only one, if there is no other.
fn device(section: &Section<'_>, devices: &[String]) -> Result<u8, Told> {
    let found = section.optional("device", |value| {
        let expected = format!("a device of this file: {}", devices.join(", "));
        let text = value.text(&expected)?;
        let place = devices.iter().position(|device| device == text);
        place.ok_or_else(|| value.unknown(text, &expected, devices.iter().map(String::as_str)))
    })?;
    let place = match (found, devices) {
        (Some(place), _) => place,
        (None, [_]) => 0,
        (None, []) => return Err(Told),
        (None, _) => return Err(section.lacks("device", &format!("one of {}", devices.join(", ")))),
    };
    // The list of devices is not longer.
    Ok(u8::try_from(place).unwrap_or(u8::MAX))
}

fn levels(
    rule: &Section<'_>,
    thresholds: &Section<'_>,
    above: bool,
    measure: Measure<'_>,
    signal: &Signal<'_>,
    grid_ms: u32,
) -> Result<Levels, Told> {
    let required = |key| thresholds.required(key, "a threshold", |value| measure.amount(value));
    let (warning, critical) = (required("warning"), required("critical"));
    let hysteresis = rule.optional("hysteresis", |value| {
        let by = measure.amount(value)?;
        if by < 0 { Err(value.wrong("how far back a level is left, 0 or more")) } else { Ok(by) }
    });
    let hold = rule.optional("hold", |value| steps(value, grid_ms));
    let release = rule.optional("release", |value| steps(value, grid_ms));
    let (warning, critical) = (warning?, critical?);
    if above && critical < warning || !above && critical > warning {
        let (side, word) = if above { ("above", "below") } else { ("below", "above") };
        return Err(thresholds.wrong(format!(
            "what is bad `{side}` a threshold gets worse {side} it: `critical` must not lie {word} `warning`"
        )));
    }
    if matches!(signal, Signal::Silence) {
        for key in ["hysteresis", "hold", "release"] {
            if let Some(value) = rule.value(key) {
                return Err(value.says(format!("`{key}` is not for silence: time itself does not go back")));
            }
        }
        if !above || warning <= 0 {
            return Err(thresholds.wrong("silence is bad `above` a time, which is not 0"));
        }
    }
    let levels = if above { Levels::above(warning, critical) } else { Levels::below(warning, critical) };
    let (hysteresis, hold, release) = (hysteresis?.unwrap_or(0), hold?.unwrap_or(0), release?.unwrap_or(0));
    Ok(Levels { hysteresis, hold, release, ..levels })
}

/// `{ rule = "battery", at = "critical" }`.
fn veto(value: Value<'_>, names: &[String], at: usize) -> Result<Veto, Told> {
    let section =
        value.section("veto", "a table, as in { rule = \"battery\", at = \"critical\" }", &["rule", "at"])?;
    let rule = section.required("rule", "the name of a rule above this one", |value| {
        let place = rule_place(value, names)?;
        if place < at {
            return Ok(place);
        }
        let name = value.is.as_str().unwrap_or_default();
        Err(value.says(if place == at {
            format!("`{name}` cannot veto itself: name a rule above it")
        } else {
            format!("`{name}` stands below: move it above this rule, for it is judged first")
        }))
    });
    let level = section.optional("at", level);
    let rule = u8::try_from(rule?).unwrap_or(u8::MAX);
    Ok(Veto { rule, at: level?.unwrap_or(Level::Critical) })
}

/// The place of the rule that a value names.
pub(super) fn rule_place(value: Value<'_>, names: &[String]) -> Result<usize, Told> {
    let text = value.text("the name of a rule of this file")?;
    let place = names.iter().position(|name| name == text);
    place.ok_or_else(|| {
        let near = crate::show::words::nearest(text, names.iter().map(String::as_str));
        let meant = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                format!("there are {}", names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "))
            }
        };
        value.says(format!("`{text}` is no rule of this file: {meant}"))
    })
}

/// A level that something is at or above.
pub(super) fn level(value: Value<'_>) -> Result<Level, Told> {
    value.choice(&[("warning", Level::Warning), ("critical", Level::Critical)])
}
