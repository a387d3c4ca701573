//! The demo's rules: a file as a person writes it, judged while the recordings are replayed, and what came of it.

use anyhow::{Context as _, Result};
use sqlx::{Row as _, SqliteConnection};

use super::fleet::Board;
use super::screen::Screen;
use crate::rules::file::{Catalogue, Catalogues, Listed, parse};
use crate::rules::zone::Zone;
use crate::show::words::count;

/// The rules, as they lie in the repository.
const FILE: (&str, &str) = ("demo.toml", include_str!("../../rules/demo.toml"));

/// The zones that they make, with the quantities that the boards state.
pub(super) fn zones(boards: &[Board]) -> Result<Vec<Zone>> {
    let mut catalogues = Catalogues::default();
    for board in boards {
        let listed = board.catalog.quantities.iter().map(|quantity| Listed {
            id: quantity.id,
            name: quantity.name.to_owned(),
            unit: quantity.unit.to_owned(),
            scale: quantity.scale,
            interval_ms: quantity.interval_ms,
        });
        let commands = board.catalog.commands.iter().map(|one| (one.name.to_owned(), one.request));
        let settings = board.catalog.settings.iter().map(|one| (one.name.to_owned(), one.shape));
        let of = Catalogue {
            quantities: listed.collect(),
            commands: commands.collect(),
            settings: settings.collect(),
        };
        catalogues.devices.push(board.name.to_owned());
        catalogues.of.insert(board.name.to_owned(), of);
    }
    let loaded = parse(&[FILE], &catalogues).context("the demo's rules")?;
    Ok(loaded.into_iter().map(|loaded| loaded.zone).collect())
}

/// How many commands the rules send: the relay closes and opens.
pub(super) const COMMANDS: u64 = 2;

/// What is stored of alarms and of what they moved; whether the one that the recording holds was raised, acted on, and is over.
pub(super) async fn verify(file: &mut SqliteConnection, screen: &Screen) -> Result<bool> {
    let sql = "SELECT words, worst, ended_us IS NOT NULL AND withdrawn_us IS NULL, (ended_us - began_us) / 1e6, alarm_key FROM alarm \
               ORDER BY began_us";
    let alarms = sqlx::query(sql).fetch_all(&mut *file).await?;
    screen.print(&format!("  alarms         {:>9}  raised by the rules, see {}", alarms.len(), FILE.0));
    let mut is_right = alarms.len() == 1;
    for alarm in &alarms {
        let (words, worst, over): (String, String, bool) =
            (alarm.try_get(0)?, alarm.try_get(1)?, alarm.try_get(2)?);
        let seconds: Option<f64> = alarm.try_get(3)?;
        let end = seconds.map_or("not over".to_owned(), |seconds| format!("over after {seconds:.1} s"));
        screen.print(&format!("                            {words}; {end}"));
        let sql =
            "SELECT what, state, detail FROM alarm_action WHERE alarm_key = ? ORDER BY decided_us, action";
        let done = sqlx::query(sql).bind(alarm.try_get::<String, _>(4)?).fetch_all(&mut *file).await?;
        for row in &done {
            let (what, state, detail): (String, String, String) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            screen.print(&format!("                            {what}: {state}: {detail}"));
            is_right &= state == "done";
        }
        is_right &= over && worst == "critical" && done.len() as u64 == COMMANDS;
    }
    if !is_right {
        let expected = count(COMMANDS, "command");
        screen.print(&format!("                            expected: one that is critical, moves a relay by {expected}, and is over"));
    }
    Ok(is_right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::fleet;

    #[test]
    fn the_demos_rules_are_understood() {
        let zones = zones(&fleet::boards().unwrap()).unwrap();
        assert_eq!(
            (zones.len(), zones[0].name.as_str(), zones[0].actions.len() as u64),
            (1, "demo", COMMANDS)
        );
    }
}
