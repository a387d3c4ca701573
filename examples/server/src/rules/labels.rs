//! What a person knows to have happened: spans of time against which alarms are held.
//!
//! A file of labels has a line `FROM..TO` for each. An end is a time (`2013-12-15 17:50`, UTC unless it says otherwise) or how
//! long after the first record it was (`11715 s`). `#` begins a comment. A JSON file is read too, if it lists pairs of times, as
//! those of the Numenta Anomaly Benchmark do under `anomaly_windows`.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::file::span_ms;
use super::trial::Raised;

/// From when to when something was, both inclusive, in ms of the records' time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) from_ms: u64,
    pub(crate) to_ms: u64,
}

/// What a label is worth, held against the alarms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// For each label the first alarm within it, by its place, and how long after the label's beginning it was raised.
    pub(crate) found: Vec<Option<(usize, u64)>>,
    /// Alarms that began outside of all labels, by their places.
    pub(crate) beside: Vec<usize>,
}

/// Reads a file of labels, of records of which the first was at `began_ms`.
pub(crate) fn read(path: &Path, began_ms: u64) -> Result<Vec<Label>> {
    let file = path.display();
    let text =
        std::fs::read_to_string(path).with_context(|| format!("{file}: cannot be read: check --labels"))?;
    let labels = if path.extension().is_some_and(|extension| extension == "json") {
        json(&text, began_ms)
    } else {
        lines(&text, began_ms)
    };
    labels.with_context(|| format!("{file}: these labels cannot be used"))
}

fn lines(text: &str, began_ms: u64) -> Result<Vec<Label>> {
    let mut labels = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let how = "write FROM..TO, as in 11715s..12300s or 2013-12-15 17:50..2013-12-17 17:00";
        let (from, to) = line.split_once("..").ok_or_else(|| anyhow!("line {number}: \"{line}\": {how}"))?;
        labels.push(label(from, to, began_ms).with_context(|| format!("line {number}: \"{line}\": {how}"))?);
    }
    Ok(labels)
}

fn json(text: &str, began_ms: u64) -> Result<Vec<Label>> {
    let value: serde_json::Value = serde_json::from_str(text)?;
    let list = value.get("anomaly_windows").unwrap_or(&value).as_array();
    let list = list.context("expected a list of [from, to], or one under \"anomaly_windows\"")?;
    let pair = |pair: &serde_json::Value| {
        let end = |at: usize| pair.get(at).and_then(serde_json::Value::as_str);
        let (from, to) =
            end(0).zip(end(1)).with_context(|| format!("{pair}: expected [from, to] as texts"))?;
        label(from, to, began_ms).with_context(|| format!("{pair}"))
    };
    list.iter().map(pair).collect()
}

fn label(from: &str, to: &str, began_ms: u64) -> Result<Label> {
    let (from_ms, to_ms) = (moment(from.trim(), began_ms), moment(to.trim(), began_ms));
    let label = Label { from_ms: from_ms.context("no time")?, to_ms: to_ms.context("no time")? };
    if label.from_ms > label.to_ms {
        bail!("it ends before it begins: swap the two");
    }
    Ok(label)
}

fn moment(text: &str, began_ms: u64) -> Option<u64> {
    if let Some(since) = span_ms(text) {
        return began_ms.checked_add(since);
    }
    let at = text.parse::<Timestamp>().ok().or_else(|| {
        let civil = text.parse::<DateTime>().ok()?;
        Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })?;
    u64::try_from(at.as_millisecond()).ok()
}

/// Holds alarms against labels.
pub(crate) fn judge(labels: &[Label], raised: &[Raised]) -> Verdict {
    let inside = |label: &Label, alarm: &Raised| (label.from_ms..=label.to_ms).contains(&alarm.began_ms);
    let first = |label: &Label| {
        let at = raised.iter().position(|alarm| inside(label, alarm))?;
        Some((at, raised.get(at)?.began_ms - label.from_ms))
    };
    let beside = |(_, alarm): &(usize, &Raised)| !labels.iter().any(|label| inside(label, alarm));
    Verdict {
        found: labels.iter().map(first).collect(),
        beside: raised.iter().enumerate().filter(beside).map(|(at, _)| at).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensock_rules::Level;

    #[test]
    fn labels_are_times_or_counted_from_the_first_record() {
        let text = "# a comment\n10s..2 min  # the kettle\n\n1970-01-02 00:00..1970-01-02T00:00:01Z\n";
        let labels =
            [(11_000, 121_000), (86_400_000, 86_401_000)].map(|(from_ms, to_ms)| Label { from_ms, to_ms });
        assert_eq!(lines(text, 1_000).unwrap(), labels);
        let text =
            "{\"anomaly_windows\": [[\"1970-01-02 00:00:00.000000\", \"1970-01-02 00:00:01.000000\"]]}";
        assert_eq!(json(text, 1_000).unwrap(), labels[1..]);
        let said = |text| format!("{:#}", lines(text, 0).unwrap_err());
        assert!(said("\n10s to 20s").starts_with("line 2: \"10s to 20s\": write FROM..TO"));
        assert!(said("20s..10s").ends_with("it ends before it begins: swap the two"));
    }

    #[test]
    fn an_alarm_is_found_missed_or_beside() {
        let raised =
            |began_ms| Raised { hazard: 0, began_ms, ended_ms: None, worst: Level::Warning, said: vec![] };
        let labels = [(10, 20), (40, 50), (60, 70)].map(|(from_ms, to_ms)| Label { from_ms, to_ms });
        let verdict = judge(&labels, &[raised(9), raised(20), raised(45), raised(46)]);
        assert_eq!(verdict, Verdict { found: vec![Some((1, 10)), Some((2, 5)), None], beside: vec![0] });
    }
}
