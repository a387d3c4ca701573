//! What the firmware's sensor measures: rows of a real recording, read here from its file and not from the firmware's table.

use anyhow::{Context as _, Result};
use flate2::read::GzDecoder;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

/// How many rows the firmware replays before it begins anew.
pub const ROWS: usize = 720;

/// Hundredths of a degree Celsius and of a percent relative humidity, row by row.
///
/// # Errors
/// When the recording, which is part of the repository, cannot be read.
pub fn rows() -> Result<Vec<(i32, i32)>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/occupancy/datatest.txt.gz");
    let file = File::open(&path).with_context(|| path.display().to_string())?;
    let lines = BufReader::new(GzDecoder::new(file)).lines().skip(1).take(ROWS);
    let rows: Vec<(i32, i32)> = lines.map(|line| row(&line?)).collect::<Result<_>>()?;
    anyhow::ensure!(rows.len() == ROWS, "{} has {} rows, expected {ROWS}", path.display(), rows.len());
    Ok(rows)
}

/// Row number, date, temperature, humidity, and what is not used here.
fn row(line: &str) -> Result<(i32, i32)> {
    let field = |n: usize| line.split(',').nth(n).and_then(hundredths);
    field(2).zip(field(3)).with_context(|| format!("no temperature and humidity in {line:?}"))
}

/// A positive decimal number, rounded to hundredths by its digits.
fn hundredths(text: &str) -> Option<i32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digit = |n: usize| fraction.chars().nth(n).map_or(Some(0), |c| c.to_digit(10)?.try_into().ok());
    let rounded = i32::from(digit(2)? >= 5);
    Some(whole.parse::<i32>().ok()? * 100 + digit(0)? * 10 + digit(1)? + rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_hundredths() {
        assert_eq!(
            [hundredths("23.7"), hundredths("26.272"), hundredths("21")],
            [Some(2370), Some(2627), Some(2100)]
        );
        assert_eq!([hundredths("26.275"), hundredths("x"), hundredths("1.x")], [Some(2628), None, None]);
    }

    #[test]
    fn the_recording_is_there() {
        assert_eq!(rows().unwrap()[0], (2370, 2627));
    }
}
