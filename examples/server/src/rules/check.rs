//! `sensockd rules check`: what was understood, as tables a person can read.

use std::io::{self, Write};

use sensock_rules::{Hazard, Level, Owner};

use super::act::webhook::Address;
use super::file::Loaded;
use super::words;
use super::zone::{Action, What};
use crate::show::terminal::table;

/// Writes what a zone is.
pub(crate) fn write(loaded: &Loaded, out: &mut impl Write) -> io::Result<()> {
    let (zone, compiled) = (&loaded.zone, &loaded.zone.table);
    let of = compiled.table();
    let lateness = super::words::span(u32::try_from(zone.lateness.as_millis()).unwrap_or(u32::MAX), 1);
    writeln!(out, "{}: zone {}, version {:016x}", loaded.file, zone.name, compiled.hash())?;
    writeln!(
        out,
        "devices {}; steps of {}, late records are waited for {lateness}; {}",
        zone.devices.join(", "),
        words::span(1, of.grid_ms),
        words::local(&of.calendar)
    )?;
    writeln!(out)?;
    rules(loaded, out)?;
    for (i, hazard) in of.hazards.iter().enumerate() {
        writeln!(out)?;
        matrix(loaded, hazard, out)?;
        for action in zone.actions.iter().filter(|action| action.hazard == i) {
            writeln!(out, "    {}", action_words(action))?;
        }
    }
    Ok(())
}

fn rules(loaded: &Loaded, out: &mut impl Write) -> io::Result<()> {
    let of = loaded.zone.table.table();
    let mut rows = vec![["RULE", "WARNING", "CRITICAL", "OF"].map(str::to_owned).to_vec()];
    for (rule, named) in of.rules.iter().zip(&loaded.rules) {
        let device =
            loaded.zone.devices.get(usize::from(rule.device)).map(String::as_str).unwrap_or_default();
        let mut judged = words::judged(rule, of.grid_ms, named.scale, &named.quantity, device);
        if rule.name != named.name {
            judged += &format!("; called {}", rule.name);
        }
        rows.push(vec![
            named.name.clone(),
            words::threshold(rule, of.grid_ms, Level::Warning),
            words::threshold(rule, of.grid_ms, Level::Critical),
            judged,
        ]);
    }
    let mut lines = table(&rows).into_iter();
    lines.next().map_or(Ok(()), |head| writeln!(out, "{head}"))?;
    for ((line, rule), named) in lines.zip(of.rules).zip(&loaded.rules) {
        writeln!(out, "{line}")?;
        let by = rule.veto.and_then(|veto| loaded.rules.get(usize::from(veto.rule)));
        let more = words::conditions(rule, of.grid_ms, named.scale, by.map(|by| by.name.as_str()));
        if !more.is_empty() {
            writeln!(out, "    {}", more.join("; "))?;
        }
    }
    Ok(())
}

/// Rows are rules, columns are levels and times, and the cells what they weigh.
fn matrix(loaded: &Loaded, hazard: &Hazard<'_>, out: &mut impl Write) -> io::Result<()> {
    let grid_ms = loaded.zone.table.table().grid_ms;
    let owner = match hazard.owner {
        Owner::Server => "the server acts",
        Owner::Device => "the device acts",
    };
    writeln!(
        out,
        "hazard {}: warning from {}, critical from {}, left {} below; {owner} on alarms of the last {}",
        hazard.name,
        words::score(hazard.warning.into()),
        words::score(hazard.critical.into()),
        words::score(hazard.hysteresis.into()),
        words::span(hazard.max_age_ms, 1)
    )?;
    let (mut columns, mut rows): (Vec<String>, Vec<u8>) = (Vec::new(), Vec::new());
    for cell in hazard.cells {
        let column = words::column(cell, grid_ms);
        if !columns.contains(&column) {
            columns.push(column);
        }
        if !rows.contains(&cell.rule) {
            rows.push(cell.rule);
        }
    }
    let mut lines = vec![[String::new()].into_iter().chain(columns.iter().cloned()).collect::<Vec<String>>()];
    for rule in rows {
        let name = loaded.rules.get(usize::from(rule)).map(|named| named.name.clone()).unwrap_or_default();
        let weight = |column: &String| {
            let cells = hazard.cells.iter();
            let here = cells.filter(|cell| cell.rule == rule && words::column(cell, grid_ms) == *column);
            here.map(|cell| words::score(cell.weight.into())).collect::<Vec<_>>().join(" + ")
        };
        lines.push([name].into_iter().chain(columns.iter().map(weight)).collect());
    }
    table(&lines).iter().try_for_each(|line| writeln!(out, "    {line}"))
}

