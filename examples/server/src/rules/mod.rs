//! Zones: rule files, and what they say of records.
//!
//! ```text
//! file/     TOML → zone                  zone      a rule file that was loaded
//! check     what was understood          words     rules with their units
//! trial     records judged on trial      past · recorded    stored ones, recordings
//! backtest  what would have been said    labels    what is known to have happened
//! explain   why, or why not
//! ```

pub(crate) mod backtest;
pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod file;
pub(crate) mod labels;
pub(crate) mod past;
pub(crate) mod recorded;
pub(crate) mod trial;
pub(crate) mod words;
pub(crate) mod zone;
