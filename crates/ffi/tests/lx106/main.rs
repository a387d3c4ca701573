//! The static library on the ESP8266's core: `node.c`, linked as an Arduino link does it, in QEMU, against the real server.
//!
//! The image is built by `cargo xtask firmware`, which then runs this. The machine has a serial line, and at its other end a modem.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test says no by panicking"
)]

#[path = "../common/mod.rs"]
mod common;
mod modem;

use std::path::PathBuf;
use std::process::Command;

use common::journey;
use common::server::{PATIENCE, Server};
use modem::Modem;
use sensock_testkit::process::Process;
use sensock_testkit::require::skip_or_fail;

#[test]
fn a_node_in_c_on_lx106_lives_through_ten_cuts_and_two_restarts() {
    let suite = "sensock-ffi: a node in C on LX106";
    let Some(images) = std::env::var_os("SENSOCK_FIRMWARE").map(PathBuf::from) else {
        skip_or_fail(
            "firmware",
            suite,
            "there is no firmware: run cargo xtask firmware, which builds it and runs this",
        );
        return;
    };
    let image = images.join("lx106-c/node");
    assert!(image.is_file(), "{} is not there: was it built by cargo xtask firmware?", image.display());
    let server = Server::start(images.join("keys"));
    let modem = Modem::start(server.proxy.addr()).unwrap();
    let mut machine = Command::new("qemu-system-xtensa");
    machine.args([
        "-M",
        "kc705-nommu",
        "-cpu",
        "lx106",
        "-display",
        "none",
        "-monitor",
        "none",
        "-nic",
        "none",
    ]);
    machine.args(["-semihosting", "-serial", &format!("tcp:{}", modem.address()), "-kernel"]).arg(image);
    let mut node = Process::spawn(&mut machine).unwrap();
    let memory = node.wait_for("bytes of memory: ", PATIENCE).unwrap().replace("bytes of memory: ", "");
    println!("lx106: the C library takes {memory} bytes of memory, 4096 of them for records");
    node.wait_for("connected", PATIENCE).unwrap();
    journey::live_through(&mut node, "c-node", server);
}
