use super::bits::Writer;
use super::choose::Plan;
use super::source::Cells;
use super::{Cell, EncodeError, MAX_COLUMNS, MAX_RUN, row};
use super::{column as whole, ticks as line};

/// Encodes one run into `out` and returns how many bytes it took.
///
/// `ticks` gives `count` ticks in milliseconds, and `column(i)` gives `count` cells for each `i` below `columns`. The iterators are
/// walked several times, so a clone must be cheap and give the same again. The first tick is not written: it travels beside the run.
///
/// # Errors
/// [`EncodeError::NoRoom`] if `out` is shorter than [`encoded_len`] says, the others if the input is not a run.
#[inline]
pub fn encode<T, C>(
    out: &mut [u8],
    count: usize,
    ticks: T,
    columns: usize,
    column: impl Fn(usize) -> C,
) -> Result<usize, EncodeError>
where
    T: Iterator<Item = u64> + Clone,
    C: Iterator<Item = Cell> + Clone,
{
    match encode_or_len(out, count, ticks, columns, column)? {
        (len, true) => Ok(len),
        (_, false) => Err(EncodeError::NoRoom),
    }
}

/// As [`encode`], and whether all of it fitted: if not, `out` would have to be as long as the first number says, and what it holds is of
/// no use.
///
/// # Errors
/// As [`encode`], but never [`EncodeError::NoRoom`].
#[inline]
pub fn encode_or_len<T, C>(
    out: &mut [u8],
    count: usize,
    ticks: T,
    columns: usize,
    column: impl Fn(usize) -> C,
) -> Result<(usize, bool), EncodeError>
where
    T: Iterator<Item = u64> + Clone,
    C: Iterator<Item = Cell> + Clone,
{
    if count == 1 {
        return row::put(out, columns, column);
    }
    many(out, count, ticks, columns, column)
}

/// Two records or more.
#[inline(never)]
fn many<T, C>(
    out: &mut [u8],
    count: usize,
    ticks: T,
    columns: usize,
    column: impl Fn(usize) -> C,
) -> Result<(usize, bool), EncodeError>
where
    T: Iterator<Item = u64> + Clone,
    C: Iterator<Item = Cell> + Clone,
{
    if count == 0 || count > MAX_RUN {
        return Err(EncodeError::Count);
    }
    if columns == 0 || columns > MAX_COLUMNS {
        return Err(EncodeError::Columns);
    }
    let mut out = Writer::new(out);
    line::put(&mut out, count, &mut line::Distances::new(ticks, count))?;
    for index in 0..columns {
        let mut source = Cells::new(column(index), count);
        let plan = Plan::new(&mut source, count, false);
        whole::put(&mut out, &mut source, plan, count)?;
    }
    Ok(out.finish())
}

/// How many bytes [`encode`] writes for the same run, exactly.
///
/// # Errors
/// As [`encode`], but never [`EncodeError::NoRoom`].
pub fn encoded_len<T, C>(
    count: usize,
    ticks: T,
    columns: usize,
    column: impl Fn(usize) -> C,
) -> Result<usize, EncodeError>
where
    T: Iterator<Item = u64> + Clone,
    C: Iterator<Item = Cell> + Clone,
{
    encode_or_len(&mut [], count, ticks, columns, column).map(|(len, _)| len)
}
