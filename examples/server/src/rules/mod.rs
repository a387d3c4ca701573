//! Zones: rule files, and what they say of records.
//!
//! ```text
//! file/     TOML → zone                  zone      a rule file that was loaded
//! check     what was understood          words     rules with their units
//! ```

pub(crate) mod check;
pub(crate) mod file;
pub(crate) mod words;
pub(crate) mod zone;
