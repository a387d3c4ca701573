//! The rule engine with every kind of rule.
#![no_std]
#![no_main]

use core::hint::black_box;
use sensock_rules::{
    Calendar, Cell, Compiled, Daily, Flow, Hazard, Level, Levels, Rate, Record, Rule, Running, Shaking,
    Signal, Slots, Step, Table, TooLate, Way,
};
use sensock_size::Calls;
use sensock_size::rules::{Acts, Device, start, step};

const RULES: usize = 8;
const SLOTS: usize = 24;

const LEVELS: Levels = Levels::above(100, 200);
const RATE: Rate = Rate { window: 60, per: 60 };
const RUNNING: Running = Running { shift: 6, least: 2, warm: 64, way: Way::Either };
const DAILY: Daily = Daily { slots: Slots::Hours, first: 0, least: 3, needed: 4 };
const SHAKING: Shaking = Shaking { short: 5, long: 11, warm: 500, least: 1 };

const fn rule(signal: Signal<'static>) -> Rule<'static> {
    Rule::new("", 0, 1, signal, LEVELS)
}

static TABLE: Compiled<'static> = match Compiled::new(Table {
    grid_ms: 1_000,
    calendar: Calendar::UTC,
    rules: &[
        rule(Signal::Value),
        rule(Signal::Rate(RATE)),
        rule(Signal::Flow(Flow { rate: RATE, modulus: 4_096 })),
        rule(Signal::Running(RUNNING)),
        rule(Signal::Daily(DAILY)),
        rule(Signal::Standard { slots: Slots::Months, table: &[0; 12] }),
        rule(Signal::Shaking(SHAKING)),
        rule(Signal::Silence).unless(0, Level::Critical),
    ],
    hazards: &[Hazard::new("", &[Cell::now(0, Level::Warning, 60), Cell::within(1, Level::Warning, 60, 40)])],
}) {
    Ok(table) => table,
    Err(_) => panic!("the table is wrong"),
};

#[unsafe(link_section = ".calls")]
static CALLS: Calls<2> = Calls([new as New as *const (), record as Judge as *const ()]);

type New = fn() -> Option<Device<RULES, SLOTS>>;
type Judge = fn(&mut Device<RULES, SLOTS>, &Record<'_>, Step, Acts) -> Result<(), TooLate>;

fn new() -> Option<Device<RULES, SLOTS>> {
    start(&TABLE)
}

fn record(
    engine: &mut Device<RULES, SLOTS>,
    record: &Record<'_>,
    to: Step,
    acts: Acts,
) -> Result<(), TooLate> {
    step(engine, record, to, acts)
}

#[unsafe(no_mangle)]
extern "C" fn entry() -> ! {
    loop {
        black_box(&CALLS);
    }
}
