//! `node.c` through cuts and restarts: every record is stored once, a command runs once.

use std::process::Command;

use sensock_testkit::process::Process;

use crate::library;
use crate::server::{PATIENCE, Server};

const RECORDS: usize = 5000;
/// Of some 30,000 that all records take.
const BYTES_BETWEEN_CUTS: u64 = 1_500;
const LED: [&str; 6] = ["command", "c-node", "led", "on", "--key", "once"];

#[test]
fn a_node_in_c_lives_through_ten_cuts_and_two_restarts() {
    let folder = library::example("c");
    let sources = ["node.c", "port_posix.c"].map(|name| folder.join(name));
    let program = library::compile("cc", &sources, &["-std=c11", "-Wpedantic"], "node");
    let mut server = Server::start();
    let (ip, port) = (server.proxy.addr().ip().to_string(), server.proxy.addr().port().to_string());
    let mut node = Process::spawn(Command::new(program).args([&ip, &port])).unwrap();
    node.wait_for("connected", PATIENCE).unwrap();

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
            server.says(&[&LED[..], &["--wait", "0s"]].concat(), "waits until c-node connects");
            server.proxy.refuse(false);
        }
    }
    server.says(&["setting", "c-node", "interval", "2"], "applied interval = 2");
    let mut leds = 0;
    node.wait_until(PATIENCE, |line| {
        leds += usize::from(line.text == "led 1");
        line.text == "everything is stored"
    })
    .unwrap();
    assert_eq!(leds, 1, "it ran once");

    let stored = server.until_stored("c-node", "count", RECORDS);
    assert_eq!(stored.len(), RECORDS);
    for (at, row) in stored.iter().enumerate() {
        assert_eq!((row.value, row.boot, row.n), (at as f64, 1, at as u32), "row {at}");
    }
    // Asked for with the same key it is the same command.
    server.says(&[&LED[..], &["--wait", "10s"]].concat(), "is done; the answer is true");
    node.kill().unwrap();
    assert!(node.rest().iter().all(|line| !line.text.starts_with("led")), "it ran once");
    let seen = server.proxy.accepted();
    assert!(seen >= 11, "{seen} connections");
}
