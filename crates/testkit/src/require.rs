//! Which optional parts this run must have.
//!
//! Plain `cargo test` passes on a machine without MariaDB, and says what it left out. A complete run sets
//! `SENSOCK_REQUIRE` to the names of the parts that must be there, separated by commas, and a missing one fails.

use std::io::Write as _;

/// The environment variable that lists the parts which must not be missing, such as `mariadb`.
pub const VARIABLE: &str = "SENSOCK_REQUIRE";

/// Whether this run must have `part`.
pub fn is_required(part: &str) -> bool {
    std::env::var(VARIABLE).is_ok_and(|list| names(&list, part))
}

/// Says that `suite` is skipped because `part` is missing, or panics with `remedy` where it is required.
///
/// The line goes to the real standard error, past the test harness that hides what passing tests print.
pub fn skip_or_fail(part: &str, suite: &str, remedy: &str) {
    assert!(!is_required(part), "{suite}: {remedy}");
    announce(&format!("skipped {suite}: {remedy}"));
}

/// Writes one line to standard error that a passing test shows too.
pub fn announce(line: &str) {
    // A closed standard error is no reason to fail a test.
    let _unheard = writeln!(std::io::stderr(), "{line}");
}

fn names(list: &str, part: &str) -> bool {
    list.split(',').any(|name| name.trim() == part)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_list_names_whole_words_only() {
        assert!(names("qemu, mariadb", "mariadb"));
        assert!(names("mariadb", "mariadb"));
        assert!(!names("mariadb-cluster", "mariadb"));
        assert!(!names("", "mariadb"));
    }
}
