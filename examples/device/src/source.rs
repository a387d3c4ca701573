//! What a simulated device measures, and when.

use std::fmt;
use std::time::Duration;

use sensock::Reading;

use crate::replay::{Recording, Row};
use crate::synthetic::Synthetic;

/// Where readings come from: a recording, or a made-up room.
#[derive(Debug)]
pub struct Source(Kind);

#[derive(Debug)]
enum Kind {
    Synthetic { room: Synthetic, every: Duration },
    Replay(Replay),
}

/// A record to make, after a pause.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The pause since the sample before.
    pub after: Duration,
    /// What is measured.
    pub readings: Vec<Reading>,
}

impl Source {
    /// Made-up readings without end, one record every `every`.
    pub fn synthetic(seed: u64, every: Duration) -> Self {
        Self(Kind::Synthetic { room: Synthetic::new(seed), every })
    }

    /// A recording, once, its pauses divided by `speed`.
    pub fn replay(recording: &'static Recording, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self(Kind::Replay(Replay { rows: Box::new(recording.rows()), last_ms: None, speed, at_least_ms: 0 }))
    }

    /// The next record; `None` at the end of a recording.
    pub fn next_sample(&mut self) -> Option<Sample> {
        match &mut self.0 {
            Kind::Synthetic { room, every } => {
                Some(Sample { after: *every, readings: room.sample().to_vec() })
            }
            Kind::Replay(replay) => replay.next_sample(),
        }
    }

    /// The operator wants a record every `seconds`. A recording cannot be denser than it is: its rows are thinned out.
    pub fn set_interval(&mut self, seconds: u32) {
        match &mut self.0 {
            Kind::Synthetic { every, .. } => *every = Duration::from_secs(seconds.into()),
            Kind::Replay(replay) => replay.at_least_ms = u64::from(seconds) * 1_000,
        }
    }
}

struct Replay {
    rows: Box<dyn Iterator<Item = Row<'static>>>,
    last_ms: Option<u64>,
    speed: f64,
    /// Recorded milliseconds that must lie between two records.
    at_least_ms: u64,
}

impl Replay {
    fn next_sample(&mut self) -> Option<Sample> {
        let earliest = self.last_ms.map_or(0, |last| last.saturating_add(self.at_least_ms));
        let row = self.rows.find(|row| row.at_ms >= earliest)?;
        let recorded = self.last_ms.map_or(0, |last| row.at_ms - last);
        self.last_ms = Some(row.at_ms);
        let after = Duration::try_from_secs_f64(recorded as f64 / 1_000.0 / self.speed);
        Some(Sample { after: after.unwrap_or(Duration::MAX), readings: row.readings().collect() })
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("last_ms", &self.last_ms)
            .field("speed", &self.speed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sensock::batch::Cell;

    fn replay(speed: f64) -> Source {
        let text = "time,water\n100,1\n110,2\n130,3\n131,4\n190,5\n";
        Source::replay(Box::leak(Box::new(Recording::read("water.csv", text.as_bytes()).unwrap())), speed)
    }

    fn pauses(mut source: Source) -> Vec<u128> {
        std::iter::from_fn(|| source.next_sample()).map(|sample| sample.after.as_millis()).collect()
    }

    #[test]
    fn speed_divides_the_pauses_and_nothing_else() {
        assert_eq!(pauses(replay(1.0)), [0, 10_000, 20_000, 1_000, 59_000]);
        assert_eq!(pauses(replay(100.0)), [0, 100, 200, 10, 590]);
        let mut source = replay(100.0);
        let values = std::iter::from_fn(|| source.next_sample()).map(|sample| sample.readings[0].cell);
        assert_eq!(values.collect::<Vec<_>>(), (1..=5).map(Cell::Value).collect::<Vec<_>>());
    }

    #[test]
    fn an_interval_thins_a_recording_out_and_paces_a_made_up_room() {
        let mut source = replay(1.0);
        source.set_interval(30);
        assert_eq!(pauses(source), [0, 30_000, 60_000]);
        let mut room = Source::synthetic(1, Duration::from_millis(5));
        assert_eq!(room.next_sample().unwrap().after, Duration::from_millis(5));
        room.set_interval(2);
        assert_eq!(room.next_sample().unwrap().after, Duration::from_secs(2));
    }
}
