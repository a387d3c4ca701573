//! Zones: rule files, and what they say of records.
//!
//! ```text
//! zone      a rule file that was loaded
//! ```

pub(crate) mod zone;
