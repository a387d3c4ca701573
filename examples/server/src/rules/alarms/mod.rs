//! Alarms as rows: written with what is known and how far was read, in one transaction; listed and acknowledged by people.
//!
//! ```text
//! keep      one commit of a judge           settle    what judging again found, against what is stored
//! open      how both of these begin         list      alarms and what was done
//! trail     how much of the log is kept, and where it is played from
//! ```

pub(crate) mod keep;
pub(crate) mod list;
pub(crate) mod open;
pub(crate) mod settle;
pub(crate) mod trail;

use sensock_rules::Level;

/// Whether a level is one that an alarm is raised at.
pub(crate) fn is_raised(level: Level) -> bool {
    level >= Level::Warning
}

/// A level by its word.
pub(crate) fn level(word: &str) -> Level {
    [Level::Normal, Level::Warning, Level::Critical]
        .into_iter()
        .find(|level| level.word() == word)
        .unwrap_or(Level::Unknown)
}
