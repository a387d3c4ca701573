//! What a file has done about its hazards.

use std::path::PathBuf;
use std::time::Duration;

use sensock::catalog::Values;
use sensock::limits::BODY_MAX;
use sensock_rules::Owner;

use super::hazard::Hazard;
use super::measure::milliseconds;
use super::quantity::{Catalogue, Catalogues};
use super::source::{Section, Told, Value, shown};
use crate::rules::act::webhook::Address;
use crate::rules::zone::{Action, What, When};
use crate::show::words::nearest;

const KEYS: [&str; 10] = [
    "hazard",
    "when",
    "max-age",
    "at-most-every",
    "command",
    "setting",
    "webhook",
    "ca",
    "program",
    "drives",
];

/// An action with what is said of it besides.
pub(super) struct Stated {
    pub(super) action: Action,
    pub(super) line: usize,
    /// Quantities that it moves: of which device, if that is said.
    pub(super) drives: Vec<Drive>,
}

/// A quantity that a command moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drive {
    pub(super) device: Option<String>,
    pub(super) quantity: String,
    pub(super) line: usize,
}

/// Reads all actions.
pub(super) fn read(top: &Section<'_>, hazards: &[Hazard], catalogues: &Catalogues) -> Vec<Stated> {
    let expected = "tables, each headed [[action]]";
    let items = top.optional("action", |value| value.items(expected)).ok().flatten().unwrap_or_default();
    let section = |item: Value<'_>| {
        item.section("action", expected, &KEYS).and_then(|section| one(&section, hazards, catalogues))
    };
    items.into_iter().filter_map(|item| section(item).ok()).collect()
}

fn one(section: &Section<'_>, hazards: &[Hazard], catalogues: &Catalogues) -> Result<Stated, Told> {
    let hazard = section.required("hazard", "the name of a hazard of this file", |value| {
        let names: Vec<&str> = hazards.iter().map(|hazard| hazard.name.as_str()).collect();
        let expected = format!("a hazard of this file: {}", names.join(", "));
        let text = value.text(&expected)?;
        names.iter().position(|name| *name == text).ok_or_else(|| value.unknown(text, &expected, names))
    });
    let when = section.required("when", "\"warning\", \"critical\" or \"cleared\"", |value| {
        value.choice(&[When::Warning, When::Critical, When::Cleared].map(|when| (when.word(), when)))
    });
    let time = |key| section.optional(key, |value| milliseconds(value).map(Duration::from_millis));
    let (max_age, at_most_every) = (time("max-age"), time("at-most-every"));
    let drives = section.optional("drives", drives);
    let what = what(section, catalogues);
    let hazard = hazard?;
    let of = hazards.get(hazard);
    if of.is_some_and(|of| of.owner == Owner::Device) {
        return Err(section.wrong(format!(
            "`{}` is owned by the device, which acts on it: take the action away, or its `owner`",
            of.map(|of| of.name.as_str()).unwrap_or_default()
        )));
    }
    let usual = of.map_or(0, |of| of.max_age_ms);
    let max_age = max_age?.unwrap_or(Duration::from_millis(usual.into()));
    let action = Action {
        hazard,
        when: when?,
        max_age,
        at_most_every: at_most_every?.unwrap_or_default(),
        what: what?,
    };
    let drives = drives?.unwrap_or_default();
    let moves = matches!(action.what, What::Command { .. } | What::Setting { .. });
    if !moves && !drives.is_empty() {
        return Err(section.wrong("only a command or a setting `drives` a quantity"));
    }
    Ok(Stated { action, line: section.line(), drives })
}

