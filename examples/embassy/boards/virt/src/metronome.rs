//! The wall clock's alarm, which interrupts at a steady beat: what samples, whatever the program does.

use core::cell::Cell;

use critical_section::Mutex;

use crate::interrupt;
use crate::register::Register;

const fn clock(offset: usize) -> Register {
    // SAFETY: `virt` has a clock of nanoseconds with an alarm (Goldfish) at 0x101000; it touches no memory.
    unsafe { Register::at(0x10_1000 + offset) }
}

const NOW_LOW: Register = clock(0x00);
const NOW_HIGH: Register = clock(0x04);
const ALARM_LOW: Register = clock(0x08);
const ALARM_HIGH: Register = clock(0x0c);
const ENABLE: Register = clock(0x10);
const CLEAR: Register = clock(0x1c);
/// Its number at the interrupt controller.
pub(crate) const SOURCE: u32 = 11;

/// What beats, how often, and when next.
#[derive(Clone, Copy)]
struct Beat {
    at: u64,
    every: u64,
    call: fn(),
}

static BEAT: Mutex<Cell<Option<Beat>>> = Mutex::new(Cell::new(None));

/// Calls `call` from the interrupt, each `every_us` microseconds from now on.
pub fn start(every_us: u32, call: fn()) {
    // The high half is what it was when the low half was read.
    let now = u64::from(NOW_LOW.read()) | u64::from(NOW_HIGH.read()) << 32;
    let every = u64::from(every_us) * 1_000;
    let beat = Beat { at: now + every, every, call };
    critical_section::with(|cs| BEAT.borrow(cs).set(Some(beat)));
    ENABLE.write(1);
    arm(beat.at);
    interrupt::enable(SOURCE);
}

fn arm(at: u64) {
    ALARM_HIGH.write((at >> 32) as u32);
    ALARM_LOW.write(at as u32);
}

/// The interrupt. One that comes late is followed at once by those that are due: no beat is left out.
pub(crate) fn interrupted() {
    CLEAR.write(1);
    let beat = critical_section::with(|cs| {
        let beat = BEAT.borrow(cs).get().map(|beat| Beat { at: beat.at + beat.every, ..beat });
        BEAT.borrow(cs).set(beat);
        beat
    });
    if let Some(beat) = beat {
        (beat.call)();
        arm(beat.at);
    }
}
