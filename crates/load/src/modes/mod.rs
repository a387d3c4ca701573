//! A measurement each: what the command line offers. A mode prints its tables and returns the figures that are limited.
//!
//! A new one is a file with `Options` and `run`, a variant of [`Mode`] with its arm, and a name in [`ALL`].

pub mod batch64;
pub mod fleet;
pub mod idle;
pub mod mariadb;
pub mod scale;
pub mod storm;
pub mod table;

use anyhow::Result;
use clap::Parser;

use crate::limit::Limit;
use crate::server::Programs;

/// What can be measured.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Mode {
    /// Many connections with one exchange outstanding each, beside the peers.
    Fleet(fleet::Options),
    /// What a connection weighs that does nothing, beside the peers.
    Idle(idle::Options),
    /// A fleet that comes back all at once, beside a bare accept loop.
    Storm(storm::Options),
    /// What a record costs as the fleet grows.
    Scale(scale::Options),
    /// Batches of 64 on one connection, beside the same rows through the same store code without a network.
    Batch64(batch64::Options),
    /// The same inserts into an empty table and into one of ten million readings.
    Table(table::Options),
    /// The whole server over MariaDB, beside a bare loop of multi-row inserts.
    Mariadb(mariadb::Options),
}

/// What [`all`] measures, in this order.
pub const ALL: [&str; 7] = ["fleet", "batch64", "table", "mariadb", "idle", "storm", "scale"];

impl Mode {
    /// Measures, prints, and returns what is limited.
    ///
    /// # Errors
    /// When a server or a client fails, or what is stored is not what was acknowledged.
    pub fn run(&self, programs: &Programs) -> Result<Vec<Limit>> {
        match self {
            Self::Fleet(options) => fleet::run(programs, options),
            Self::Idle(options) => idle::run(programs, options),
            Self::Storm(options) => storm::run(programs, options),
            Self::Scale(options) => scale::run(programs, options),
            Self::Batch64(options) => batch64::run(programs, options),
            Self::Table(options) => table::run(programs, options),
            Self::Mariadb(options) => mariadb::run(programs, options),
        }
    }
}

/// A mode as it comes, without options.
#[derive(Parser)]
#[command(no_binary_name = true)]
struct AsItComes {
    #[command(subcommand)]
    mode: Mode,
}

/// Measures everything as it comes, one mode after the other, also after one that failed; says whether none did.
///
/// # Errors
/// Never for a mode: its error is printed.
pub fn all(programs: &Programs) -> Result<(Vec<Limit>, bool)> {
    let (mut limits, mut fine) = (vec![], true);
    for name in ALL {
        match AsItComes::try_parse_from([name])?.mode.run(programs) {
            Ok(more) => limits.extend(more),
            Err(error) => {
                eprintln!("error: {name}: {error:#}");
                fine = false;
            }
        }
        eprintln!();
    }
    Ok((limits, fine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_mode_that_needs_no_options() {
        for name in ALL {
            assert!(AsItComes::try_parse_from([name]).is_ok(), "{name}");
        }
    }
}
