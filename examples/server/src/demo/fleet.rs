//! The simulated devices: which recording each replays, and how fast.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use catalog::{HUMIDITY, INTERVAL, RELAY, TEMPERATURE};
use example_device::replay::Recording;
use example_device::synthetic::Synthetic;
use sensock::{Catalog, Reading};

/// The bundled recordings: name and content.
const RECORDINGS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/recordings.rs"));

/// How long the devices measure.
pub(crate) const PLAY: Duration = Duration::from_secs(34);
/// Records that a device makes in that time, if nobody changes its interval.
const PACE: u64 = 2_600;
/// Records that a device has, at most: some left for a shorter interval.
const ROWS: usize = 4_200;

/// The recording in which something happens begins so many records later, so that it happens in the middle.
const SKIPPED: (&str, usize) = ("mote-1", 1_300);

/// Name, recording, and whether the board remembers how often it booted.
const BOARDS: [(&str, &str, bool); 9] = [
    ("office", "occupancy/datatraining.txt.gz", true),
    ("street", "air-quality/AirQuality.csv.gz", true),
    ("mote-1", "suthaharan-wsn/singlehop-indoor-moteid1-data.txt", false),
    ("mote-2", "suthaharan-wsn/singlehop-indoor-moteid2-data.txt", false),
    ("mote-3", "suthaharan-wsn/singlehop-outdoor-moteid3-data.txt", false),
    ("mote-4", "suthaharan-wsn/singlehop-outdoor-moteid4-data.txt", false),
    ("machine", "nab/machine_temperature_system_failure.csv.gz", true),
    ("water", "ampds-meters/Water_WHW-1.csv.gz", true),
    ("gas", "ampds-meters/NaturalGas_FRG-4.csv.gz", true),
];

/// What a simulated device is made of.
pub(crate) struct Board {
    pub(crate) name: &'static str,
    pub(crate) remembers_boot: bool,
    /// Whether it has little memory.
    pub(crate) small: bool,
    /// Which recording, for people.
    pub(crate) source: String,
    pub(crate) catalog: &'static Catalog<'static>,
    /// What it measures, and the pause that was recorded after each, in milliseconds.
    pub(crate) rows: Arc<[(Vec<Reading>, u64)]>,
    /// Recorded seconds that pass in one.
    pub(crate) speed: f64,
}

/// Reads the recordings and makes a board of each.
pub(crate) fn boards() -> Result<Vec<Board>> {
    if RECORDINGS.len() < BOARDS.len() {
        bail!(
            "this program was built outside of the repository and holds no recordings: build it in a clone"
        );
    }
    BOARDS.iter().map(|(name, file, remembers)| board(name, file, *remembers)).chain([Ok(shed())]).collect()
}

/// A board with a made-up sensor and too little memory: when its network is away it loses records, and every one is accounted for.
fn shed() -> Board {
    let mut room = Synthetic::new(7);
    let catalog = Catalog::new(
        "demo-shed 1.0.0",
        const { &[TEMPERATURE.entry(), HUMIDITY.entry()] },
        const { &[RELAY.entry()] },
        const { &[INTERVAL.entry()] },
    );
    Board {
        name: "shed",
        remembers_boot: true,
        small: true,
        source: "made up, with an outbox of 1.5 KB".to_owned(),
        catalog: Box::leak(Box::new(catalog)),
        rows: (0..ROWS).map(|_| (room.sample().to_vec(), 60_000)).collect(),
        speed: 60_000.0 * PACE as f64 / PLAY.as_millis() as f64,
    }
}

fn board(name: &'static str, file: &str, remembers_boot: bool) -> Result<Board> {
    let (_, bytes) =
        RECORDINGS.iter().find(|(n, _)| *n == file).with_context(|| format!("{file} is not bundled"))?;
    // A device lives as long as its process: names and catalogue are its firmware.
    let recording: &'static Recording = Box::leak(Box::new(Recording::read(file, bytes)?));
    let usual_ms = recording.interval_ms().unwrap_or(1_000).max(1);
    let speed = usual_ms as f64 * PACE as f64 / PLAY.as_millis() as f64;
    let mut quantities = recording.entries();
    for quantity in &mut quantities {
        // As it really is, with the pauses compressed.
        quantity.interval_ms = (usual_ms as f64 / speed) as u32;
    }
    let firmware: &'static str = Box::leak(format!("demo-{name} 1.0.0").into_boxed_str());
    let catalog = Catalog::new(
        firmware,
        Box::leak(quantities.into_boxed_slice()),
        Box::leak(Box::new([RELAY.entry()])),
        Box::leak(Box::new([INTERVAL.entry()])),
    );
    let skipped = if name == SKIPPED.0 { SKIPPED.1 } else { 0 };
    let times: Vec<u64> = recording.rows().skip(skipped).map(|r| r.at_ms).collect();
    let rows = recording.rows().skip(skipped).take(ROWS).zip(1..).map(|(row, next): (_, usize)| {
        let pause = times.get(next).map_or(usual_ms, |at| at - row.at_ms);
        (row.readings().collect(), pause.min(10 * usual_ms))
    });
    Ok(Board {
        name,
        remembers_boot,
        small: false,
        source: recording.profile().unwrap_or(file).to_owned(),
        catalog: Box::leak(Box::new(catalog)),
        rows: rows.collect(),
        speed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fleet_offers_what_the_demo_promises() {
        let boards = boards().unwrap();
        let readings: usize = boards
            .iter()
            .filter(|b| !b.small)
            .map(|b| b.rows.iter().take(PACE as usize).map(|(r, _)| r.len()).sum::<usize>())
            .sum();
        assert!(boards.len() >= 5 && readings >= 60_000, "{} boards, {readings} readings", boards.len());
        for board in boards.iter().filter(|b| !b.small) {
            let all: u64 = board.rows.iter().take(PACE as usize).map(|(_, pause)| *pause).sum();
            let seconds = all as f64 / 1_000.0 / board.speed;
            assert!((20.0..60.0).contains(&seconds), "{} plays {seconds} s", board.name);
        }
    }
}
