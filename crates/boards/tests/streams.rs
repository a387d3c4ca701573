//! The rule engine says of recorded streams on each board what it says on the host: every alarm with its key and its cells, and all that it knew
//! on the way, to the bit.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use sensock_boards::board::{Board, Options};
use sensock_boards::images::image_or_skip;
use sensock_boards::machine::Machine;
use sensock_testkit::require::announce;
use std::time::Duration;

/// They take a few seconds at most; the rest is for a busy computer.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn every_stream_is_judged_on_every_board_as_on_the_host() {
    // What the image has baked in is what the host says now.
    let mut expected = String::new();
    let holds = sensock_rules_streams::print(&mut |part| expected.push_str(part));
    assert!(holds, "{expected}");
    let expected = expected.trim_end();
    for board in Board::ALL {
        let Some(image) = image_or_skip(board, "streams", "the rule engine on boards") else { return };
        let mut machine = Machine::start(board, &image, &Options::default()).unwrap();
        let said = machine.console().wait_for(" streams, ", PATIENCE).unwrap();
        assert_eq!(said, expected, "{}", board.id());
        assert!(machine.wait(PATIENCE).unwrap().success(), "{}: {:?}", board.id(), machine.console().rest());
        announce(&format!("{}: {said}", board.id()));
    }
}
