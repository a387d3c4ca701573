//! Zones: rule files, and what they say of records.
//!
//! ```text
//! file/     TOML → zone                  zone      a rule file that was loaded
//! ```

pub(crate) mod file;
pub(crate) mod zone;
