//! Where the firmware lies that `cargo xtask firmware` has built.

use crate::board::Board;
use anyhow::{Context as _, Result};
use sensock_testkit::require::skip_or_fail;
use std::path::PathBuf;

/// The environment variable that names the directory of the images.
pub const VARIABLE: &str = "SENSOCK_FIRMWARE";
/// The part that `SENSOCK_REQUIRE` demands them by.
pub const PART: &str = "firmware";

/// The file of the keys that the images were built with, as the server reads it.
///
/// # Errors
/// When no directory is named.
pub fn keys() -> Result<PathBuf> {
    let directory = std::env::var_os(VARIABLE).with_context(|| format!("{VARIABLE} names no directory"))?;
    Ok(PathBuf::from(directory).join("keys"))
}

/// Program `name` of the board, or `None` after saying that `suite` is skipped.
///
/// # Panics
/// When there is no such image and [`sensock_testkit::require`] demands `firmware`, and when the directory is named but holds none: an image
/// that was not built must not pass for one that runs.
pub fn image_or_skip(board: Board, name: &str, suite: &str) -> Option<PathBuf> {
    let Some(directory) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        skip_or_fail(
            PART,
            suite,
            "there is no firmware: run cargo xtask firmware, which builds it and runs this",
        );
        return None;
    };
    let image = directory.join(board.target()).join("release").join(name);
    assert!(
        image.is_file(),
        "{suite}: {} is not there: was it built by cargo xtask firmware?",
        image.display()
    );
    Some(image)
}
