//! What a node in C lives through: ten cuts, two restarts of the server, a command while the line is away.

use sensock_testkit::process::Process;

use super::server::{PATIENCE, Server};

/// How many records `node.c` makes.
const RECORDS: usize = 5000;
/// Of some 30,000 that all records take.
const BYTES_BETWEEN_CUTS: u64 = 1_500;

/// Every record of `node` is stored once and in order, and the command runs once.
///
/// # Panics
/// When that is not so, or not within a minute after the last cut.
pub(crate) fn live_through(node: &mut Process, device: &str, mut server: Server) {
    let led = ["command", device, "led", "on", "--key", "once"];
    for cut in 1..=10 {
        server.until_carried(BYTES_BETWEEN_CUTS);
        if cut % 5 == 0 {
            server.kill();
            server.restart();
        } else {
            assert!(server.proxy.cut() > 0, "there was something to cut");
        }
        if cut == 3 {
            // The line is away while the command is given.
            server.proxy.refuse(true);
            server.proxy.cut();
            server.says(&[&led[..], &["--wait", "0s"]].concat(), &format!("waits until {device} connects"));
            server.proxy.refuse(false);
        }
    }
    server.says(&["setting", device, "interval", "2"], "applied interval = 2");
    let mut leds = 0;
    node.wait_until(PATIENCE, |line| {
        leds += usize::from(line.text == "led 1");
        line.text == "everything is stored"
    })
    .unwrap();
    assert_eq!(leds, 1, "it ran once");

    let stored = server.until_stored(device, "count", RECORDS);
    assert_eq!(stored.len(), RECORDS);
    for (at, row) in stored.iter().enumerate() {
        assert_eq!((row.value, &*row.lane, row.boot, row.n), (at as f64, "readings", 1, at as u32));
    }
    // Asked for with the same key it is the same command.
    server.says(&[&led[..], &["--wait", "10s"]].concat(), "is done; the answer is true");
    node.kill().unwrap();
    assert!(node.rest().iter().all(|line| !line.text.starts_with("led")), "it ran once");
    let connections = server.proxy.accepted();
    assert!(connections >= 11, "{connections} connections");
}
