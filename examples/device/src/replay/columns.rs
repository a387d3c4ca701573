//! Which column is the time, which are quantities, and how to read a cell of each.

use super::{
    decimal::Decimal,
    error::{Fault, Problem},
    guess,
    profile::{self, TimeColumns},
    recording::QuantityInfo,
    stamp::{clock, date, stamp},
    table::{Fields, Table},
};
use sensock::{Fault as SensorFault, batch::Cell};

const STAMP_FORMS: &str =
    "a time such as 2015-02-04 17:51:00, 2015-02-04T17:51:00Z or seconds such as 1333263600";
const DATE_FORMS: &str = "a date such as 2004-03-10";
const CLOCK_FORMS: &str = "a time of day such as 18:00:00";
const COUNT_FORMS: &str = "a reading number such as 17";

/// How a table is read.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) time: Time,
    pub(super) quantities: Vec<Column>,
    /// The number that stands for "no value".
    no_value: Option<i64>,
}

/// Where a row's time is, by column number.
#[derive(Debug)]
pub(super) enum Time {
    Stamp(usize),
    DateAndClock(usize, usize),
    Counted { column: usize, step_ms: i64 },
}

/// One quantity's column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) index: usize,
    pub(super) info: QuantityInfo,
    /// From the file's unit to the quantity's, as a power of ten.
    pub(super) shift: i8,
}

impl Columns {
    /// By the table's profile, or else by what its cells look like.
    pub(super) fn of(table: &Table<'_>) -> Result<Self, Fault> {
        let Some(profile) = table.profile else {
            let (time, quantities) = guess::columns(table)?;
            return Ok(Self { time, quantities, no_value: None });
        };
        // A table has a profile only if every column is there, so no position is missed here.
        let at = |name| profile::position(&table.header, name).unwrap_or_default();
        let time = match profile.time {
            TimeColumns::Stamp(column) => Time::Stamp(at(column)),
            TimeColumns::DateAndClock(date, clock) => Time::DateAndClock(at(date), at(clock)),
            TimeColumns::Counted { column, step_ms } => Time::Counted { column: at(column), step_ms },
        };
        let quantities = profile.columns.iter().filter_map(|known| {
            let (name, unit) = (known.name.to_owned(), known.unit.to_owned());
            let info = QuantityInfo { name, unit, scale: known.scale };
            Some(Column { index: known.position(&table.header)?, info, shift: known.shift })
        });
        Ok(Self { time, quantities: quantities.collect(), no_value: profile.no_value })
    }

    /// The columns that are neither time nor quantity, by name.
    pub(super) fn skipped(&self, table: &Table<'_>) -> Vec<String> {
        let used =
            |index: &usize| self.time.uses(*index) || self.quantities.iter().any(|c| c.index == *index);
        (0..table.header.len()).filter(|index| !used(index)).map(|index| table.label(index)).collect()
    }

    /// The cell of one quantity (none where nothing was measured), and whether digits were rounded away.
    pub(super) fn cell(
        &self,
        column: &Column,
        line: u64,
        fields: &Fields<'_>,
        table: &Table<'_>,
    ) -> Result<(Option<Cell>, bool), Fault> {
        let text = fields.cell(column.index);
        let fault = |problem| Fault::cell(line, &table.label(column.index), problem);
        if missing(text) {
            return Ok((None, false));
        }
        let Some(number) = Decimal::parse(text) else {
            return match no_number(text) {
                Some(why) => Ok((Some(Cell::Fault(why.0)), false)),
                None => Err(fault(Problem::BadNumber { found: text.to_owned() })),
            };
        };
        if let (Some(no_value), Some(whole)) = (self.no_value, number.scaled(0))
            && whole.exact
            && whole.value == no_value
        {
            return Ok((Some(Cell::Fault(SensorFault::NO_VALUE.0)), false));
        }
        let scaled = number.scaled(column.places());
        match scaled.and_then(|scaled| Some((i32::try_from(scaled.value).ok()?, !scaled.exact))) {
            Some((value, rounded)) => Ok((Some(Cell::Value(value)), rounded)),
            None => Err(fault(Problem::OutOfRange { found: text.to_owned(), largest: column.largest() })),
        }
    }
}

impl Column {
    /// Decimals of the file's number that the quantity's scale keeps.
    fn places(&self) -> i32 {
        i32::from(self.shift) - i32::from(self.info.scale)
    }

    /// The largest number of the file that fits a reading.
    fn largest(&self) -> String {
        let digits = i32::MAX.to_string();
        match usize::try_from(self.places()) {
            Ok(places) if places > 0 => {
                let digits = format!("{digits:0>width$}", width = places + 1);
                let (whole, fraction) = digits.split_at(digits.len() - places);
                format!("{whole}.{fraction}")
            }
            _ => digits,
        }
    }
}

impl Time {
    /// Whether rows are numbered instead of timed.
    pub(super) fn is_counted(&self) -> bool {
        matches!(self, Self::Counted { .. })
    }

    /// Whether a column belongs to the time.
    pub(super) fn uses(&self, index: usize) -> bool {
        match *self {
            Self::Stamp(column) | Self::Counted { column, .. } => column == index,
            Self::DateAndClock(date, clock) => date == index || clock == index,
        }
    }

    /// A row's time in milliseconds; since when is the file's affair.
    pub(super) fn read(&self, line: u64, fields: &Fields<'_>, table: &Table<'_>) -> Result<i64, Fault> {
        let part = |column: usize, parse: fn(&str) -> Option<i64>, expected| {
            let text = fields.cell(column);
            parse(text).ok_or_else(|| {
                let problem = Problem::BadTime { found: text.to_owned(), expected };
                Fault::cell(line, &table.label(column), problem)
            })
        };
        match *self {
            Self::Stamp(column) => part(column, stamp, STAMP_FORMS),
            Self::DateAndClock(day, time) => {
                Ok(part(day, date, DATE_FORMS)? + part(time, clock, CLOCK_FORMS)?)
            }
            Self::Counted { column, step_ms } => Ok(part(column, count, COUNT_FORMS)? * step_ms),
        }
    }
}

/// A reading number: whole, and small enough that its time is one that clocks can show.
fn count(text: &str) -> Option<i64> {
    text.parse::<u32>().ok().map(i64::from)
}

/// Nothing was measured.
pub(super) fn missing(text: &str) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case("na") || text.eq_ignore_ascii_case("null")
}

/// What a sensor's arithmetic writes when it fails, and the fault that it is.
pub(super) fn no_number(text: &str) -> Option<SensorFault> {
    let size = text.trim_start_matches(['-', '+']);
    let is = |word: &str| size.eq_ignore_ascii_case(word);
    match () {
        () if is("nan") => Some(SensorFault::NOT_A_NUMBER),
        () if !is("inf") && !is("infinity") => None,
        () if text.starts_with('-') => Some(SensorFault::TOO_LOW),
        () => Some(SensorFault::TOO_HIGH),
    }
}
