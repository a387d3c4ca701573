//! What can be wrong with a recording, told so that a person can mend it.

use std::{error::Error, fmt, io};

/// Why a recording cannot be replayed: which file, where in it, what was found and what was expected.
///
/// Nothing is replayed from a file with an error: it is found before the first row is given out.
#[derive(Debug)]
#[non_exhaustive]
pub struct ReplayError {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, counted from 1 with blank lines and titles, where there is one to point at.
    pub line: Option<u64>,
    /// The column's name in the header, where there is one to point at.
    pub column: Option<String>,
    /// What is wrong.
    pub problem: Box<Problem>,
}

/// What is wrong with a recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The system cannot read the file.
    #[error("cannot be read ({0}); expected a recording there, check the path and the permissions")]
    Read(io::Error),
    /// The name says gzip, the content does not.
    #[error("the name ends in .gz, but the content is not gzip; compress it, or take .gz off the name")]
    NotGzip,
    /// The gzip stream is damaged or ends early.
    #[error("the gzip data is damaged or cut off ({0}); copy the file again")]
    BrokenGzip(io::Error),
    /// More text than a replay holds in memory.
    #[error("holds more than {limit_mib} MiB of text; expected less, split the recording")]
    TooLarge {
        /// The limit, in MiB of uncompressed text.
        limit_mib: u64,
    },
    /// Bytes that are not text.
    #[error("found bytes that are not UTF-8 text; save the file as UTF-8")]
    NotText,
    /// Nothing but white space.
    #[error(
        "the file is empty; expected a header such as \"time,temperature\" and a line for each record below it"
    )]
    Empty,
    /// No line that names columns.
    #[error(
        "found {found}, expected a header that names a time and at least one quantity, such as \"time,temperature\""
    )]
    NoHeader {
        /// What is there instead.
        found: String,
    },
    /// A header and nothing below it that holds a value.
    #[error("there is a header, but no row with a value below it; expected at least one")]
    NoRows,
    /// A recording of a known kind without all of its columns.
    #[error("this looks like the {profile} recording, but the header has no {missing}; found {found}")]
    MissingColumns {
        /// The known kind.
        profile: &'static str,
        /// The columns that are not there.
        missing: String,
        /// The columns that are.
        found: String,
    },
    /// Only a time, or only text beside it.
    #[error("no column beside the time {time:?} begins with a number; expected at least one such as 23.45")]
    NoQuantities {
        /// The column taken as the time.
        time: String,
    },
    /// A row of another length than the header.
    #[error("found {found} fields, expected {expected} as in the header")]
    FieldCount {
        /// Fields in the row.
        found: usize,
        /// Fields in the header.
        expected: usize,
    },
    /// A quote without its end.
    #[error("found an opening quote without its end on the same line; close it with \"")]
    OpenQuote,
    /// A time in no known form.
    #[error("found {found:?}, expected {expected}")]
    BadTime {
        /// The cell.
        found: String,
        /// The forms that can be read.
        expected: &'static str,
    },
    /// A cell that is no number.
    #[error("found {found:?}, expected a number such as 23.45, or an empty field where nothing was measured")]
    BadNumber {
        /// The cell.
        found: String,
    },
    /// A number that a reading has no room for.
    #[error(
        "found {found:?}, expected a number between -{largest} and {largest}, the most that a reading holds"
    )]
    OutOfRange {
        /// The cell.
        found: String,
        /// The largest that fits, in the file's unit.
        largest: String,
    },
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column {column:?}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl Error for ReplayError {}

/// A problem and its place, before the file's name is put to it.
#[derive(Debug)]
pub(super) struct Fault {
    line: Option<u64>,
    column: Option<String>,
    problem: Problem,
}

impl Fault {
    pub(super) fn line(line: u64, problem: Problem) -> Self {
        Self { line: Some(line), column: None, problem }
    }

    pub(super) fn cell(line: u64, column: &str, problem: Problem) -> Self {
        Self { line: Some(line), column: Some(column.to_owned()), problem }
    }

    pub(super) fn in_file(self, file: &str) -> ReplayError {
        ReplayError {
            file: file.to_owned(),
            line: self.line,
            column: self.column,
            problem: Box::new(self.problem),
        }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self { line: None, column: None, problem }
    }
}
