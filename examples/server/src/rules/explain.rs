//! `sensockd rules explain`: why a hazard was raised at a time, or why not: each cell of its matrix as it stood.

use std::io::{self, Write};

use sensock_rules::{Judged, Level, Over, Rule, Signal, Slot};

use super::backtest::{Clock, word};
use super::file::Loaded;
use super::trial::{Seen, Trial};
use super::words;
use crate::show::terminal::table;
use crate::show::time::lasting;
use crate::show::words::count;

/// Writes how a hazard stood at the time that a trial has come to.
pub(crate) fn write(
    loaded: &Loaded,
    trial: &Trial<'_>,
    hazard: usize,
    at_ms: u64,
    clock: &Clock,
    out: &mut impl Write,
) -> io::Result<()> {
    let (engine, of) = (trial.engine(), loaded.zone.table.table());
    let (Some(stated), Some(danger)) = (of.hazards.get(hazard), engine.hazards().get(hazard)) else {
        return writeln!(out, "there is no such hazard");
    };
    let raised = || trial.raised().iter().filter(|raised| raised.hazard == hazard);
    let open = raised().rfind(|raised| raised.ended_ms.is_none());
    let since = open.map(|raised| format!(", raised at {}", clock.at(raised.began_ms))).unwrap_or_default();
    writeln!(out, "{} at {}: {}{since}", stated.name, clock.at(at_ms), danger.level())?;
    let mut rows = vec![["RULE", "CELL", "WEIGHT", "COUNTS", "WHY"].map(str::to_owned).to_vec()];
    for judged in engine.cells(hazard) {
        let place = usize::from(judged.cell.rule);
        let name = loaded.rules.get(place).map(|named| named.name.clone()).unwrap_or_default();
        let seen = trial.seen().get(place).copied().flatten();
        let weight = words::score(judged.cell.weight.into());
        let counts = if judged.holds { weight.clone() } else { "-".to_owned() };
        let why = why(loaded, &judged, seen, at_ms, clock)
            + &lacking(judged.row.level(), judged.rule, engine.baseline(place));
        rows.push(vec![name, words::column(judged.cell, of.grid_ms), weight, counts, why]);
    }
    table(&rows).iter().try_for_each(|line| writeln!(out, "  {line}"))?;
    let score = i32::from(engine.score(hazard).unwrap_or(0));
    writeln!(out, "  score {}: {}", words::score(score), verdict(stated, danger.level(), score))?;
    let last = open.or_else(|| raised().next_back());
    match last {
        Some(last) => {
            writeln!(
                out,
                "what it said {}:",
                if open.is_some() { "since it was raised" } else { "when it was raised last" }
            )?;
            for (at_ms, level, words) in &last.said {
                writeln!(out, "  {}  {:<8}  {words}", clock.at(*at_ms), word(*level))?;
            }
            Ok(())
        }
        None => {
            writeln!(out, "it was not raised in the {} that were judged", count(trial.records(), "record"))
        }
    }
}

/// What a score means, coming from a level.
fn verdict(hazard: &sensock_rules::Hazard<'_>, level: Level, score: i32) -> String {
    let score_of = |threshold: u8| words::score(threshold.into());
    let (warning, critical) = (i32::from(hazard.warning), i32::from(hazard.critical));
    if score >= critical {
        format!("critical from {} on", score_of(hazard.critical))
    } else if level >= Level::Critical {
        let left = hazard.critical.saturating_sub(hazard.hysteresis);
        format!(
            "critical from {} on, and left only below {}, lost readings counting as they were",
            score_of(hazard.critical),
            score_of(left)
        )
    } else if score >= warning {
        let missing = words::score(critical - score);
        format!("a warning from {} on; {missing} missing to critical", score_of(hazard.warning))
    } else if level >= Level::Warning {
        let left = hazard.warning.saturating_sub(hazard.hysteresis);
        format!(
            "a warning from {} on, and left only below {}, lost readings counting as they were",
            score_of(hazard.warning),
            score_of(left)
        )
    } else {
        format!(
            "{} missing to a warning, which is from {} on",
            words::score(warning - score),
            score_of(hazard.warning)
        )
    }
}

