//! The counts of an earlier commit, in a file of the repository.

use super::counts::Counts;
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// How much more than recorded is let pass: so many percent, and so many instructions, which matter where there are few.
const PERCENT: u64 = 2;
const FEW: u64 = 4;

const HEAD: &str = "\
# Instructions of this project's measured functions, one count for each series.
# Written by `cargo xtask instructions --bless`. Another compiler makes other counts: they hold for this one.
";

/// What the file says.
#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Baseline {
    pub compiler: String,
    pub counts: BTreeMap<String, Vec<u64>>,
}

impl Baseline {
    /// What was counted now, the peers' counts apart.
    pub fn of(counts: &Counts, compiler: &str) -> Self {
        let counts = counts.ours().map(|(name, series)| (name.clone(), series.clone())).collect();
        Self { compiler: compiler.into(), counts }
    }

    /// Reads the file; without one, nothing was recorded.
    pub fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(path)?;
        toml::from_str(&text).with_context(|| format!("{} cannot be read", path.display()))
    }

    /// Writes the file.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = format!("{HEAD}compiler = \"{}\"\n\n[counts]\n", self.compiler);
        for (name, series) in &self.counts {
            text += &format!("{name} = {series:?}\n");
        }
        fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
    }

    /// What grew beyond the tolerance, and what was not recorded, as sentences.
    pub fn compare(&self, counts: &Counts) -> Vec<String> {
        let mut broken = Vec::new();
        for (name, series) in counts.ours() {
            let Some(recorded) = self.counts.get(name).filter(|recorded| recorded.len() == series.len())
            else {
                broken.push(format!("{name} is not recorded; run cargo xtask instructions --bless"));
                continue;
            };
            let grown = series.iter().zip(recorded).find(|(now, then)| **now > allowed(**then));
            if let Some((now, then)) = grown {
                broken.push(format!(
                    "{name} takes {now} instructions, recorded are {then}; make it faster again, or bless it and say why"
                ));
            }
        }
        broken
    }
}

fn allowed(recorded: u64) -> u64 {
    recorded + (recorded * PERCENT / 100).max(FEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(count: u64) -> Counts {
        let line = format!(
            "{{\"function_name\":\"a_sensock\",\"profiles\":[{{\"data\":{{\"total\":{{\"metrics\":{{\"Ir\":{{\"values\":\
             {{\"new\":{count}}}}}}}}}}}}}]}}"
        );
        Counts::read(&line).unwrap()
    }

    #[test]
    fn growth_beyond_the_tolerance_is_told() {
        let baseline = Baseline::of(&counts(1_000), "rustc");
        assert!(baseline.compare(&counts(1_020)).is_empty());
        assert!(baseline.compare(&counts(900)).is_empty());
        assert_eq!(baseline.compare(&counts(1_021)).len(), 1);
    }

    #[test]
    fn a_count_that_nobody_recorded_is_told() {
        assert_eq!(Baseline::default().compare(&counts(1)).len(), 1);
    }

    #[test]
    fn the_file_says_what_was_written() {
        let baseline = Baseline::of(&counts(7), "rustc 1.0");
        let path = std::env::temp_dir().join(format!("sensock-instructions-{}.toml", std::process::id()));
        baseline.write(&path).unwrap();
        let again = Baseline::read(&path);
        fs::remove_file(&path).unwrap();
        assert_eq!(again.unwrap(), baseline);
    }
}
