use super::bits::Reader;
use super::source::CHUNK;
use super::split::Exceptions;
use super::ticks::Line;
use super::values::Values;
use super::{Cell, DecodeError, MAX_COLUMNS, MAX_RUN, number, row};

/// Takes what [`decode`] finds, in the order of the bytes: all ticks by row, then column by column.
///
/// Until `decode` returns `Ok` the run may still prove damaged, so keep nothing of it before.
pub trait Sink {
    /// The tick of record `row`, in milliseconds.
    fn tick(&mut self, row: usize, tick: u64);
    /// What quantity `column` of record `row` holds.
    fn cell(&mut self, row: usize, column: usize, cell: Cell);
}

/// Decodes one run of `count` records and returns how many bytes it took.
///
/// `first` is the tick of the first record; it, `count` and `columns` travel beside the run.
/// Any bytes are safe: work is bounded by `count * (columns + 1)` calls of `sink`, and nothing panics.
///
/// # Errors
/// [`DecodeError`] if the bytes are not such a run; the sink may have been called by then.
#[inline(always)]
pub fn decode(
    bytes: &[u8],
    first: u64,
    count: usize,
    columns: usize,
    sink: &mut impl Sink,
) -> Result<usize, DecodeError> {
    if columns == 0 || columns > MAX_COLUMNS {
        return Err(DecodeError::Columns);
    }
    if count == 1 {
        return decode_one(bytes, first, columns, sink);
    }
    many(bytes, first, count, columns, sink)
}

/// One record of up to [`MAX_COLUMNS`] quantities.
#[inline(always)]
pub(crate) fn decode_one(
    bytes: &[u8],
    first: u64,
    columns: usize,
    sink: &mut impl Sink,
) -> Result<usize, DecodeError> {
    row::take(bytes, first, columns, sink)
}

/// Two records or more.
#[inline(never)]
fn many(
    bytes: &[u8],
    first: u64,
    count: usize,
    columns: usize,
    sink: &mut impl Sink,
) -> Result<usize, DecodeError> {
    if count == 0 || count > MAX_RUN {
        return Err(DecodeError::Count);
    }
    let mut bits = Reader::new(bytes);
    ticks(&mut bits, first, count, sink)?;
    for index in 0..columns {
        column(&mut bits, count, |row, cell| {
            sink.cell(row, index, cell);
            Ok(())
        })?;
    }
    if bits.overran() {
        return Err(DecodeError::Truncated);
    }
    Ok(bits.consumed())
}

fn ticks(bits: &mut Reader<'_>, start: u64, count: usize, sink: &mut impl Sink) -> Result<(), DecodeError> {
    if bits.take(1) == 1 {
        let mut tick = start;
        sink.tick(0, tick);
        for row in 1..count {
            tick = tick.checked_add(number::take(bits)).ok_or(DecodeError::Malformed)?;
            if bits.overran() {
                return Err(DecodeError::Truncated);
            }
            sink.tick(row, tick);
        }
        return Ok(());
    }
    let fractional = bits.take(1) == 1;
    let line = Line::new(start, fractional, number::take(bits));
    let mut before = start;
    column(bits, count, |row, cell| {
        let Cell::Value(distance) = cell else { return Err(DecodeError::Malformed) };
        let tick = line.at(row).wrapping_add_signed(i64::from(distance));
        if tick < before {
            return Err(DecodeError::Malformed);
        }
        before = tick;
        sink.tick(row, tick);
        Ok(())
    })
}

fn column(
    bits: &mut Reader<'_>,
    count: usize,
    mut give: impl FnMut(usize, Cell) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let (mut exceptions, excepted) = Exceptions::new(bits, count)?;
    let mut values = Values::new(bits, count - excepted)?;
    let mut chunk = [0; CHUNK];
    let mut row = 0;
    loop {
        let exception = exceptions.next();
        let end = exception.map_or(count, |(at, _)| at);
        while row < end {
            let part = &mut chunk[..CHUNK.min(end - row)];
            values.fill(bits, part)?;
            for value in part {
                give(row, Cell::Value(*value as i32))?;
                row += 1;
            }
        }
        match exception {
            Some((_, cell)) => give(row, cell)?,
            None => return Ok(()),
        }
        row += 1;
    }
}