/// Why a cell holds or not.
fn why(loaded: &Loaded, judged: &Judged<'_>, seen: Option<Seen>, at_ms: u64, clock: &Clock) -> String {
    let grid_ms = loaded.zone.table.table().grid_ms;
    let (rule, level) = (judged.rule, judged.row.level());
    let steps = |steps: u32| lasting(i64::from(steps) * i64::from(grid_ms) * 1_000);
    let reading = reading(loaded, judged, seen, at_ms, clock);
    if judged.vetoed {
        let by = rule.veto.and_then(|veto| Some((loaded.rules.get(usize::from(veto.rule))?, veto.at)));
        let by = by.map(|(by, at)| format!("`{}` is {at}", by.name)).unwrap_or_default();
        return format!("vetoed, for {by}; {reading}");
    }
    if level == Level::Unknown && !matches!(rule.signal, Signal::Silence) {
        let kept = if judged.kept { "; it held when they stopped, which keeps an alarm" } else { "" };
        return format!("unknown: {reading}{kept}");
    }
    let at = judged.cell.at;
    let threshold = words::threshold(rule, grid_ms, at);
    match (judged.lasted, judged.ago, judged.cell.over) {
        (Some(lasted), _, Over::Lasting(needed)) if lasted < needed => {
            format!("{reading}; {at} for {}, {} too short", steps(lasted), steps(needed - lasted))
        }
        (Some(lasted), ..) if level == at => format!("{reading}; {at} for {}", steps(lasted)),
        (Some(lasted), ..) => format!("{reading}; {level}, {at} or worse for {}", steps(lasted)),
        (None, Some(ago), Over::Within(within)) if ago <= within => {
            format!("{reading}; {at} until {} ago", steps(ago))
        }
        (None, Some(ago), _) => {
            format!("{reading}; {level}, {at} would be {threshold}; it was {} ago", steps(ago))
        }
        (None, None, _) => {
            format!("{reading}; {level}, {at} would be {threshold}{}", held_back(judged, grid_ms))
        }
    }
}

/// What a baseline still lacks, where nothing is known for that reason.
fn lacking(level: Level, rule: &Rule<'_>, baseline: Option<Slot>) -> String {
    let (needed, what) = match &rule.signal {
        Signal::Daily(daily) => (daily.needed, "past days of this hour"),
        Signal::Season(season) => (season.needed, "past years of this month"),
        _ => return String::new(),
    };
    match baseline {
        Some(Slot { learned, .. }) if level == Level::Unknown && learned < needed => {
            format!("; no baseline, {learned} of the {needed} {what} are known")
        }
        _ => String::new(),
    }
}

/// What the rule judged last, and when.
fn reading(loaded: &Loaded, judged: &Judged<'_>, seen: Option<Seen>, at_ms: u64, clock: &Clock) -> String {
    let grid_ms = loaded.zone.table.table().grid_ms;
    let place = usize::from(judged.cell.rule);
    let scale = loaded.rules.get(place).map_or(0, |named| named.scale);
    let Some(seen) = seen else { return "no reading".to_owned() };
    let when = match at_ms.saturating_sub(seen.at_ms) {
        0 => String::new(),
        ago => format!(" {} before", lasting(i64::try_from(ago).unwrap_or(i64::MAX / 1_000) * 1_000)),
    };
    let rule = judged.rule;
    if matches!(rule.signal, Signal::Silence) {
        return format!("last reading at {}", clock.at(seen.at_ms));
    }
    let value = match seen.value {
        None => format!("a fault{when}"),
        Some(value) if !(rule.least..=rule.most).contains(&value) => {
            format!("{}{when}, which cannot be", words::value(rule, scale, value))
        }
        Some(value) => format!("{}{when}", words::value(rule, scale, value)),
    };
    let plain = matches!(rule.signal, Signal::Value);
    if plain || judged.row.level() == Level::Unknown {
        value
    } else {
        format!("{} ({value})", words::signal(rule, grid_ms, judged.row.number()))
    }
}

