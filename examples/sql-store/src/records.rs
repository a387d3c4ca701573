//! Records: how they are written.

use sensock_store::{Batch, ReadingRow};

use crate::error::Fail;
use crate::held::State;
use crate::lanes::stored;
use crate::session::Arg;
use crate::sheets::Signpost;
use crate::tables::{MARK, NEWEST, RECORD, SIGNPOST};
use crate::transaction::SqlTx;

/// A series' newest reading lies less than this many positions above what table `newest` says. Whoever writes further up writes
/// `newest` too; marks only rise, so a row that another server wrote meanwhile is never above ours.
pub(crate) const NEWEST_WITHIN: i64 = 256;

impl SqlTx {
    /// Looks up what the readings refer to, and makes their rows. Hints (`newest`, signposts) are written at once, since they are rare.
    pub(crate) async fn pack(&mut self, batch: &Batch) -> Result<Packed, Fail> {
        if batch.readings.is_empty() {
            return Ok(Packed::default());
        }
        let sheet = self.sheet().await?;
        let mut packed = Packed { sheet, ..Packed::default() };
        let (mut newest, mut signposts) = (Vec::new(), Vec::new());
        for run in batch.readings.chunk_by(|a, b| a.lane == b.lane && a.catalog == b.catalog) {
            let place = self.run(run).await?;
            let state = self.lanes.at(place);
            (state.moved, state.sheet) = (state.moved || state.sheet != sheet, sheet);
            // `run` has seen to that.
            let Some(quantities) = state.quantities.clone() else { continue };
            for record in run.chunk_by(|a, b| a.position == b.position) {
                let (first, position) = (&record[0], stored(record[0].position)?);
                let mut far = false;
                one_instant(record)?;
                for row in record {
                    let series = quantities.series(row.quantity).ok_or(sqlx::Error::RowNotFound)?;
                    packed.reading(series, row);
                    let known = state.newest.iter().find(|(s, _)| *s == series);
                    far |= known.is_none_or(|(_, known)| position >= known + NEWEST_WITHIN);
                }
                packed.end(state.id, position, first);
                if far {
                    let all = record.iter().filter_map(|row| quantities.series(row.quantity));
                    newest.extend(hints(state, position, all).flat_map(|(lane, s)| [lane, s, position]));
                }
                let here = Signpost { position, sheet };
                if state.signpost.is_none_or(|known| known.is_far_from(here)) {
                    state.signpost = Some(here);
                    let (from, to) = (first.not_before_us.into(), first.not_after_us.into());
                    signposts.extend([Arg::Int(state.id), Arg::Int(position), Arg::Int(sheet), from, to]);
                }
            }
        }
        self.fill(packed.records.len());
        let newest: Vec<Arg<'_>> = newest.into_iter().map(Arg::Int).collect();
        let shared = self.handle.shared.clone();
        let mut session = self.begun.session()?;
        shared.insert(&mut session, &NEWEST, &newest).await?;
        shared.insert(&mut session, &SIGNPOST, &signposts).await?;
        Ok(packed)
    }

    /// Writes records and marks.
    pub(crate) async fn append(&mut self, packed: &Packed, batch: &Batch) -> Result<(), Fail> {
        let marks = self.mark_rows(batch).await?;
        let shared = self.handle.shared.clone();
        let mut session = self.begun.session()?;
        shared.insert(&mut session, &RECORD, &packed.args()).await?;
        shared.insert(&mut session, &MARK, &marks).await
    }

    /// Makes sure that the lane of these readings, and the series of their one catalogue, are known.
    async fn run(&mut self, run: &[ReadingRow]) -> Result<usize, Fail> {
        let (lane, catalog) = (&run[0].lane, run[0].catalog);
        let place = self.lane(lane).await?;
        let state = self.lanes.at(place);
        if state.catalog != catalog || state.quantities.is_none() {
            let quantities = self.series(lane, catalog).await?;
            let state = self.lanes.at(place);
            (state.catalog, state.quantities) = (catalog, Some(quantities));
        }
        for row in run {
            let known = self.lanes.at(place).quantities.as_ref().and_then(|q| q.series(row.quantity));
            if known.is_none() {
                let quantities = self.unnamed(lane, catalog, row.quantity).await?;
                self.lanes.at(place).quantities = Some(quantities);
            }
        }
        Ok(place)
    }
}

/// A record is one instant, and has each quantity once.
fn one_instant(record: &[ReadingRow]) -> Result<(), Fail> {
    let instant = |row: &ReadingRow| (row.tick, row.not_before_us, row.not_after_us);
    for (i, row) in record.iter().enumerate().skip(1) {
        let twice = record[..i].iter().any(|earlier| earlier.quantity == row.quantity);
        if twice || instant(row) != instant(&record[0]) {
            let (position, quantity) = (row.position, row.quantity);
            let what = if twice { "is there twice" } else { "was measured at another time than the others" };
            return Err(Fail::Data(format!(
                "in the record at position {position}, quantity {quantity} {what}"
            )));
        }
    }
    Ok(())
}

/// Takes down that rows of `newest` say this position for these series; returns those rows.
fn hints(
    state: &mut State,
    position: i64,
    series: impl Iterator<Item = i64>,
) -> impl Iterator<Item = (i64, i64)> {
    let (lane, mut known) = (state.id, state.newest.to_vec());
    let mut rows = Vec::new();
    for series in series {
        match known.iter_mut().find(|(s, _)| *s == series) {
            Some((_, at)) if position < *at + NEWEST_WITHIN => continue,
            Some((_, at)) => *at = position,
            None => known.push((series, position)),
        }
        rows.push((lane, series));
    }
    state.newest = known.into();
    rows.into_iter()
}

/// Records as they will be written: the readings of each are a list in JSON.
#[derive(Default)]
pub(crate) struct Packed {
    sheet: i64,
    records: Vec<Record>,
    text: String,
}

/// What stands beside the readings, and where their text ends.
struct Record {
    lane: i64,
    position: i64,
    tick: u64,
    not_before_us: Option<i64>,
    not_after_us: i64,
    end: usize,
}

impl Packed {
    /// One more reading of the record under way.
    fn reading(&mut self, series: i64, row: &ReadingRow) {
        let begin = self.records.last().map_or(0, |r| r.end);
        let mut digits = itoa::Buffer::new();
        self.text.push_str(if self.text.len() == begin { "[[" } else { ",[" });
        self.text.push_str(digits.format(series));
        self.text.push(',');
        self.text.push_str(digits.format(row.raw));
        if let Some(fault) = row.fault {
            self.text.push(',');
            self.text.push_str(digits.format(fault.0));
        }
        self.text.push(']');
    }

    fn end(&mut self, lane: i64, position: i64, row: &ReadingRow) {
        self.text.push(']');
        self.records.push(Record {
            lane,
            position,
            tick: row.tick.0,
            not_before_us: row.not_before_us,
            not_after_us: row.not_after_us,
            end: self.text.len(),
        });
    }

    /// Arguments for `RECORD`.
    pub(crate) fn args(&self) -> Vec<Arg<'_>> {
        let mut args = Vec::with_capacity(self.records.len() * RECORD.columns.len());
        let mut begin = 0;
        for record in &self.records {
            args.extend([
                Arg::Int(self.sheet),
                Arg::Int(record.lane),
                Arg::Int(record.position),
                record.tick.into(),
                record.not_before_us.into(),
                record.not_after_us.into(),
                // Only ASCII was pushed, so that every index is a border.
                Arg::Text(&self.text[begin..record.end]),
            ]);
            begin = record.end;
        }
        args
    }
}
