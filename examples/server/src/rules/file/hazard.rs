//! A hazard of a file: the matrix and its weights.

use sensock_rules::{Cell, Over, Owner};

use super::measure::{hundredths, milliseconds, steps};
use super::rule::{level, rule_place};
use super::source::{Section, Told, Value};

const KEYS: [&str; 7] = ["name", "warning", "critical", "hysteresis", "owner", "max-age", "cells"];

/// A hazard, as what is compiled is made from it.
pub(super) struct Hazard {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) cells: Vec<Cell>,
    pub(super) warning: u8,
    pub(super) critical: u8,
    pub(super) hysteresis: u8,
    pub(super) owner: Owner,
    pub(super) max_age_ms: u32,
}

/// How old an alarm may be to be acted on, where the file does not say.
const MAX_AGE_MS: u32 = 60_000;

/// Reads all hazards; one that cannot be read keeps its place and has no cells.
pub(super) fn read(top: &Section<'_>, rules: &[String], grid_ms: u32) -> Vec<Hazard> {
    let expected = "tables, each headed [[hazard]]";
    let items = top.optional("hazard", |value| value.items(expected)).ok().flatten().unwrap_or_default();
    let mut hazards: Vec<Hazard> = Vec::new();
    for item in items {
        let Ok(section) = item.section("hazard", expected, &KEYS) else { continue };
        let hazard = one(&section, rules, grid_ms);
        let earlier = hazards.iter().find(|other| other.name == hazard.name && !hazard.name.is_empty());
        if let Some(other) = earlier {
            let (name, line) = (&hazard.name, other.line);
            section
                .wrong(format!("there is a hazard `{name}` already, on line {line}: give one another name"));
        }
        hazards.push(hazard);
    }
    if hazards.len() > 255 {
        top.wrong(format!(
            "there are {} hazards: expected 255 at most; make two files of them",
            hazards.len()
        ));
    }
    hazards
}

fn one(section: &Section<'_>, rules: &[String], grid_ms: u32) -> Hazard {
    let named = "a name, as in \"fire\"";
    let name = section.required("name", named, |value| value.text(named));
    let score = |key, otherwise: u8| {
        let score = section.optional(key, |value| hundredths(value, 0)).ok().flatten();
        score.and_then(|score| u8::try_from(score).ok()).unwrap_or(otherwise)
    };
    let (warning, critical) = (score("warning", 50), score("critical", 80));
    let hysteresis = score("hysteresis", 10);
    if warning == 0 || critical < warning {
        section.wrong("a hazard is a warning from a score above 0.00 on, and critical from that or more on");
    }
    let owner = section
        .optional("owner", |value| value.choice(&[("server", Owner::Server), ("device", Owner::Device)]));
    let max_age = section.optional("max-age", |value| {
        u32::try_from(milliseconds(value)?).map_err(|_| value.wrong("a time below 49 days"))
    });
    let expected = "1 to 32 cells, as in [{ rule = \"heat\", at = \"warning\", weight = 0.30 }]";
    let cells = section.required("cells", expected, |value| {
        let items = value.items(expected)?;
        if !(1..=32).contains(&items.len()) {
            return Err(value.says(format!("there are {} cells: expected {expected}", items.len())));
        }
        let cells: Vec<Result<Cell, Told>> =
            items.into_iter().map(|item| cell(item, rules, grid_ms)).collect();
        cells.into_iter().collect::<Result<Vec<Cell>, Told>>()
    });
    let cells = cells.unwrap_or_default();
    let most: i32 = cells.iter().map(|cell| i32::from(cell.weight.max(0))).sum();
    if !cells.is_empty() && most < i32::from(warning) {
        section.wrong(format!(
            "all cells together weigh {}.{:02}, less than the {}.{:02} of a warning: it could never be raised",
            most / 100,
            most % 100,
            warning / 100,
            warning % 100
        ));
    }
    Hazard {
        name: name.unwrap_or_default().to_owned(),
        line: section.line(),
        cells,
        warning,
        critical,
        hysteresis,
        owner: owner.ok().flatten().unwrap_or(Owner::Server),
        max_age_ms: max_age.ok().flatten().unwrap_or(MAX_AGE_MS),
    }
}

/// `{ rule = "heat", at = "critical", lasting = "60 s", weight = 0.20 }`.
fn cell(value: Value<'_>, rules: &[String], grid_ms: u32) -> Result<Cell, Told> {
    let expected = "a table, as in { rule = \"heat\", at = \"warning\", weight = 0.30 }";
    let section = value.section("cell", expected, &["rule", "at", "lasting", "within", "weight"])?;
    let rule = section.required("rule", "the name of a rule", |value| rule_place(value, rules));
    let at = section.required("at", "\"warning\" or \"critical\"", level);
    let lasting = section.optional("lasting", |value| steps(value, grid_ms));
    let within = section.optional("within", |value| steps(value, grid_ms));
    let weight =
        section.required("weight", "what it adds to the score, as in 0.30", |value| hundredths(value, -100));
    let over = match (lasting?, within?) {
        (None, None) => Over::Now,
        (Some(steps), None) => Over::Lasting(steps),
        (None, Some(steps)) => Over::Within(steps),
        (Some(_), Some(_)) => {
            return Err(section.wrong("a cell is `lasting` or `within`, not both: make two of it"));
        }
    };
    Ok(Cell { rule: u8::try_from(rule?).unwrap_or(u8::MAX), at: at?, over, weight: weight? })
}
