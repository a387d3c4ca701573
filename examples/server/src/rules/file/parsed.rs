//! One file that was read, and the table that is made of it.

use std::path::Path;
use std::time::Duration;

use sensock_rules::{BadTable, Calendar, Compiled, Hazard, Rule, Signal, Table};
use toml::de::DeTable;

use super::action;
use super::calendar::{self, Local};
use super::error::FileError;
use super::hazard;
use super::measure::milliseconds;
use super::quantity::{self, Catalogues};
use super::rule::{self, Around};
use super::source::{Section, Source, Told, Value};

const KEYS: [&str; 7] = ["grid", "lateness", "devices", "quantity", "rule", "hazard", "action"];

/// How long a step is where the file does not say.
const GRID_MS: u32 = 1_000;
/// How long is waited for late records where the file does not say.
const LATENESS: Duration = Duration::from_secs(10);

/// A file of which every part was read.
pub(super) struct Parsed {
    pub(super) file: String,
    /// The file's stem.
    pub(super) name: String,
    pub(super) devices: Vec<String>,
    pub(super) grid_ms: u32,
    pub(super) lateness: Duration,
    pub(super) local: Local,
    pub(super) rules: Vec<rule::Rule>,
    pub(super) hazards: Vec<hazard::Hazard>,
    pub(super) actions: Vec<action::Stated>,
}

impl Parsed {
    /// Reads a text.
    pub(super) fn read(file: &str, text: &str, catalogues: &Catalogues) -> Result<Self, Vec<FileError>> {
        let source = Source::new(file, text);
        let table = DeTable::parse(text).map_err(|error| {
            source.wrong(error.span().map_or(0, |span| span.start), error.message());
            source.errors()
        })?;
        let keys: Vec<&'static str> = KEYS.iter().chain(&calendar::KEYS).copied().collect();
        let top = Section::new(&source, "file", table.get_ref(), 0, &keys);
        let read = Self::of(&top, catalogues);
        let errors = source.errors();
        match read {
            Ok(parsed) if errors.is_empty() => Ok(parsed),
            _ => Err(errors),
        }
    }

    fn of(top: &Section<'_>, catalogues: &Catalogues) -> Result<Self, Told> {
        let file = top.source.file;
        let grid = top.optional("grid", |value| {
            let ms = milliseconds(value)?;
            u32::try_from(ms)
                .ok()
                .filter(|ms| *ms > 0)
                .ok_or_else(|| value.wrong("a time from 1 ms to 49 days"))
        });
        let devices =
            top.required("devices", "the names of the zone's devices, as in [\"cellar-3\"]", devices);
        let lateness = top.optional("lateness", |value| milliseconds(value).map(Duration::from_millis));
        // What follows needs some grid, so that its own mistakes are told too.
        let grid_ms = grid.ok().flatten().unwrap_or(GRID_MS);
        let local = calendar::read(top, grid_ms);
        let quantities = quantity::read(top);
        let (sections, names) = rule::sections(top);
        let devices = devices.unwrap_or_default();
        let around =
            Around { grid_ms, devices: &devices, quantities: &quantities, catalogues, names: &names };
        let (mut rules, mut slots) = (Vec::new(), 0u16);
        for (at, section) in sections.iter().enumerate() {
            let Ok(rule) = rule::read(section, &around, at, slots) else { continue };
            let count = match rule.signal {
                Signal::Daily(daily) => daily.slots.count(),
                Signal::Season(season) => season.memory(),
                _ => 0,
            };
            slots = u16::try_from(usize::from(slots) + count).unwrap_or_else(|_| {
                section.wrong("the baselines of this file have more than 65,535 slots: make two files of it");
                0
            });
            rules.push(rule);
        }
        let hazards = hazard::read(top, &names, grid_ms);
        let actions = action::read(top, &hazards, catalogues);
        let name = Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or(file).to_owned();
        let (lateness, local) = (lateness?.unwrap_or(LATENESS), local?);
        let parsed =
            Self { file: file.to_owned(), name, devices, grid_ms, lateness, local, rules, hazards, actions };
        if !top.source.has_errors() {
            // Nothing of its own is left to be found; if there were, it has a line.
            parsed
                .with_table(|table| table.check())
                .map_err(|bad| top.source.wrong_line(parsed.line_of(bad), bad.to_string()))?;
        }
        Ok(parsed)
    }

