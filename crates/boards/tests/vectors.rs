//! The byte vectors of the specification are read and written on each board as on the host.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use sensock_boards::board::{Board, Options};
use sensock_boards::images::image_or_skip;
use sensock_boards::machine::Machine;
use sensock_testkit::require::announce;
use std::time::Duration;

/// They take a fraction of a second each; the rest is for a busy computer.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn every_vector_passes_on_every_board() {
    // What the host found in the same files.
    let count = sensock_vectors::run(&mut |failure| panic!("{failure:?}"));
    let expected = format!(
        "{} vectors read, {} written, {} beginnings refused, 0 failed",
        count.vectors, count.written, count.cut
    );
    for board in Board::ALL {
        let Some(image) = image_or_skip(board, "vectors", "the vectors on boards") else { return };
        let mut machine = Machine::start(board, &image, &Options::default()).unwrap();
        let said = machine.console().wait_for(" vectors read", PATIENCE).unwrap();
        assert_eq!(said, expected, "{}", board.id());
        assert!(machine.wait(PATIENCE).unwrap().success(), "{}: {:?}", board.id(), machine.console().rest());
        announce(&format!("{}: {said}", board.id()));
    }
}
