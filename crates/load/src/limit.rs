//! What a figure must not exceed, and whether it does.

use crate::table::columns;

/// A figure beside its limit.
#[derive(Clone, Debug)]
pub struct Limit {
    /// What is limited, in words.
    pub what: String,
    /// What was measured.
    pub measured: f64,
    /// What it may be at most, or at least.
    pub limit: f64,
    /// Whether `limit` is the least that is wanted.
    pub at_least: bool,
}

impl Limit {
    /// A figure that may be this large.
    pub fn at_most(what: impl Into<String>, measured: f64, limit: f64) -> Self {
        Self { what: what.into(), measured, limit, at_least: false }
    }

    /// A figure that must be this large.
    pub fn at_least(what: impl Into<String>, measured: f64, limit: f64) -> Self {
        Self { what: what.into(), measured, limit, at_least: true }
    }

    /// Whether it holds. What could not be measured does not.
    pub fn holds(&self) -> bool {
        match self.at_least {
            true => self.measured >= self.limit,
            false => self.measured <= self.limit,
        }
    }
}

/// All limits as a table.
pub fn summary(limits: &[Limit]) -> String {
    let mut rows = vec![["limit", "measured", "wanted", ""].map(str::to_owned).to_vec()];
    rows.extend(limits.iter().map(|limit| {
        vec![
            limit.what.clone(),
            format!("{:.2}", limit.measured),
            format!("{} {:.2}", if limit.at_least { "≥" } else { "≤" }, limit.limit),
            if limit.holds() { "holds" } else { "MISSED" }.to_owned(),
        ]
    }));
    columns(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_is_missed() {
        assert!(Limit::at_most("a", 1.0, 1.0).holds() && Limit::at_least("b", 1.0, 1.0).holds());
        assert!(!Limit::at_most("a", f64::NAN, 1.0).holds() && !Limit::at_least("b", f64::NAN, 1.0).holds());
        let text = summary(&[Limit::at_most("bytes", 3.0, 2.0)]);
        assert!(text.contains("MISSED") && text.contains("≤ 2.00"), "{text}");
    }
}
