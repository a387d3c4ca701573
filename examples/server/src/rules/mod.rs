//! Zones: rule files, what they say of records, and what is done about it.
//!
//! ```text
//! file/     TOML → zone                  zone      a rule file that was loaded
//! check     what was understood          words     rules with their units
//! trial     records judged on trial      past · recorded    stored ones, recordings
//! backtest  what would have been said    labels    what is known to have happened
//! explain   why, or why not              replay    whether the log leads to what was said
//!
//! running   zones beside a server        judge/    from the stored feed to changes of hazards
//! lease     which server judges a zone   alarms/   what is stored of alarms      act/   what they move
//! ```

pub(crate) mod act;
pub(crate) mod alarms;
pub(crate) mod backtest;
pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod file;
pub(crate) mod judge;
pub(crate) mod labels;
pub(crate) mod lease;
pub(crate) mod past;
#[cfg(test)]
mod proofs;
pub(crate) mod recorded;
pub(crate) mod replay;
pub(crate) mod running;
#[cfg(test)]
mod tests;
pub(crate) mod trial;
pub(crate) mod words;
pub(crate) mod zone;
