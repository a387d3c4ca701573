//! What goes wrong, and in which step of the protocol it does.
//!
//! A fault counts when it hit, and only in the step that its device was in then. *Hit* means:
//!
//! | fault | counts when |
//! |---|---|
//! | delay, split, drip, stall | a frame of that connection arrived later, or in more pieces, than it would have |
//! | truncate | a frame broke off in its middle |
//! | cut, half-open | a connection that stood was lost; everything on its way with it |
//! | duplicate | a second connection of the same device was accepted beside the first |
//! | power | a board that ran lost its memory |
//! | torn write, between writes | power went while a write to flash was half done, or done and not yet told |
//! | clone | the second board was heard by a server, or the first one because of it |
//! | rollback | what the board kept was exchanged for something else than it held |
//! | drift | a crystal that runs changed its rate |
//! | crash | a server that had a connection with the device died |
//! | crash in commit | a transaction with the device's work died between two of its steps |
//! | clock step | a server's wall clock jumped under a connection of the device |
//! | 1970 | a server that started with a wrong clock turned the device away |
//! | store slow, fails, unsaid | a transaction with the device's work took longer, failed, or was committed and said to have failed |
//! | poison | the store rejected the device's record |
//! | restore | the store forgot something that it had of the device |

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the table above says what each is")]
pub enum Kind {
    Delay,
    Split,
    Drip,
    Stall,
    Truncate,
    Cut,
    HalfOpen,
    Duplicate,
    Power,
    TornWrite,
    BetweenWrites,
    Clone,
    Rollback,
    Drift,
    Crash,
    CrashInCommit,
    ClockStep,
    Clock1970,
    StoreSlow,
    StoreFails,
    StoreUnsaid,
    Poison,
    Restore,
}

