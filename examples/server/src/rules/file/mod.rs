//! Rules as TOML: a file is a zone.
//!
//! ```text
//! load      files → zones; all mistakes at once, each with file, line and what was expected
//! parsed    one file                     source    its text, its mistakes
//! quantity · rule · signal · hazard · action · calendar    its parts
//! measure   amounts with units           decimal   exact: 23.45 at scale -2 is 2345
//! owners    one owner a command, no loops, over all files
//! ```
//! What may stand in a file is shown by the ready-made ones in `rules/`, which say where each number comes from.

mod action;
mod calendar;
mod decimal;
mod error;
mod hazard;
mod measure;
mod owners;
mod parsed;
mod quantity;
mod rule;
mod signal;
mod source;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(crate) use calendar::offset_words;
pub(crate) use error::{FileError, FileErrors};
pub(crate) use measure::span_ms;
use parsed::Parsed;
pub(crate) use quantity::{Catalogue, Catalogues, Listed};

use super::zone::Zone;

/// A zone with what its file called things.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    /// The file, as the caller named it.
    pub(crate) file: String,
    /// What was loaded.
    pub(crate) zone: Zone,
    /// Each rule of the table, in its order.
    pub(crate) rules: Vec<Named>,
}

/// What a file calls a rule and its quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// The rule's name in the file.
    pub(crate) name: String,
    /// The quantity's name in the device's catalogue.
    pub(crate) quantity: String,
    /// The quantity's scale; the table's rule has none where time is judged.
    pub(crate) scale: i8,
    /// The line on which the rule begins.
    pub(crate) line: usize,
}

/// Reads rule files that are to be judged side by side. Their tables live as long as the process.
///
/// # Errors
/// Everything that is wrong with any of them.
pub(crate) fn load(paths: &[PathBuf], catalogues: &Catalogues) -> Result<Vec<Loaded>, FileErrors> {
    let (mut texts, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => texts.push((file, text)),
            Err(error) => {
                let what = format!("cannot be read ({error}): check the path of the rule file");
                errors.push(FileError { file, line: None, what });
            }
        }
    }
    let texts: Vec<(&str, &str)> = texts.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    match parse(&texts, catalogues) {
        Ok(loaded) if errors.is_empty() => Ok(loaded),
        Ok(_) => Err(FileErrors(errors)),
        Err(FileErrors(more)) => Err(FileErrors(errors.into_iter().chain(more).collect())),
    }
}

/// The devices that these files name, as far as they can be read: whose catalogues are of use to [`load`].
pub(crate) fn devices(paths: &[PathBuf]) -> Vec<String> {
    let mut devices = BTreeSet::new();
    for text in paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()) {
        let Ok(table) = DeTable::parse(&text) else { continue };
        let list = |key| table.get_ref().get(key).and_then(|list| list.get_ref().as_array());
        let mut add =
            |name: &Spanned<DeValue<'_>>| devices.extend(name.get_ref().as_str().map(str::to_owned));
        list("devices").into_iter().flat_map(|list| list.iter()).for_each(&mut add);
        for action in list("action").into_iter().flat_map(|list| list.iter()) {
            for kind in ["command", "setting"] {
                let order = action.get_ref().get(kind).and_then(|order| order.get_ref().get("device"));
                order.into_iter().for_each(&mut add);
            }
        }
    }
    devices.into_iter().collect()
}

/// The same for texts that are in memory, each with the name that errors call it.
pub(crate) fn parse(files: &[(&str, &str)], catalogues: &Catalogues) -> Result<Vec<Loaded>, FileErrors> {
    let (mut read, mut errors): (Vec<Parsed>, Vec<FileError>) = (Vec::new(), Vec::new());
    for (file, text) in files {
        match Parsed::read(file, text, catalogues) {
            Ok(parsed) => read.push(parsed),
            Err(more) => errors.extend(more),
        }
    }
    for (i, one) in read.iter().enumerate() {
        if let Some(other) = read.iter().take(i).find(|other| other.name == one.name) {
            let what = format!("makes a zone `{}`, as {} does: give one another name", one.name, other.file);
            errors.push(FileError { file: one.file.clone(), line: None, what });
        }
    }
    errors.extend(owners::check(&read));
    let mut loaded = Vec::new();
    // Tables are leaked, so they are only made if all is well.
    for parsed in read.iter().filter(|_| errors.is_empty()) {
        loaded.push(parsed.compile().map(|table| of(parsed, table)));
    }
    let loaded: Result<Vec<Loaded>, FileError> = loaded.into_iter().collect();
    match loaded {
        Ok(loaded) if errors.is_empty() => Ok(loaded),
        Ok(_) => Err(FileErrors(errors)),
        Err(error) => Err(FileErrors(vec![error])),
    }
}

fn of(parsed: &Parsed, table: sensock_rules::Compiled<'static>) -> Loaded {
    let named = |rule: &rule::Rule| Named {
        name: rule.name.clone(),
        quantity: rule.quantity.name.clone(),
        scale: rule.scale,
        line: rule.line,
    };
    let zone = Zone {
        name: parsed.name.clone(),
        devices: parsed.devices.clone(),
        table,
        lateness: parsed.lateness,
        actions: parsed.actions.iter().map(|stated| stated.action.clone()).collect(),
    };
    Loaded { file: parsed.file.clone(), zone, rules: parsed.rules.iter().map(named).collect() }
}
