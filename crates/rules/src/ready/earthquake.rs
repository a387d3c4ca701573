//! Earthquake: the ground moves several times as much as it did in the last minutes.
//!
//! The ratio of a short-term to a long-term average is the classic trigger (Allen, Bulletin of the Seismological Society
//! of America 68, 1978). Recorders that work by it are usually set to short averages of 0.2 to 3 s, long ones of 10 s to
//! some minutes, and begin at a ratio of 4 and end at 2; critical is twice that here.

use crate::{Cell, Hazard, Level, Levels, Rule, Shaking, Signal, times};

/// The shaking of one seismometer or accelerometer axis at so many samples a second (1 to 200), on a grid that has a step
/// for each sample. A warning from 4 times the usual on, critical from 8 times; the raw unit does not matter.
pub const fn shaking(device: u8, quantity: u16, hertz: u32) -> Rule<'static> {
    // 1.6 s and 100 s at 20 samples a second, and the next powers of two elsewhere; below 4 samples a second at least
    // four, or one sample of noise would be an average.
    let doublings = (if hertz == 0 { 1 } else { hertz }).ilog2();
    let short = if doublings < 2 { 2 } else { doublings + 1 };
    let long = doublings + 7;
    let signal = Signal::Shaking(Shaking {
        short: short as u8,
        long: if long > 15 { 15 } else { long as u8 },
        warm: warm(hertz),
        least: 1,
    });
    Rule::new("ground", device, quantity, signal, Levels::above(times(4, 0), times(8, 0)))
        .every(1)
        .hysteresis(times(2, 0))
        .hold(0, hertz.saturating_mul(10))
}

/// Warning and critical as the one axis says.
pub const HAZARD: Hazard<'static> =
    Hazard::new("earthquake", &[Cell::now(0, Level::Warning, 60), Cell::now(0, Level::Critical, 40)]);

/// A minute.
const fn warm(hertz: u32) -> u16 {
    let samples = hertz.saturating_mul(60);
    if samples > 60_000 { 60_000 } else { samples as u16 }
}
