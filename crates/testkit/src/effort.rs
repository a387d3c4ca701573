//! How much a proof should do.
//!
//! A proof is a test whose name begins with `prove_`. `cargo test` runs it in its short form, or not at all if it
//! is marked `#[ignore]`; `cargo xtask prove` runs every one in its long form, optimised and alone.

use std::env::VarError;
use std::path::PathBuf;

/// The environment variable that says `long` in a run of the long forms.
pub const VARIABLE: &str = "SENSOCK_EFFORT";
/// The environment variable that names the directory of recordings which cannot be bundled.
pub const DATA_VARIABLE: &str = "SENSOCK_DATA";

/// The size of a proof: `short` under `cargo test`, `long` under `cargo xtask prove`.
///
/// ```
/// let rounds = sensock_testkit::effort::size(3, 30);
/// assert!(rounds == 3 || rounds == 30);
/// ```
///
/// # Panics
/// When the variable says something else, since a proof of unknown size proves nothing.
pub fn size<T>(short: T, long: T) -> T {
    if is_long(std::env::var(VARIABLE)) { long } else { short }
}

/// The directory of recordings that cannot be bundled, if this run was given one.
pub fn data() -> Option<PathBuf> {
    std::env::var_os(DATA_VARIABLE).map(PathBuf::from)
}

fn is_long(variable: Result<String, VarError>) -> bool {
    match variable {
        Err(VarError::NotPresent) => false,
        Ok(text) if text == "long" => true,
        Ok(text) if text == "short" => false,
        other => panic!("{VARIABLE} is {other:?}; expected long or short"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_long_makes_a_proof_long() {
        assert!(is_long(Ok("long".into())));
        assert!(!is_long(Ok("short".into())));
        assert!(!is_long(Err(VarError::NotPresent)));
    }

    #[test]
    #[should_panic(expected = "expected long or short")]
    fn another_word_is_an_error() {
        is_long(Ok("medium".into()));
    }
}
