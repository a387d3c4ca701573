//! What a node in C lives through: ten cuts, two restarts of the server, a command while the line is away.

use sensock_testkit::process::{Line, Process};

use super::server::{PATIENCE, Server};

/// How many records `node.c` makes.
const RECORDS: usize = 5000;
/// It says so at each of so many.
const RECORDS_BETWEEN_CUTS: usize = RECORDS / 10;

/// Every record of `node` is stored once and in order, and the command runs once.
///
/// # Panics
/// When that is not so, or not within a minute after the last cut.
pub(crate) fn live_through(node: &mut Process, device: &str, mut server: Server) {
    let led = ["command", device, "led", "on", "--key", "once"];
    let mut leds = 0;
    let mut until = |node: &mut Process, words: &str| {
        let counted = |line: &Line| {
            leds += usize::from(line.text == "led 1");
            line.text == words
        };
        node.wait_until(PATIENCE, counted).unwrap();
        leds
    };
    for cut in 1..=10 {
        until(node, &format!("recorded {}", cut * RECORDS_BETWEEN_CUTS));
        if cut % 5 == 0 {
            server.kill();
            server.restart();
        } else {
            server.cut();
        }
        if cut == 3 {
            // The line is away while the command is given.
            server.proxy.refuse(true);
            server.proxy.cut();
            server.says(&[&led[..], &["--wait", "0s"]].concat(), "(led)");
            server.proxy.refuse(false);
        }
    }
    server.says(&["setting", device, "interval", "2", "--wait", "60s"], "applied interval = 2");
    assert_eq!(until(node, "everything is stored"), 1, "it ran once");

    let stored = server.until_stored(device, "count", RECORDS);
    assert_eq!(stored.len(), RECORDS);
    for (at, row) in stored.iter().enumerate() {
        assert_eq!((row.value, &*row.lane, row.boot, row.n), (at as f64, "readings", 1, at as u32));
    }
    // Asked for with the same key it is the same command.
    server.says(&[&led[..], &["--wait", "60s"]].concat(), "is done; the answer is true");
    node.kill().unwrap();
    assert!(node.rest().iter().all(|line| !line.text.starts_with("led")), "it ran once");
    let connections = server.proxy.accepted();
    assert!(connections >= 11, "{connections} connections");
}
