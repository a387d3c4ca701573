//! `sensockd rules backtest`: what a zone would have said of recordings or of what is stored, and how that compares with what is
//! known to have happened.

use std::io::{self, Write};

use sensock_rules::Level;

use super::file::Loaded;
use super::labels::{self, Label};
use super::trial::{Raised, Trial};
use crate::show::terminal::table;
use crate::show::time::{Times, lasting};
use crate::show::words::count;

/// How times are written.
pub(crate) enum Clock {
    /// With their date.
    Dated(Times),
    /// As the time since the first record, which was at so many ms.
    Since(u64),
}

impl Clock {
    pub(crate) fn at(&self, ms: u64) -> String {
        match self {
            Self::Dated(times) => times.stamp(us(ms)),
            Self::Since(began) => {
                let ms = ms.saturating_sub(*began);
                let (hours, rest) = (ms / 3_600_000, ms % 3_600_000);
                let (minutes, seconds) = (rest / 60_000, rest % 60_000);
                let fraction =
                    if seconds % 1_000 == 0 { String::new() } else { format!(".{:03}", seconds % 1_000) };
                format!("+{hours}:{minutes:02}:{:02}{fraction}", seconds / 1_000)
            }
        }
    }
}

/// What was counted against the labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) found: usize,
    pub(crate) missed: usize,
    /// Alarms beside every label.
    pub(crate) beside: usize,
    /// The longest time from the beginning of a label to its alarm.
    pub(crate) slowest_ms: u64,
}

/// Writes all alarms of a trial, and what they are worth against labels.
pub(crate) fn write(
    loaded: &Loaded,
    trial: &Trial<'_>,
    clock: &Clock,
    labels: Option<&[Label]>,
    out: &mut impl Write,
) -> io::Result<Tally> {
    let raised = trial.raised();
    writeln!(out, "{} judged, {}", count(trial.records(), "record"), count(raised.len() as u64, "alarm"))?;
    if trial.late() > 0 {
        writeln!(out, "{} came too late or had no room to wait in", count(trial.late(), "record"))?;
    }
    for alarm in raised {
        writeln!(out, "{}", headline(loaded, alarm, clock))?;
        for (at_ms, level, words) in &alarm.said {
            writeln!(out, "    {}  {:<8}  {words}", clock.at(*at_ms), word(*level))?;
        }
    }
    match labels {
        Some(labels) => against(loaded, raised, clock, labels, out),
        None => Ok(Tally::default()),
    }
}

/// What a level is called where a hazard is over.
pub(crate) fn word(level: Level) -> &'static str {
    if level < Level::Warning { "over" } else { level.word() }
}

fn headline(loaded: &Loaded, alarm: &Raised, clock: &Clock) -> String {
    let lasted = match alarm.ended_ms {
        Some(ended) => format!("for {}", lasting(us(ended.saturating_sub(alarm.began_ms)))),
        None => "not over".to_owned(),
    };
    format!("{}  {} {}, {lasted}", clock.at(alarm.began_ms), name(loaded, alarm), alarm.worst)
}

fn name<'l>(loaded: &'l Loaded, alarm: &Raised) -> &'l str {
    loaded.zone.table.table().hazards.get(alarm.hazard).map(|hazard| hazard.name).unwrap_or_default()
}