    /// Builds the table for a moment.
    fn with_table<T>(&self, see: impl FnOnce(&Table<'_>) -> T) -> T {
        let rules: Vec<Rule<'_>> = self
            .rules
            .iter()
            .map(|rule| built(rule, &rule.words, &rule.quantity.unit, &rule.table))
            .collect();
        let hazards: Vec<Hazard<'_>> =
            self.hazards.iter().map(|hazard| weighed(hazard, &hazard.name, &hazard.cells)).collect();
        see(&Table {
            grid_ms: self.grid_ms,
            calendar: self.calendar(&self.local.changes),
            rules: &rules,
            hazards: &hazards,
        })
    }

    fn calendar<'c>(&self, changes: &'c [(sensock_rules::Step, i32)]) -> Calendar<'c> {
        Calendar { origin_s: self.local.origin_s, offset_s: self.local.offset_s, changes }
    }

    /// Builds the table for the rest of the process's life: its lists are leaked, because engines borrow them.
    pub(super) fn compile(&self) -> Result<Compiled<'static>, FileError> {
        let text = |text: &str| -> &'static str { text.to_owned().leak() };
        let rules: Vec<Rule<'static>> = self
            .rules
            .iter()
            .map(|rule| built(rule, text(&rule.words), text(&rule.quantity.unit), rule.table.clone().leak()))
            .collect();
        let hazards: Vec<Hazard<'static>> = self
            .hazards
            .iter()
            .map(|hazard| weighed(hazard, text(&hazard.name), hazard.cells.clone().leak()))
            .collect();
        let calendar = self.calendar(self.local.changes.clone().leak());
        let table = Table { grid_ms: self.grid_ms, calendar, rules: rules.leak(), hazards: hazards.leak() };
        Compiled::new(table).map_err(|bad| FileError {
            file: self.file.clone(),
            line: Some(self.line_of(bad)),
            what: bad.to_string(),
        })
    }

    /// The line of what a table's check found.
    fn line_of(&self, bad: BadTable) -> usize {
        let line = match bad {
            BadTable::Levels(i) | BadTable::Plausible(i) | BadTable::Veto(i) | BadTable::Signal(i) => {
                self.rules.get(usize::from(i)).map(|rule| rule.line)
            }
            BadTable::Hazard(i) | BadTable::Cell(i) => {
                self.hazards.get(usize::from(i)).map(|hazard| hazard.line)
            }
            _ => None,
        };
        line.unwrap_or(1)
    }
}

fn built<'t>(rule: &rule::Rule, words: &'t str, unit: &'t str, table: &'t [i32]) -> Rule<'t> {
    let signal = match rule.signal {
        Signal::Standard { slots, .. } => Signal::Standard { slots, table },
        other => other,
    };
    let (least, most) = rule.quantity.plausible.unwrap_or((i32::MIN, i32::MAX));
    let made = Rule::new(words, rule.device, rule.quantity.id, signal, rule.levels)
        .unit(unit, rule.quantity.scale)
        .plausible(least, most)
        .every(rule.quantity.every);
    Rule { veto: rule.veto, ..made }
}

fn weighed<'t>(hazard: &hazard::Hazard, name: &'t str, cells: &'t [sensock_rules::Cell]) -> Hazard<'t> {
    Hazard::new(name, cells)
        .from_score(hazard.warning, hazard.critical, hazard.hysteresis)
        .owned_by(hazard.owner)
        .max_age_ms(hazard.max_age_ms)
}

/// The names of the zone's devices.
fn devices(value: Value<'_>) -> Result<Vec<String>, Told> {
    let expected = "the names of 1 to 255 devices, as in [\"cellar-3\"]";
    let items = value.items(expected)?;
    if !(1..=255).contains(&items.len()) {
        return Err(value.wrong(expected));
    }
    let mut names: Vec<String> = Vec::new();
    for item in items {
        let text = item.text(expected)?;
        sensock::DeviceId::new(text).map_err(|error| item.says(format!("\"{text}\": {error}")))?;
        if names.iter().any(|name| name == text) {
            return Err(item.says(format!("the device {text} is listed twice")));
        }
        names.push(text.to_owned());
    }
    Ok(names)
}