/// The one thing that an action does.
fn what(section: &Section<'_>, catalogues: &Catalogues) -> Result<What, Told> {
    let kinds = ["command", "setting", "webhook", "program"];
    let given: Vec<Value<'_>> = kinds.iter().filter_map(|kind| section.value(kind)).collect();
    let &[value] = given.as_slice() else {
        return Err(section.wrong(format!(
            "an action does one thing, and this one {}: expected one of `command`, `setting`, `webhook`, `program`",
            if given.is_empty() { "none".to_owned() } else { given.len().to_string() }
        )));
    };
    if let Some(ca) = section.value("ca").filter(|_| value.key != "webhook") {
        return Err(ca.says(format!("`ca` is for a webhook, not for a {}", value.key)));
    }
    match value.key {
        "command" => {
            order(value, catalogues).map(|(device, name, value)| What::Command { device, name, value })
        }
        "setting" => {
            order(value, catalogues).map(|(device, name, value)| What::Setting { device, name, value })
        }
        "webhook" => {
            let expected = "an address, as in \"https://example.org/alarm\"";
            // What stands there may hold a token: it is not repeated.
            let url = value.is.as_str().ok_or_else(|| value.wrong(expected))?;
            let address = Address::parse(url)
                .map_err(|error| value.says(format!("`webhook`: {error}: expected {expected}")))?;
            let ca = section.optional("ca", |ca| {
                let expected = "the path of a PEM file, as in \"cellar-ca.pem\"";
                let path = ca.text(expected)?;
                match (path.is_empty(), address.is_tls()) {
                    (true, _) => Err(ca.wrong(expected)),
                    (_, false) => {
                        Err(ca.says("`ca` is for a webhook that begins with https://, and this one does not"))
                    }
                    _ => Ok(PathBuf::from(path)),
                }
            })?;
            Ok(What::Webhook { url: url.to_owned(), ca })
        }
        _ => {
            let expected = "a list, as in [\"/usr/local/bin/ring\", \"cellar\"]";
            let items = value.items(expected)?;
            let texts: Vec<Result<String, Told>> = items
                .into_iter()
                .map(|item| item.is.as_str().map(str::to_owned).ok_or_else(|| value.wrong(expected)))
                .collect();
            let mut texts = texts.into_iter().collect::<Result<Vec<String>, Told>>()?.into_iter();
            let path = texts.next().filter(|path| !path.is_empty()).ok_or_else(|| value.wrong(expected))?;
            Ok(What::Program { path: PathBuf::from(path), arguments: texts.collect() })
        }
    }
}

/// `{ device = "siren-1", name = "relay", value = true }`: the value as the command line takes it.
fn order(value: Value<'_>, catalogues: &Catalogues) -> Result<(String, String, String), Told> {
    let what = if value.key == "command" { "command" } else { "setting" };
    let expected = "a table, as in { device = \"siren-1\", name = \"relay\", value = true }";
    let section = value.section(what, expected, &["device", "name", "value"])?;
    let device = section.required("device", "a device's name", |value| {
        let text = value.text("a device's name")?;
        sensock::DeviceId::new(text).map_err(|error| value.says(format!("\"{text}\": {error}")))?;
        Ok(text.to_owned())
    });
    let name = section.required("name", "a name of the device's catalogue, as in \"relay\"", |value| {
        value.text("a name of the device's catalogue, as in \"relay\"").map(str::to_owned)
    });
    let given =
        section.value("value").map_or(Ok(String::new()), |value| match (value.is.as_str(), value.is) {
            (Some(text), _) => Ok(text.to_owned()),
            (None, is) if is.is_array() || is.is_table() => {
                Err(value.wrong("one value, or a text as the command line takes it"))
            }
            (None, is) => Ok(shown(is)),
        });
    let (device, name, given) = (device?, name?, given?);
    if let Some(catalogue) = catalogues.of.get(&device) {
        known(value, what, catalogue, &device, &name, &given)?;
    }
    Ok((device, name, given))
}

/// Whether a device has such a command or setting, and takes such a value.
fn known(
    value: Value<'_>,
    what: &str,
    catalogue: &Catalogue,
    device: &str,
    name: &str,
    given: &str,
) -> Result<(), Told> {
    let list = if what == "command" { &catalogue.commands } else { &catalogue.settings };
    let Some((_, shape)) = list.iter().find(|(listed, _)| listed == name) else {
        let names = || list.iter().map(|(listed, _)| listed.as_str());
        let meant = match nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if list.is_empty() => "its catalogue lists none".to_owned(),
            None => format!("its catalogue lists {}", names().collect::<Vec<_>>().join(", ")),
        };
        return Err(value.says(format!("{device} has no {what} `{name}`: {meant}")));
    };
    match Values::encode_text(*shape, given, &mut [0; BODY_MAX]) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(value.says(format!("`{name}` of {device} wants {shape}, not \"{given}\": {error}")))
        }
    }
}

/// `"temperature"`, `"attic-6/temperature"`, or a list of such.
fn drives(value: Value<'_>) -> Result<Vec<Drive>, Told> {
    let expected = "a quantity, as in \"temperature\" or \"attic-6/temperature\", or a list of them";
    let items = if value.is.is_array() { value.items(expected)? } else { vec![value] };
    let drive = |item: Value<'_>| {
        let text = item.text(expected)?;
        let (device, quantity) = match text.split_once('/') {
            Some((device, quantity)) => (Some(device.to_owned()), quantity),
            None => (None, text),
        };
        Ok(Drive { device, quantity: quantity.to_owned(), line: item.line() })
    };
    let drives: Vec<Result<Drive, Told>> = items.into_iter().map(drive).collect();
    drives.into_iter().collect()
}