/// A threshold that is passed, but has not been for long enough.
fn held_back(judged: &Judged<'_>, grid_ms: u32) -> String {
    let (levels, row) = (&judged.rule.levels, judged.row);
    let reached = levels.reach(row.level(), row.number());
    if reached >= judged.cell.at && levels.hold > 0 {
        format!("; passed, but not yet for {}", words::span(levels.hold, grid_ms))
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::tests::{SECOND, reading, two_o_clock};
    use crate::rules::file::tests::loaded;
    use crate::rules::past;
    use crate::show::time::Times;
    use sensock::Lane;
    use sensock_store::*;

    const RULES: &str = r#"
        devices = ["cellar-3"]
        quantity.temperature = { id = 1, unit = "°C", scale = -2, every = "10 s", plausible = [-40, 125] }
        quantity.humidity = { id = 2, unit = "%RH", scale = -1, every = "10 s" }
        [[rule]]
        name = "heat"
        quantity = "temperature"
        above = { warning = 54, critical = 65 }
        [[rule]]
        name = "drying"
        quantity = "humidity"
        signal = "rate"
        over = "60 s"
        below = { warning = "-5 %RH/min", critical = "-10 %RH/min" }
        [[hazard]]
        name = "fire"
        cells = [
            { rule = "heat", at = "warning", weight = 0.3 },
            { rule = "heat", at = "critical", weight = 0.3 },
            { rule = "heat", at = "critical", lasting = "60 s", weight = 0.2 },
            { rule = "drying", at = "critical", within = "60 s", weight = 0.2 },
        ]
    "#;

    /// A store in which the cellar is at 21 °C for five minutes and then at 71 °C for as many records as said.
    async fn burning(hot: u32) -> MemoryStore {
        let store = crate::database::tests::cellar().await;
        let at = |n: u32| two_o_clock() + i64::from(n) * 10 * SECOND;
        let record = |n: u32| {
            let temperature = if n < 40 { 2_100 } else { 7_100 };
            [reading(n, 1, temperature, at(n)), reading(n, 2, 567, at(n))]
        };
        let readings = (10..40 + hot).flat_map(record).collect();
        let device = sensock::DeviceId::new("cellar-3").unwrap();
        let (mut tx, _) = store.begin(&[LaneId { device, lane: Lane::Readings }]).await.unwrap();
        tx.write(&Batch { readings, ..Batch::default() }).await.unwrap();
        tx.commit().await.unwrap();
        store
    }

    async fn said(store: &MemoryStore, at_s: i64) -> String {
        said_of(store, RULES, at_s).await
    }

    async fn said_of(store: &MemoryStore, rules: &str, at_s: i64) -> String {
        let loaded = loaded("cellar.toml", rules);
        let to_us = two_o_clock() + at_s * SECOND;
        let span = Span { from_us: two_o_clock() - 86_400 * SECOND, to_us };
        let mut trial = Trial::new(&loaded.zone).unwrap();
        let met = past::play(store, &loaded, span, &mut trial).await.unwrap();
        assert_eq!((met.unknown.len(), met.vague, met.other_scale), (0, 0, vec![0, 0]));
        let at_ms = u64::try_from(to_us / 1_000).unwrap();
        let mut out = Vec::new();
        write(&loaded, &trial, 0, at_ms, &Clock::Dated(Times::utc()), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        println!("{text}");
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
    }

    #[tokio::test]
    async fn each_cell_says_why_it_counts_or_not() {
        let store = burning(5).await;
        let text = said(&store, 445).await;
        for expected in [
            "fire at 2026-11-21 02:07:25: warning, raised at 2026-11-21 02:06:40\n",
            "heat warning 0.30 0.30 71 °C 5.0 s before; critical, warning or worse for 45 s\n",
            "heat critical for 1 min 0.20 - 71 °C 5.0 s before; critical for 45 s, 15 s too short\n",
            "drying critical within 1 min 0.20 - 0 %RH/min (56.7 %RH 5.0 s before); normal, critical would be down from -10 %RH/min\n",
            "score 0.60: a warning from 0.50 on; 0.20 missing to critical\n",
            "2026-11-21 02:06:40 warning fire 0.60: heat critical\n",
        ] {
            assert!(text.contains(expected), "{expected}");
        }
    }

    #[tokio::test]
    async fn a_fire_that_was_not_told_says_what_was_missing() {
        let store = burning(0).await;
        let text = said(&store, 395).await;
        assert!(text.contains("fire at 2026-11-21 02:06:35: normal\n"));
        assert!(
            text.contains("heat critical 0.30 - 21 °C 5.0 s before; normal, critical would be from 65 °C\n")
        );
        assert!(text.contains("score 0.00: 0.50 missing to a warning, which is from 0.50 on\n"));
        assert!(text.contains("it was not raised in the 40 records that were judged\n"));
        let text = said(&store, 600).await;
        assert!(text.contains("heat warning 0.30 - unknown: 21 °C 3 min 29 s before\n"));
    }

    #[tokio::test]
    async fn a_month_without_a_baseline_says_what_it_lacks() {
        let store = burning(0).await;
        let season = "signal = \"season\"\nleast = 0.5\nneeded = 2\nabove = { warning = 4, critical = 6 }";
        let rules = RULES.replace("above = { warning = 54, critical = 65 }", season);
        let text = said_of(&store, &rules, 395).await;
        let expected = "heat critical 0.30 - unknown: 21 °C 5.0 s before; no baseline, 0 of the 2 past years of this month are known\n";
        assert!(text.contains(expected));
    }

    #[tokio::test]
    async fn a_device_that_the_store_does_not_know_names_the_nearest() {
        let store = crate::database::tests::cellar().await;
        let loaded = loaded("cellar.toml", &RULES.replace("cellar-3", "celar-3"));
        let mut trial = Trial::new(&loaded.zone).unwrap();
        let span = Span { from_us: 0, to_us: 1 };
        let error = past::play(&store, &loaded, span, &mut trial).await.unwrap_err().to_string();
        assert_eq!(
            error,
            "the store knows none of the devices of cellar.toml (celar-3): did you mean cellar-3?"
        );
    }
}
