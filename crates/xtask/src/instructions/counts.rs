//! What the benches counted, by the name of the measured function and by series.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;

/// Counts by function; a function has one for each series, in the order of the series.
pub struct Counts(BTreeMap<String, Vec<u64>>);

/// One function's instructions by another's.
pub struct Ratio {
    pub median: f64,
    pub worst: f64,
}

impl Counts {
    /// From the program's lines of JSON, one for each function and series.
    pub fn read(lines: &str) -> Result<Self> {
        let mut counts: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for line in lines.lines().filter(|line| line.starts_with('{')) {
            let bench: Value = serde_json::from_str(line).context("the benches' output is not JSON")?;
            let name = bench["function_name"].as_str().context("a bench without a name")?;
            let count = &bench["profiles"][0]["data"]["total"]["metrics"]["Ir"]["values"]["new"];
            let count = count.as_u64().with_context(|| format!("{name} has no count of instructions"))?;
            // What is measured is not empty, or the measured function is not the one that was meant.
            ensure!(count > 0, "{name} took no instructions; was it inlined?");
            counts.entry(name.to_owned()).or_default().push(count);
        }
        ensure!(!counts.is_empty(), "nothing was counted");
        Ok(Self(counts))
    }

    /// All functions.
    pub fn all(&self) -> impl Iterator<Item = (&String, &Vec<u64>)> {
        self.0.iter()
    }

    /// Those that measure this project's code.
    pub fn ours(&self) -> impl Iterator<Item = (&String, &Vec<u64>)> {
        self.all().filter(|(name, _)| name.ends_with("_sensock"))
    }

    /// Series by series.
    pub fn ratio(&self, ours: &str, peer: &str) -> Result<Ratio> {
        let series = |name: &str| self.0.get(name).with_context(|| format!("{name} was not counted"));
        let (ours, peers) = (series(ours)?, series(peer)?);
        ensure!(ours.len() == peers.len(), "{peer} has other series");
        let mut ratios: Vec<f64> = ours.iter().zip(peers).map(|(a, b)| *a as f64 / *b as f64).collect();
        ratios.sort_by(f64::total_cmp);
        let worst = ratios.last().copied().unwrap_or(f64::INFINITY);
        Ok(Ratio { median: ratios.get(ratios.len() / 2).copied().unwrap_or(f64::INFINITY), worst })
    }
}

/// The upper one, of an even number.
pub fn median(series: &[u64]) -> u64 {
    let mut sorted = series.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

/// The largest.
pub fn worst(series: &[u64]) -> u64 {
    series.iter().copied().max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, count: u64) -> String {
        let total = serde_json::json!({ "metrics": { "Ir": { "values": { "new": count, "old": 1 } } } });
        let bench =
            serde_json::json!({ "function_name": name, "profiles": [{ "data": { "total": total } }] });
        format!("{bench}\n")
    }

    #[test]
    fn the_worst_series_counts() {
        let text = [line("a_sensock", 110), line("a_sensock", 150), line("a", 100), line("a", 100)].concat();
        let counts = Counts::read(&text).unwrap();
        let ratio = counts.ratio("a_sensock", "a").unwrap();
        assert_eq!((ratio.median, ratio.worst), (1.5, 1.5));
        assert_eq!(counts.ours().count(), 1);
    }

    #[test]
    fn what_was_not_counted_is_an_error() {
        assert!(Counts::read("").is_err());
        assert!(Counts::read(&line("a", 0)).is_err());
        assert!(Counts::read("{\"function_name\":\"a\"}").is_err());
        assert!(Counts::read(&line("a", 1)).unwrap().ratio("a", "b").is_err());
    }
}