/// Where a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// It runs without a connection, and waits to dial.
    Offline,
    /// Connected, and no Hello arrived.
    Dialing,
    /// The server has the Hello, the device no Welcome.
    Hello,
    /// The device has Welcome; the Hello transaction does not stand.
    Unconfirmed,
    /// The catalogue is on its way, or being stored.
    Catalogue,
    /// Everything is acknowledged, and nothing is on its way.
    Idle,
    /// Readings are on their way.
    Data,
    /// A transaction with its works is under way.
    Commit,
    /// The store has more than the device has been told.
    Ack,
    /// A command is being sent, or runs.
    Command,
    /// An answer or the like is not acknowledged.
    Reply,
    /// Sleep was said.
    Leaving,
    /// It sleeps.
    Sleeping,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 23] = {
        use Kind::*;
        [
            Delay,
            Split,
            Drip,
            Stall,
            Truncate,
            Cut,
            HalfOpen,
            Duplicate,
            Power,
            TornWrite,
            BetweenWrites,
            Clone,
            Rollback,
            Drift,
            Crash,
            CrashInCommit,
            ClockStep,
            Clock1970,
            StoreSlow,
            StoreFails,
            StoreUnsaid,
            Poison,
            Restore,
        ]
    };

    /// As the table says it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Delay => "delay",
            Kind::Split => "split",
            Kind::Drip => "drip",
            Kind::Stall => "stall",
            Kind::Truncate => "truncate",
            Kind::Cut => "cut",
            Kind::HalfOpen => "half-open",
            Kind::Duplicate => "duplicate",
            Kind::Power => "power",
            Kind::TornWrite => "torn write",
            Kind::BetweenWrites => "between writes",
            Kind::Clone => "clone",
            Kind::Rollback => "rollback",
            Kind::Drift => "drift",
            Kind::Crash => "crash",
            Kind::CrashInCommit => "crash in commit",
            Kind::ClockStep => "clock step",
            Kind::Clock1970 => "1970",
            Kind::StoreSlow => "store slow",
            Kind::StoreFails => "store fails",
            Kind::StoreUnsaid => "store unsaid",
            Kind::Poison => "poison",
            Kind::Restore => "restore",
        }
    }

    /// Whether it needs a transaction with the device's works.
    pub(crate) fn needs_transaction(self) -> bool {
        matches!(self, Kind::CrashInCommit | Kind::StoreSlow | Kind::StoreFails | Kind::StoreUnsaid)
    }

    /// Why it cannot hit this step, if so.
    pub fn impossible(self, step: Step) -> Option<&'static str> {
        let connected = !matches!(step, Step::Offline | Step::Sleeping);
        match self {
            Kind::Delay
            | Kind::Split
            | Kind::Drip
            | Kind::Stall
            | Kind::Truncate
            | Kind::Cut
            | Kind::HalfOpen
            | Kind::Duplicate
            | Kind::ClockStep
            | Kind::Crash
            | Kind::Clock1970
                if !connected =>
            {
                Some("there is no connection")
            }
            Kind::Power | Kind::TornWrite | Kind::BetweenWrites | Kind::Drift if step == Step::Sleeping => {
                Some("it has no power: nothing runs, and nothing is in memory")
            }
            Kind::Poison if step == Step::Sleeping => Some("it records nothing while it sleeps"),
            Kind::Poison | Kind::TornWrite | Kind::BetweenWrites if step == Step::Leaving => {
                Some("it records nothing after its Sleep")
            }
            kind if kind.needs_transaction() => match step {
                Step::Offline | Step::Sleeping | Step::Dialing | Step::Hello => {
                    Some("no transaction of it is under way before it proved itself live")
                }
                Step::Idle | Step::Ack => Some("this step is one in which no transaction of it is under way"),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Step {
    /// All steps.
    pub const ALL: [Step; 13] = {
        use Step::*;
        [
            Offline,
            Dialing,
            Hello,
            Unconfirmed,
            Catalogue,
            Idle,
            Data,
            Commit,
            Ack,
            Command,
            Reply,
            Leaving,
            Sleeping,
        ]
    };

    /// As the table says it.
    pub fn name(self) -> &'static str {
        match self {
            Step::Offline => "offline",
            Step::Dialing => "dialing",
            Step::Hello => "hello",
            Step::Unconfirmed => "unconf.",
            Step::Catalogue => "catalog",
            Step::Idle => "idle",
            Step::Data => "data",
            Step::Commit => "commit",
            Step::Ack => "ack",
            Step::Command => "command",
            Step::Reply => "reply",
            Step::Leaving => "leaving",
            Step::Sleeping => "asleep",
        }
    }
}

/// How often each kind hit each step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table(pub [[u64; Step::ALL.len()]; Kind::ALL.len()]);

impl Default for Table {
    fn default() -> Self {
        Table([[0; Step::ALL.len()]; Kind::ALL.len()])
    }
}

impl Table {
    /// One more.
    pub fn count(&mut self, kind: Kind, step: Step) {
        self.0[kind as usize][step as usize] += 1;
    }

    /// Adds another table.
    pub fn add(&mut self, other: &Table) {
        for (mine, theirs) in self.0.iter_mut().flatten().zip(other.0.iter().flatten()) {
            *mine += theirs;
        }
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.0.iter().flatten().sum()
    }

    /// The smallest count of a pair that is possible.
    pub fn least(&self) -> (u64, Kind, Step) {
        let pairs = Kind::ALL.into_iter().flat_map(|k| Step::ALL.map(|s| (k, s)));
        let possible = pairs.filter(|(k, s)| k.impossible(*s).is_none());
        let counted = possible.map(|(k, s)| (self.0[k as usize][s as usize], k, s));
        counted.min().unwrap_or((0, Kind::Cut, Step::Idle))
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:<15}", "")?;
        Step::ALL.iter().try_for_each(|s| write!(f, "{:>8}", s.name()))?;
        writeln!(f)?;
        for kind in Kind::ALL {
            write!(f, "{:<15}", kind.name())?;
            for step in Step::ALL {
                match kind.impossible(step) {
                    Some(_) => write!(f, "{:>8}", "-")?,
                    None => write!(f, "{:>8}", self.0[kind as usize][step as usize])?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
