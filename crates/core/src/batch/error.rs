use core::fmt;

/// Why a run could not be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeError {
    /// The bytes do not fit; nothing that was written is of use.
    NoRoom,
    /// `count` is not within 1 and [`MAX_RUN`](super::MAX_RUN).
    Count,
    /// `columns` is not within 1 and [`MAX_COLUMNS`](super::MAX_COLUMNS).
    Columns,
    /// A tick is smaller than the one before it.
    TicksFallBack,
    /// An iterator ended before it gave `count` items.
    TooFewItems,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRoom => "the run does not fit into the room given; encode fewer records",
            Self::Count => "a run holds 1 to 4096 records; split it",
            Self::Columns => "a record holds 1 to 16 quantities; split it",
            Self::TicksFallBack => "ticks of a run never fall; sort or split the run",
            Self::TooFewItems => "an iterator ended before the stated count; give as many items as records",
        })
    }
}

impl core::error::Error for EncodeError {}

/// Why bytes are not a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeError {
    /// `count` is not within 1 and [`MAX_RUN`](super::MAX_RUN).
    Count,
    /// `columns` is not within 1 and [`MAX_COLUMNS`](super::MAX_COLUMNS).
    Columns,
    /// The bytes end before the run does.
    Truncated,
    /// A field holds what no encoder writes.
    Malformed,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Count => "a run holds 1 to 4096 records; the stated count is another",
            Self::Columns => "a record holds 1 to 16 quantities; the stated number is another",
            Self::Truncated => {
                "the bytes end in the middle of a run; the frame was cut or its count is wrong"
            }
            Self::Malformed => "a field of the run holds what no encoder writes; the bytes are damaged",
        })
    }
}

impl core::error::Error for DecodeError {}