fn against(
    loaded: &Loaded,
    raised: &[Raised],
    clock: &Clock,
    labels: &[Label],
    out: &mut impl Write,
) -> io::Result<Tally> {
    let verdict = labels::judge(labels, raised);
    let mut rows = vec![["LABEL", "", "DELAY", "ALARM"].map(str::to_owned).to_vec()];
    let mut tally = Tally { beside: verdict.beside.len(), ..Tally::default() };
    for (label, found) in labels.iter().zip(&verdict.found) {
        let span = format!("{} to {}", clock.at(label.from_ms), clock.at(label.to_ms));
        let alarm = found.and_then(|(at, delay)| Some((raised.get(at)?, delay)));
        rows.push(match alarm {
            Some((alarm, delay)) => {
                tally.found += 1;
                tally.slowest_ms = tally.slowest_ms.max(delay);
                let said = format!("{} {}", name(loaded, alarm), alarm.worst);
                vec![span, "found".to_owned(), lasting(us(delay)), said]
            }
            None => {
                tally.missed += 1;
                vec![span, "MISSED".to_owned()]
            }
        });
    }
    for alarm in verdict.beside.iter().filter_map(|at| raised.get(*at)) {
        let said = format!("{} {}", name(loaded, alarm), alarm.worst);
        rows.push(vec![clock.at(alarm.began_ms), "FALSE".to_owned(), String::new(), said]);
    }
    if rows.len() > 1 {
        table(&rows).iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    let Tally { found, missed, beside, slowest_ms } = tally;
    let within = if found > 0 { format!(" within {}", lasting(us(slowest_ms))) } else { String::new() };
    writeln!(out, "found {found} of {}{within}, missed {missed}, false {beside}", labels.len())?;
    Ok(tally)
}

fn us(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::file::tests::{loaded, shipped};
    use crate::rules::recorded::{Recorded, play};
    use std::path::Path;

    /// What a table says of a mote's recording, against its labelled readings: one each 5 s, numbered from 1.
    fn mote(text: &str, file: &str, readings: Option<(u64, u64)>) -> (Tally, String) {
        let loaded = loaded("motes.toml", text);
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/suthaharan-wsn").join(file);
        let recordings = [Recorded::open(&data, &loaded, None).unwrap()];
        let recorded = &recordings[0];
        assert!(!recorded.is_dated(), "its rows are only counted");
        let mut trial = Trial::new(&loaded.zone).unwrap();
        play(&recordings, &mut trial);
        trial.finish(recorded.ended_ms());
        let at = |reading: u64| recorded.began_ms + (reading - 1) * 5_000;
        let labels: Vec<Label> =
            readings.into_iter().map(|(from, to)| Label { from_ms: at(from), to_ms: at(to) }).collect();
        let mut out = Vec::new();
        let tally =
            write(&loaded, &trial, &Clock::Since(recorded.began_ms), Some(&labels), &mut out).unwrap();
        let said = String::from_utf8(out).unwrap();
        println!("{file}\n{said}");
        assert_eq!(trial.late(), 0);
        (tally, said)
    }

    #[test]
    fn both_events_of_the_motes_are_found_within_a_minute_and_nothing_else() {
        let file = shipped("motes.toml");
        // Each place with the numbers that were chosen on the other one.
        let outdoors = file.replace("8 dev", "12 dev").replace("16 dev", "24 dev").replace("= 4\n", "= 6\n");
        let outdoors = outdoors.replace("hold = \"10 s\"", "hold = \"30 s\"");
        assert_ne!(file, outdoors);
        for (text, mote_file, event) in [
            (&file, "singlehop-indoor-moteid1-data.txt", Some((2344, 2460))),
            (&file, "singlehop-indoor-moteid2-data.txt", None),
            (&outdoors, "singlehop-outdoor-moteid3-data.txt", None),
            (&outdoors, "singlehop-outdoor-moteid4-data.txt", Some((2362, 2393))),
        ] {
            let (tally, said) = mote(text, mote_file, event);
            assert_eq!((tally.found, tally.missed, tally.beside), (event.iter().len(), 0, 0), "{mote_file}");
            assert!(tally.slowest_ms <= 60_000, "{mote_file}: {} ms", tally.slowest_ms);
            assert_eq!(said.contains("deviations from the usual"), event.is_some());
        }
    }

    #[test]
    fn the_machine_s_windows_are_found_and_nothing_else() {
        let loaded = loaded("machine.toml", &shipped("machine.toml"));
        let data =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/nab/machine_temperature_system_failure");
        let recorded = Recorded::open(&data.with_extension("csv.gz"), &loaded, None).unwrap();
        let labels = labels::read(&data.with_extension("labels.json"), recorded.began_ms).unwrap();
        let mut trial = Trial::new(&loaded.zone).unwrap();
        let ended_ms = recorded.ended_ms();
        play(&[recorded], &mut trial);
        trial.finish(ended_ms);
        let mut out = Vec::new();
        let tally = write(&loaded, &trial, &Clock::Dated(Times::utc()), Some(&labels), &mut out).unwrap();
        let said = String::from_utf8(out).unwrap();
        println!("{said}");
        assert!(tally.found >= 3 && tally.beside <= 3 && tally.found + tally.missed == 4);
        assert!(said.contains("2013-12-10 06:25:00 to 2013-12-12 05:35:00  found"));
    }
}
