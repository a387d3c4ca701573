//! Each ready hazard once with what it is for, and once with what it is not.

use std::prelude::v1::*;
use std::vec;

use crate::ready::{earthquake, fire, rain, sensor, storm};
use crate::*;

/// What one hazard over these rules says, and how bad it got, of a reading of some quantities every `every` steps.
fn worst(
    rules: &[Rule<'_>],
    cells: &[Cell],
    every: u32,
    readings: impl Iterator<Item = Vec<(u16, i32)>>,
) -> (Level, Vec<String>) {
    let hazards = [Hazard::new("hazard", cells).from_score(50, 80, 10)];
    let table = Table { grid_ms: 1_000, calendar: Calendar::UTC, rules, hazards: &hazards };
    let mut engine = Engine::new(&table, vec![Row::NEW; rules.len()], [Danger::NEW], []).unwrap();
    let (mut worst, mut said) = (Level::Unknown, Vec::new());
    for (i, values) in (0..).zip(readings) {
        let readings: Vec<Reading> =
            values.into_iter().map(|(quantity, value)| Reading { quantity, value: Some(value) }).collect();
        let from = Cause { device: 0, lane: 2, position: u64::from(i) };
        let mut tell = |alarm: &Alarm<'_>| said.push(alarm.to_string());
        engine.record(&Record { at: Step(i * every), from, readings: &readings }, &mut tell).unwrap();
        worst = worst.max(engine.hazards()[0].level());
    }
    (worst, said)
}

const ROOM: fire::Sensor =
    fire::Sensor { device: 0, battery: 4, temperature: 1, humidity: 2, co2: 3, interval_s: 10 };

/// A room in which from the twentieth reading on each reading is so much hotter and drier.
fn room(hotter: i32, drier: i32, most: i32, battery: i32) -> (Level, Vec<String>) {
    let readings = (0..80).map(|i| {
        let since = (i - 20).max(0);
        let temperature = (2_200 + hotter * since).min(most);
        vec![(1, temperature), (2, 450 - (drier * since).min(300)), (3, 700 + since * 40), (4, battery)]
    });
    worst(&fire::rules(ROOM, 0), &fire::cells(0), 10, readings)
}

#[test]
fn fire_is_heat_that_rises() {
    assert_eq!(room(300, 20, 30_000, 3_000).0, Level::Critical);
    assert_eq!(room(0, 0, 30_000, 3_000).0, Level::Normal, "a stuffy room");
    assert_eq!(room(20, 2, 4_500, 3_000).0, Level::Normal, "the sun on the window");
    assert_eq!(room(300, 20, 30_000, 2_300).0, Level::Normal, "an empty battery");
}

#[test]
fn rain_is_told_as_the_weather_service_does() {
    const GAUGE: rain::Gauge =
        rain::Gauge { device: 0, rain: 1, modulus: 4_096, water: 2, levels: (2_000, 3_000), interval_s: 60 };
    // Tenths of a millimetre an hour, for three hours after three dry ones, on a counter that runs over.
    let hours = |rain: i32| {
        (0..6 * 60)
            .map(move |minute| vec![(1, (4_000 + rain * (minute - 180).max(0) / 60) % 4_096), (2, 1_500)])
    };
    let level = |rain| worst(&rain::rules(GAUGE), &rain::rain_cells(0), 60, hours(rain)).0;
    assert_eq!(level(40), Level::Normal, "a wet afternoon");
    assert_eq!(level(160), Level::Critical, "16 mm an hour is a warning, and 48 mm in six hours severe");
    assert_eq!(level(300), Level::Critical);
    let flood = |rain| worst(&rain::rules(GAUGE), &rain::flood_cells(0), 60, hours(rain)).0;
    assert_eq!(flood(300), Level::Normal, "rain alone is no flood");
}

#[test]
fn storm_is_wind_and_the_barometer_comes_before_it() {
    const STATION: storm::Station = storm::Station { device: 0, gust: 1, pressure: 2, interval_s: 600 };
    let level = |gust: i32, falls: i32| {
        let day = (0..18 * 6).map(|i| vec![(1, 50 + (gust - 50) * i / 107), (2, 10_100 - falls * i / 6)]);
        worst(&storm::rules(STATION), &storm::cells(0), 600, day).0
    };
    assert_eq!(level(120, 5), Level::Normal);
    assert_eq!(level(200, 5), Level::Warning, "Beaufort 8");
    assert_eq!(level(120, 25), Level::Warning, "7.5 hPa in three hours, and no wind yet");
    assert_eq!(level(260, 15), Level::Critical, "Beaufort 10 with a barometer that falls quickly");
    assert_eq!(level(340, 0), Level::Critical, "Beaufort 12");
}

#[test]
fn a_dying_sensor_is_told_before_it_is_silent() {
    let rules = [sensor::battery(0, 1, 60), sensor::silence("cellar", 0, 2, (-4_000, 12_500), 60)];
    let dies = (0..60).map(|i| vec![(1, 3_000 - 10 * i), (2, if i < 58 { 2_000 } else { 20_000 })]);
    let (level, said) = worst(&rules, &sensor::cells(0, 1), 60, dies);
    assert_eq!(level, Level::Warning);
    assert!(said[0].contains("battery warning"), "{said:?}");
}

#[test]
fn earthquakes_at_any_rate_are_a_good_table() {
    for hertz in [0, 1, 4, 20, 50, 100, 200] {
        let rules = [earthquake::shaking(0, 1, hertz)];
        let table =
            Table { grid_ms: 5, calendar: Calendar::UTC, rules: &rules, hazards: &[earthquake::HAZARD] };
        assert_eq!(table.check(), Ok(()), "{hertz}");
        assert!(rules[0].patience() <= 10 * hertz.max(1), "{hertz}");
    }
}
