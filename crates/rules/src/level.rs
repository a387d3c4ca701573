//! How bad it is, in four words.

/// What a quantity or a hazard is at; each is worse than those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing is known: no reading yet, or none for too long. Neither normal nor an alarm.
    #[default]
    Unknown,
    /// As it should be.
    Normal,
    /// Worth a look.
    Warning,
    /// Worth an action.
    Critical,
}

impl Level {
    /// The word a person reads.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Normal => "normal",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl core::fmt::Display for Level {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.word())
    }
}
