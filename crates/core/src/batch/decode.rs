use super::row::Reader;
use super::{Cell, DecodeError, MAX_COLUMNS, MAX_RUN};

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
/// `base`, `count` and `columns` are those that were given to [`encode`](super::encode); they travel beside the run.
/// Any bytes are safe: work is bounded by `count * (columns + 1)` calls of `sink`, and nothing panics.
///
/// # Errors
/// [`DecodeError`] if the bytes are not such a run; the sink may have been called by then.
pub fn decode(
    bytes: &[u8],
    base: u64,
    count: usize,
    columns: usize,
    sink: &mut impl Sink,
) -> Result<usize, DecodeError> {
    if count == 0 || count > MAX_RUN {
        return Err(DecodeError::Count);
    }
    if columns == 0 || columns > MAX_COLUMNS {
        return Err(DecodeError::Columns);
    }
    let mut reader = Reader::new(bytes);
    let mut tick = base;
    for row in 0..count {
        tick = tick.checked_add(reader.varint()?).ok_or(DecodeError::Malformed)?;
        sink.tick(row, tick);
    }
    for column in 0..columns {
        for row in 0..count {
            sink.cell(row, column, reader.cell()?);
        }
    }
    Ok(reader.consumed())
}
