//! `node.c` on a host, under the sanitizers.

use std::process::Command;

use sensock_testkit::process::Process;

use crate::common::journey;
use crate::common::server::{PATIENCE, Server};
use crate::{keys, library};

#[test]
fn a_node_in_c_lives_through_ten_cuts_and_two_restarts() {
    let folder = library::example("c");
    let sources = ["node.c", "port_posix.c"].map(|name| folder.join(name));
    let program = library::compile(
        "cc",
        &sources,
        &["-std=c11", "-Wpedantic", &keys::define("DEVICE_KEY", "c-node")],
        "node",
    );
    let server = Server::start(keys::file());
    let address = server.proxy.addr();
    let arguments = [address.ip().to_string(), address.port().to_string()];
    let mut node = Process::spawn(Command::new(program).args(arguments)).unwrap();
    node.wait_for("connected", PATIENCE).unwrap();
    journey::live_through(&mut node, "c-node", server);
}
