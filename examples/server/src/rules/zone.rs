//! A rule file that was loaded: what is judged, and what is done about it.

use std::path::PathBuf;
use std::time::Duration;

use sensock_rules::{Compiled, Signal};

/// A rule file that was loaded: one zone, judged as a whole.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    /// The file's stem: what alarms and leases are kept under.
    pub(crate) name: String,
    /// The devices' names; the index is the device's number in the table.
    pub(crate) devices: Vec<String>,
    /// Built once at start and kept for the process's life: its lists are leaked on purpose, because engines borrow them.
    pub(crate) table: Compiled<'static>,
    /// How long records are held back for those that come late.
    pub(crate) lateness: Duration,
    /// What is done about its hazards.
    pub(crate) actions: Vec<Action>,
}

/// A zone that nobody ever judged learns from so much of what is stored, and tells the alarms of that time.
pub(crate) const LOOK_BACK_MS: u64 = 7 * 86_400_000;
/// The same where past years teach, whose weight is that of eight: with the present one, nine, which have two or three leap days.
const YEARS_BACK_MS: u64 = (9 * 365 + 3) * 86_400_000;

impl Zone {
    /// How much of what is stored teaches what is usual.
    pub(crate) fn look_back_ms(&self) -> u64 {
        let is_seasonal = |signal: &Signal<'_>| matches!(signal, Signal::Season(_));
        match self.table.table().rules.iter().any(|rule| is_seasonal(&rule.signal)) {
            true => YEARS_BACK_MS,
            false => LOOK_BACK_MS,
        }
    }
}

/// What is done when a hazard changes its level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    /// The hazard, by its place in the table.
    pub(crate) hazard: usize,
    /// At which change.
    pub(crate) when: When,
    /// An alarm that is older is marked historic, and nothing moves.
    pub(crate) max_age: Duration,
    /// The least time between two of these; what it held back is said in the alarm's row. Zero: no limit.
    pub(crate) at_most_every: Duration,
    /// What is done.
    pub(crate) what: What,
}

/// At which change of a hazard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// It reached warning or worse.
    Warning,
    /// It reached critical.
    Critical,
    /// It is over.
    Cleared,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A command for a device, its value as the command line takes it.
    Command { device: String, name: String, value: String },
    /// A setting for a device, its value as the command line takes it.
    Setting { device: String, name: String, value: String },
    /// A POST of the alarm as JSON; over TLS, only authorities of the file `ca` are believed, or those of the system.
    Webhook { url: String, ca: Option<PathBuf> },
    /// A program that gets the alarm as JSON; no shell is between.
    Program { path: PathBuf, arguments: Vec<String> },
}

impl When {
    /// How a file says it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Cleared => "cleared",
        }
    }
}
