//! A recording that is not known: its time and its quantities, by what the cells look like.

use super::{
    columns::{Column, Time, missing, no_number},
    decimal::Decimal,
    error::{Fault, Problem},
    profile,
    recording::QuantityInfo,
    table::{Fields, Table},
};
use sensock::limits::{NAME_MAX, READINGS_PER_RECORD};

/// More decimals than this are left over from arithmetic, no sensor resolves them.
const MOST_DECIMALS: u32 = 6;

/// The time is the first column that has a name (a `date` column with a `time` column beside it count as one), and
/// each column is a quantity whose first cell with something in it is a number.
pub(super) fn columns(table: &Table<'_>) -> Result<(Time, Vec<Column>), Fault> {
    let time = match ["date", "time"].map(|name| profile::position(&table.header, name)) {
        [Some(date), Some(clock)] => Time::DateAndClock(date, clock),
        _ => Time::Stamp(table.header.iter().position(|name| !name.is_empty()).unwrap_or_default()),
    };
    let mut looks: Vec<_> = table.header.iter().map(|_| Look::default()).collect();
    let mut any = false;
    for row in table.rows() {
        let (line, fields) = row?;
        if !any {
            // What is no time at all is said before anything about the other columns.
            time.read(line, &fields, table)?;
            any = true;
        }
        for (index, look) in looks.iter_mut().enumerate() {
            look.see(&fields, index);
        }
    }
    if !any {
        return Err(Fault::line(table.header_line, Problem::NoRows));
    }
    let mut quantities: Vec<Column> = Vec::new();
    for (index, look) in looks.iter().enumerate() {
        let Kind::Number = look.kind else { continue };
        if time.uses(index) || table.header.get(index).is_some_and(|name| name.is_empty()) {
            continue;
        }
        if quantities.len() == READINGS_PER_RECORD {
            break;
        }
        let name = unused_name(&table.label(index), &quantities);
        let info = QuantityInfo { name, unit: String::new(), scale: look.scale() };
        quantities.push(Column { index, info, shift: 0 });
    }
    if quantities.is_empty() {
        let time = (0..table.header.len()).find(|index| time.uses(*index)).unwrap_or_default();
        return Err(Fault::line(table.header_line, Problem::NoQuantities { time: table.label(time) }));
    }
    Ok((time, quantities))
}

/// What is known of a column so far.
#[derive(Debug, Default)]
struct Look {
    kind: Kind,
    /// The most decimals that a cell shows.
    shown: u32,
    /// The most decimals at which every cell fits a reading.
    fits: Option<u32>,
}

#[derive(Debug, Default)]
enum Kind {
    #[default]
    Empty,
    Number,
    Text,
}

impl Look {
    fn see(&mut self, fields: &Fields<'_>, index: usize) {
        let text = fields.cell(index);
        let number = Decimal::parse(text);
        if matches!(self.kind, Kind::Empty) && !missing(text) && no_number(text).is_none() {
            self.kind = if number.is_some() { Kind::Number } else { Kind::Text };
        }
        let Some(number) = number else { return };
        self.shown = self.shown.max(number.decimals());
        let fits = |places: u32| {
            let scaled = number.scaled(i32::try_from(places).unwrap_or_default());
            scaled.is_some_and(|scaled| i32::try_from(scaled.value).is_ok())
        };
        let mut places = self.fits.unwrap_or(MOST_DECIMALS);
        while places > 0 && !fits(places) {
            places -= 1;
        }
        self.fits = Some(places);
    }

    fn scale(&self) -> i8 {
        let places = self.shown.min(self.fits.unwrap_or(MOST_DECIMALS)).min(MOST_DECIMALS);
        -i8::try_from(places).unwrap_or_default()
    }
}

/// The name, or with a number behind it if a column before has the same; cut to what a catalogue takes.
fn unused_name(name: &str, taken: &[Column]) -> String {
    let used = |name: &str| taken.iter().any(|column| column.info.name == name);
    let numbered = (2..).map(|n| with_end(name, &format!("-{n}")));
    let mut names = std::iter::once(with_end(name, "")).chain(numbered);
    names.find(|name| !used(name)).unwrap_or_default()
}

/// The name and its end, in at most as many bytes as a catalogue takes.
fn with_end(name: &str, end: &str) -> String {
    let mut room = NAME_MAX.saturating_sub(end.len()).min(name.len());
    while !name.is_char_boundary(room) {
        room -= 1;
    }
    format!("{}{end}", name.get(..room).unwrap_or_default())
}
