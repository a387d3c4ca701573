//! The streams: a recording, and the table that judges it. Together they have every kind of rule, and each ready-made table.

use core::ops::Range;

use sensock_rules::ready::{earthquake, fire, rain, sensor, storm};
use sensock_rules::{
    Calendar, Cell, Compiled, Daily, Flow, Hazard, Level, Levels, Rate, Rule, Running, Season, Shaking,
    Signal, Slots, Step, Table, Way, times,
};

/// One recording and who judges it.
pub(crate) struct Stream {
    pub(crate) name: &'static str,
    pub(crate) table: Compiled<'static>,
    /// How many steps lie between two records.
    pub(crate) interval: u32,
    pub(crate) packed: &'static [u8],
    /// Records that never came, of which nobody knows why.
    pub(crate) silent: Range<u32>,
    /// Records that are known to be lost.
    pub(crate) lost: Range<u32>,
}

/// All of them.
pub(crate) static ALL: [Stream; 6] = [
    stream("fire", 5, &FIRE, include_bytes!(concat!(env!("OUT_DIR"), "/fire"))).without(60..70, 300..330),
    stream("rain", 60, &RAIN, include_bytes!(concat!(env!("OUT_DIR"), "/rain"))).without(400..440, 600..610),
    stream("storm", 600, &STORM, include_bytes!(concat!(env!("OUT_DIR"), "/storm"))).without(0..0, 330..340),
    stream("ground", 1, &GROUND, include_bytes!(concat!(env!("OUT_DIR"), "/ground"))).without(0..0, 50..60),
    stream("sensor", 60, &SENSOR, include_bytes!(concat!(env!("OUT_DIR"), "/sensor")))
        .without(200..260, 400..440),
    stream("every", 1, &EVERY, include_bytes!(concat!(env!("OUT_DIR"), "/every")))
        .without(500..560, 700..703),
];

const fn stream(name: &'static str, interval: u32, table: &Table<'static>, packed: &'static [u8]) -> Stream {
    match Compiled::new(*table) {
        Ok(table) => Stream { name, table, interval, packed, silent: 0..0, lost: 0..0 },
        Err(_) => panic!("a table is wrong"),
    }
}

impl Stream {
    const fn without(self, silent: Range<u32>, lost: Range<u32>) -> Self {
        let Self { name, table, interval, packed, .. } = self;
        Self { name, table, interval, packed, silent, lost }
    }
}

const fn table(
    grid_ms: u32,
    rules: &'static [Rule<'static>],
    hazards: &'static [Hazard<'static>],
) -> Table<'static> {
    Table { grid_ms, calendar: Calendar::UTC, rules, hazards }
}

const FIRE: Table<'static> = table(
    1_000,
    &fire::rules(
        fire::Sensor { device: 0, battery: 4, temperature: 1, humidity: 2, co2: 3, interval_s: 5 },
        0,
    ),
    &[Hazard::new("fire", &fire::cells(0))],
);

const RAIN: Table<'static> = table(
    1_000,
    &rain::rules(rain::Gauge {
        device: 0,
        rain: 1,
        modulus: 4_096,
        water: 2,
        levels: (2_000, 3_000),
        interval_s: 60,
    }),
    &[Hazard::new("rain", &rain::rain_cells(0)), Hazard::new("flood", &rain::flood_cells(0))],
);

const STORM: Table<'static> = table(
    1_000,
    &storm::rules(storm::Station { device: 0, gust: 1, pressure: 2, interval_s: 600 }),
    &[Hazard::new("storm", &storm::cells(0))],
);

const GROUND: Table<'static> = table(50, &[earthquake::shaking(0, 1, 20)], &[earthquake::HAZARD]);

const SENSOR: Table<'static> = table(
    1_000,
    &[sensor::battery(0, 1, 60), sensor::silence("office", 0, 2, (-4_000, 12_500), 60)],
    &[Hazard::new("sensor", &sensor::cells(0, 1))],
);

/// Every kind of rules, on hours that end and begin daylight saving.
const EVERY: Table<'static> = Table {
    grid_ms: 3_600_000,
    calendar: Calendar {
        origin_s: 1_078_923_600,
        offset_s: 3_600,
        changes: &[(Step(430), 7_200), (Step(800), 3_600)],
    },
    rules: &[
        Rule::new("silence", 0, 1, Signal::Silence, Levels::above(3, 40)),
        Rule::new("value", 0, 2, Signal::Value, Levels::above(170, 230)).hysteresis(5).hold(2, 3).every(1),
        Rule::new("rate", 0, 2, Signal::Rate(Rate { window: 3, per: 2 }), Levels::below(-40, -60)).every(1),
        Rule::new(
            "flow",
            0,
            3,
            Signal::Flow(Flow { rate: Rate { window: 6, per: 7 }, modulus: 600 }),
            Levels::above(150, 300),
        )
        .every(1),
        Rule::new("running", 0, 1, Signal::Running(RUNNING), Levels::above(times(2, 0), times(4, 0)))
            .hold(1, 2)
            .every(1)
            .unless(0, Level::Critical),
        Rule::new("daily", 0, 2, Signal::Daily(DAILY), Levels::above(times(2, 50), times(5, 0))).every(1),
        Rule::new(
            "standard",
            0,
            2,
            Signal::Standard { slots: Slots::Months, table: &MONTHS },
            Levels::above(50, 90),
        )
        .every(1),
        Rule::new("shaking", 0, 3, Signal::Shaking(SHAKING), Levels::above(times(2, 0), times(3, 0)))
            .every(1),
        Rule::new("season", 0, 2, Signal::Season(SEASON), Levels::above(times(2, 0), times(4, 0))).every(1),
    ],
    hazards: &[
        Hazard::new(
            "any",
            &[
                Cell::now(0, Level::Warning, 30),
                Cell::lasting(1, Level::Warning, 3, 30),
                Cell::within(2, Level::Critical, 4, 30),
                Cell::now(3, Level::Critical, -20),
                Cell::lasting(4, Level::Warning, 2, 40),
            ],
        )
        .from_score(30, 60, 5),
        Hazard::new(
            "learned",
            &[
                Cell::now(4, Level::Critical, 40),
                Cell::within(5, Level::Warning, 2, 40),
                Cell::now(6, Level::Warning, 30),
                Cell::now(7, Level::Warning, 40),
            ],
        )
        .from_score(40, 70, 20),
    ],
};
const RUNNING: Running = Running { shift: 6, least: 2, warm: 50, way: Way::Either };
const DAILY: Daily = Daily { slots: Slots::Hours, first: 0, least: 3, needed: 4 };
/// A year has no past here: what it learns stands in its state.
pub(crate) const SEASON: Season = Season { cells: Slots::Months, first: 24, least: 3, needed: 1, days: 2 };
const SHAKING: Shaking = Shaking { short: 2, long: 7, warm: 40, least: 1 };
const MONTHS: [i32; 12] = [80, 90, 110, 150, 190, 230, 260, 260, 220, 170, 120, 90];