/// What is done, in words.
fn action_words(action: &Action) -> String {
    let order = |kind, device: &String, name: &String, value: &String| {
        let value = if value.is_empty() { String::new() } else { format!(" {value}") };
        format!("{kind} {name}{value} for {device}")
    };
    let what = match &action.what {
        What::Command { device, name, value } => order("command", device, name, value),
        What::Setting { device, name, value } => order("setting", device, name, value),
        // An address may hold a token: only where it leads is shown.
        What::Webhook { url, ca } => {
            let signed = ca.as_ref().map(|ca| format!(", with a certificate that {} signed", ca.display()));
            format!("POST to {}{}", Address::words(url), signed.unwrap_or_default())
        }
        What::Program { path, arguments } => {
            format!("program {} {}", path.display(), arguments.join(" ")).trim_end().to_owned()
        }
    };
    let ms = |time: std::time::Duration| words::span(u32::try_from(time.as_millis()).unwrap_or(u32::MAX), 1);
    let often = if action.at_most_every.is_zero() {
        String::new()
    } else {
        format!(", at most every {}", ms(action.at_most_every))
    };
    format!("at {}: {what}, if not older than {}{often}", action.when.word(), ms(action.max_age))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::file::tests::loaded;

    #[test]
    fn a_person_reads_what_was_understood() {
        let siren = "\n[[action]]\nhazard = \"fire\"\nwhen = \"critical\"\n\
                     command = { device = \"siren-1\", name = \"relay\", value = true }\n";
        let mut out = Vec::new();
        write(&loaded("fire.toml", &(crate::rules::file::tests::shipped("fire.toml") + siren)), &mut out)
            .unwrap();
        let said = String::from_utf8(out).unwrap();
        println!("{said}");
        let plain = said.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        for expected in [
            "heat from 54 °C from 65 °C temperature of cellar-3; called temperature\n \
             counts after 10 s; left 3 °C back, after 1 min; a reading each 10 s, believed for 1 min; \
             can be -40 to 125 °C; not read while `battery` is critical\n",
            "drying down from -5 %RH/min",
            "hazard fire: warning from 0.50, critical from 0.80, left 0.10 below; the server acts on alarms of the last 1 min\n",
            "heat 0.30 0.30 0.20",
            " at critical: command relay true for siren-1, if not older than 1 min\n",
        ] {
            assert!(plain.contains(expected), "{expected}");
        }
    }

    #[test]
    fn no_secret_of_an_address_is_shown() {
        let hook = "\n[[action]]\nhazard = \"storm\"\nwhen = \"warning\"\nat-most-every = \"10 min\"\n\
                    webhook = \"https://example.org/alarm/s3cret?token=s3cret\"\nca = \"cellar-ca.pem\"\n";
        let loaded = loaded("storm.toml", &(crate::rules::file::tests::shipped("storm.toml") + hook));
        let mut out = Vec::new();
        write(&loaded, &mut out).unwrap();
        let said = String::from_utf8(out).unwrap();
        assert!(
            said.contains(
                "at warning: POST to https://example.org, with a certificate that cellar-ca.pem signed, if not older than 1 min, \
                 at most every 10 min"
            )
        );
        assert!(!said.contains("s3cret"));
    }
}
