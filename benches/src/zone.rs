//! A zone for the rule engine: so many rules of some kinds over the readings of 200 devices.

use sensock_rules::{
    Calendar, Cause, Cell, Compiled, Daily, Danger, Engine, Flow, Hazard, Level, Levels, Rate, Reading,
    Record, Row, Rule, Running, Shaking, Signal, Slot, Slots, Step, Table, Way, times,
};

/// How many devices there are; each gives a reading every ten steps.
pub const DEVICES: u8 = 200;
/// How many rules there are.
pub const RULES: u8 = 100;

/// Every kind of rule, by what it reads.
pub const KINDS: [&str; 8] = ["value", "rate", "flow", "running", "daily", "standard", "shaking", "silence"];

/// An engine with a table of 100 rules and ten hazards.
pub struct Zone {
    engine: Engine<'static, Vec<Row>, Vec<Danger>, Vec<Slot>>,
    turn: u32,
    /// How many alarms were told: so that telling them is not for nothing.
    pub alarms: u64,
}

impl Zone {
    /// Rules of these kinds in turn, on every `apart`-th device: 2 has them on 100 devices, 0 all of them on the first.
    ///
    /// # Panics
    /// If there is no such kind.
    pub fn new(kinds: &[&str], apart: u8) -> Self {
        let rules: Vec<Rule<'static>> =
            (0..RULES).zip(kinds.iter().cycle()).map(|(i, kind)| rule(kind, i * apart, i)).collect();
        let hazards = (0..10).map(|hazard| {
            let cells: Vec<Cell> = (0..10)
                .map(|i| match i % 3 {
                    0 => Cell::lasting(hazard * 10 + i, Level::Warning, 30, 20),
                    1 => Cell::within(hazard * 10 + i, Level::Critical, 100, 20),
                    _ => Cell::now(hazard * 10 + i, Level::Warning, 20),
                })
                .collect();
            // Of a table that lives as long as the program.
            Hazard::new("hazard", Vec::leak(cells))
        });
        let (rules, hazards) = (Vec::leak(rules), Vec::leak(hazards.collect()));
        let compiled = Compiled::new(Table { grid_ms: 1_000, calendar: Calendar::UTC, rules, hazards });
        let table = Box::leak(Box::new(compiled.unwrap_or_else(|bad| panic!("{bad}"))));
        let (rows, dangers) = (vec![Row::NEW; rules.len()], vec![Danger::NEW; hazards.len()]);
        let slots = vec![Slot::EMPTY; table.table().slots()];
        let engine = Engine::compiled(table, rows, dangers, slots).unwrap_or_else(|bad| panic!("{bad}"));
        let mut zone = Self { engine, turn: 0, alarms: 0 };
        // Baselines are warm, and an hour has passed.
        (0..400).for_each(|_| zone.turn(DEVICES));
        zone
    }

    /// The first `devices` devices give a record of one reading each.
    pub fn turn(&mut self, devices: u8) {
        let (turn, alarms) = (self.turn, &mut self.alarms);
        self.turn += 1;
        for device in 0..devices {
            let number = turn.wrapping_mul(2_654_435_761) ^ u32::from(device).wrapping_mul(40_503);
            // Noise, and now and then something to look at.
            let out = if turn % 50 > 46 { 300 } else { 0 };
            let value = 2_000 + (number >> 16) as i32 % 50 + out + turn as i32 % 7;
            let readings = [Reading { quantity: 1, value: Some(value) }];
            let from = Cause { device, lane: 2, position: turn.into() };
            let at = Step(turn * 10 + u32::from(device) / 20);
            // Steps only grow, so that none is too late.
            let _never_late =
                self.engine.record(&Record { at, from, readings: &readings }, &mut |_| *alarms += 1);
        }
    }
}

fn rule(kind: &str, device: u8, i: u8) -> Rule<'static> {
    let rate = Rate { window: 60, per: 60 };
    let (signal, levels) = match kind {
        "value" => (Signal::Value, Levels::above(2_200, 2_320)),
        "rate" => (Signal::Rate(rate), Levels::above(200, 280)),
        "flow" => (Signal::Flow(Flow { rate, modulus: 0 }), Levels::above(200, 280)),
        "running" => {
            let running = Running { shift: 7, least: 2, warm: 64, way: Way::Either };
            (Signal::Running(running), Levels::above(times(6, 0), times(12, 0)))
        }
        "daily" => {
            let daily = Daily { slots: Slots::Hours, first: u16::from(i) * 24, least: 2, needed: 1 };
            (Signal::Daily(daily), Levels::above(times(6, 0), times(12, 0)))
        }
        "standard" => {
            (Signal::Standard { slots: Slots::Hours, table: &[2_000; 24] }, Levels::above(200, 320))
        }
        "shaking" => {
            let shaking = Shaking { short: 2, long: 7, warm: 60, least: 1 };
            (Signal::Shaking(shaking), Levels::above(times(4, 0), times(8, 0)))
        }
        "silence" => return Rule::new(kind_name(kind), device, 1, Signal::Silence, Levels::above(30, 300)),
        other => panic!("there is no kind {other}"),
    };
    Rule::new(kind_name(kind), device, 1, signal, levels)
        .every(10)
        .plausible(-4_000, 12_500)
        .hysteresis(20)
        .hold(10, 20)
}

fn kind_name(kind: &str) -> &'static str {
    KINDS.into_iter().find(|name| *name == kind).unwrap_or_default()
}
