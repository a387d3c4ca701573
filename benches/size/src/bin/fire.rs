//! The rule engine with the ready-made table for fire: values and rates.
#![no_std]
#![no_main]

use core::hint::black_box;
use sensock_rules::ready::fire;
use sensock_rules::{Calendar, Compiled, Hazard, Record, Step, Table, TooLate};
use sensock_size::Calls;
use sensock_size::rules::{Acts, Device, start, step};

const RULES: usize = 5;

const SENSOR: fire::Sensor =
    fire::Sensor { device: 0, battery: 4, temperature: 1, humidity: 2, co2: 3, interval_s: 10 };

static TABLE: Compiled<'static> = match Compiled::new(Table {
    grid_ms: 1_000,
    calendar: Calendar::UTC,
    rules: &fire::rules(SENSOR, 0),
    hazards: &[Hazard::new("fire", &fire::cells(0))],
}) {
    Ok(table) => table,
    Err(_) => panic!("the table is wrong"),
};

#[unsafe(link_section = ".calls")]
static CALLS: Calls<2> = Calls([new as New as *const (), record as Judge as *const ()]);

type New = fn() -> Option<Device<RULES, 0>>;
type Judge = fn(&mut Device<RULES, 0>, &Record<'_>, Step, Acts) -> Result<(), TooLate>;

fn new() -> Option<Device<RULES, 0>> {
    start(&TABLE)
}

fn record(engine: &mut Device<RULES, 0>, record: &Record<'_>, to: Step, acts: Acts) -> Result<(), TooLate> {
    step(engine, record, to, acts)
}

#[unsafe(no_mangle)]
extern "C" fn entry() -> ! {
    loop {
        black_box(&CALLS);
    }
}
