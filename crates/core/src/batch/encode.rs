use super::row::Writer;
use super::{Cell, EncodeError, MAX_COLUMNS, MAX_RUN};

/// Encodes one run into `out` and returns how many bytes it took.
///
/// `ticks` gives `count` ticks in milliseconds, the first at or above `base`, and `column(i)` gives `count` cells
/// for each `i` below `columns`. The iterators are walked several times, so a clone must be cheap. `base` is what
/// the first tick is relative to, zero if absolute; the decoder needs the same.
///
/// # Errors
/// [`EncodeError::NoRoom`] if `out` is shorter than [`encoded_len`] says, the others if the input is not a run.
pub fn encode<T, C>(
    out: &mut [u8],
    base: u64,
    count: usize,
    ticks: T,
    columns: usize,
    column: impl Fn(usize) -> C,
) -> Result<usize, EncodeError>
where
    T: Iterator<Item = u64> + Clone,
    C: Iterator<Item = Cell> + Clone,
{
    write(Writer::new(Some(out)), base, count, ticks, columns, column)
}

/// How many bytes [`encode`] writes for the same run, exactly.
///
/// # Errors
/// As [`encode`], but never [`EncodeError::NoRoom`].
pub fn encoded_len<T, C>(
    base: u64,
    count: usize,
    ticks: T,
    columns: usize,
    column: impl Fn(usize) -> C,
) -> Result<usize, EncodeError>
where
    T: Iterator<Item = u64> + Clone,
    C: Iterator<Item = Cell> + Clone,
{
    write(Writer::new(None), base, count, ticks, columns, column)
}

fn write<T, C>(
    mut out: Writer<'_>,
    base: u64,
    count: usize,
    ticks: T,
    columns: usize,
    column: impl Fn(usize) -> C,
) -> Result<usize, EncodeError>
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
    let mut before = base;
    let mut ticks = ticks;
    for _ in 0..count {
        let tick = ticks.next().ok_or(EncodeError::TooFewItems)?;
        out.varint(tick.checked_sub(before).ok_or(EncodeError::TicksFallBack)?)?;
        before = tick;
    }
    for index in 0..columns {
        let mut cells = column(index);
        for _ in 0..count {
            out.cell(cells.next().ok_or(EncodeError::TooFewItems)?)?;
        }
    }
    Ok(out.len())
}
