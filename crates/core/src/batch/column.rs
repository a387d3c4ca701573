//! One column: exceptions, header, numbers.

use super::bits::Writer;
use super::choose::{Mode, Plan};
use super::packed::Packed;
use super::predict::Order;
use super::source::{CHUNK, Source};
use super::{EncodeError, number, rice};
use crate::limits::SMALL;

/// Writes the column, as `plan` has it if that holds for all rows, and not only for those that were looked at.
pub(super) fn put(
    out: &mut Writer<'_>,
    source: &mut dyn Source,
    mut plan: Plan,
    count: usize,
) -> Result<(), EncodeError> {
    let mut nearly = false;
    if SMALL {
        // A plan that was made of all rows holds, unless the caller's iterators give fewer.
        let holds = plan.rows == count && write(out, source, &mut plan, &mut nearly);
        return if holds { Ok(()) } else { Err(EncodeError::TooFewItems) };
    }
    let mark = out.mark();
    // As planned, then perhaps without a bound, then after a look at all values.
    for _ in 0..3 {
        nearly = false;
        if plan.rows == count && write(out, source, &mut plan, &mut nearly) {
            return Ok(());
        }
        out.back_to(&mark);
        if !nearly {
            plan = Plan::new(source, count, true);
        }
    }
    Err(EncodeError::TooFewItems)
}

/// Whether the plan held. If not, but for numbers that are beyond the bound by little, it has no bound now and is `nearly` as good: a
/// value far out has another meaning, which a look at all values finds.
#[inline(never)]
fn write(out: &mut Writer<'_>, source: &mut dyn Source, plan: &mut Plan, nearly: &mut bool) -> bool {
    plan.split.put(out, source, plan.rows, plan.rows - plan.values);
    if plan.values == 0 {
        return true;
    }
    out.put(u32::from(plan.split.divisor > 1), 1);
    if plan.split.divisor > 1 {
        number::put(out, u64::from(plan.split.divisor));
        number::put(out, u64::from(plan.split.remainder));
    }
    number::put_signed(out, plan.predictor.before);
    if plan.values == 1 {
        return true;
    }
    out.put(plan.predictor.order as u32 | u32::from(plan.predictor.unsigned) << 2, 3);
    if plan.predictor.order == Order::Step {
        number::put_signed(out, plan.predictor.step);
    }
    match plan.mode {
        Mode::Rice { k } => out.put(k << 2, 7),
        Mode::Runs(runs) => out.put(1 | runs.gap << 2 | runs.value << 7, 12),
        Mode::Packed { bound } => {
            out.put(2, 2);
            number::put(out, u64::from(bound));
        }
    }
    let mut predictor = plan.predictor;
    let mut known = predictor.known();
    let (mut values, mut numbers) = ([0; CHUNK], [0; CHUNK]);
    let (mut seen, mut holds, mut zeros, mut beyond) = (0, true, 0, 0);
    source.rewind();
    loop {
        let filled = plan.split.fill(source, &mut values);
        if filled.rows == 0 {
            break;
        }
        let skip = known.min(filled.values);
        known -= skip;
        seen += filled.values;
        if SMALL {
            let left = values.iter().zip(&mut numbers).take(filled.values);
            left.for_each(|(value, number)| *number = predictor.left(*value));
        } else {
            predictor.reduce(&values[..filled.values], &mut numbers);
        }
        let numbers = &numbers[skip..filled.values];
        match plan.mode {
            // Among numbers without a sign what is above are falls that the sample did not show.
            Mode::Rice { k } => {
                holds &= rice::put_all(out, numbers, k, u32::MAX >> u32::from(predictor.unsigned))
            }
            Mode::Runs(runs) => runs.put(out, &mut zeros, numbers),
            Mode::Packed { bound } => beyond = Packed::new(bound).put_all(out, numbers, beyond),
        }
    }
    match plan.mode {
        Mode::Rice { .. } => {}
        Mode::Runs(runs) => runs.finish(out, zeros),
        // What is below the base wraps.
        Mode::Packed { bound } if !SMALL && beyond > 0 && beyond.min(beyond.wrapping_neg()) / 4 <= bound => {
            let k = (32 - bound.leading_zeros()).saturating_sub(2);
            (plan.mode, *nearly) = (Mode::Rice { k }, true);
        }
        Mode::Packed { .. } => {}
    }
    (SMALL || holds && beyond == 0) && seen == plan.values
}
