//! The Arduino library and its sketches, compiled for the host with a stub of the Arduino API, against the real server.

use std::path::PathBuf;
use std::process::Command;

use sensock_testkit::process::{Line, Process};
use sensock_testkit::proxy::Way;

use crate::common::server::{PATIENCE, Server};
use crate::{keys, library};

/// A sketch of the library as a program.
fn sketch(name: &str, device: &str) -> PathBuf {
    program(name, &text_of(name), &[&keys::define("KEY", device)]).unwrap_or_else(|said| panic!("{said}"))
}

fn text_of(name: &str) -> String {
    let folder = library::example("arduino/library/examples");
    std::fs::read_to_string(folder.join(name).join(format!("{name}.ino"))).unwrap()
}

/// A sketch's text as a program, or what the compiler said.
fn program(name: &str, text: &str, defines: &[&str]) -> Result<PathBuf, String> {
    let arduino = library::example("arduino");
    // The library's archive has the header in a folder, since its class's header has the same name but for one letter's case.
    let abi = library::folder().join("include/abi");
    std::fs::create_dir_all(&abi).unwrap();
    std::fs::copy(library::header_folder().join("sensock.h"), abi.join("sensock.h")).unwrap();
    let source = library::folder().join(format!("{name}.cpp"));
    std::fs::write(&source, format!("#include <Arduino.h>\n{text}")).unwrap();
    let include = |path: PathBuf| format!("-I{}", path.display());
    let folders =
        [arduino.join("stub"), arduino.join("library/src"), library::folder().join("include")].map(include);
    let mut flags = vec!["-std=gnu++17", "-Wno-missing-field-initializers"];
    flags.extend(folders.iter().map(String::as_str).chain(defines.iter().copied()));
    let sources = [source, arduino.join("library/src/Sensock.cpp"), arduino.join("stub/stub.cpp")];
    library::try_compile("g++", &sources, &flags, name)
}

fn run(program: &PathBuf, server: &Server, rtc: &std::path::Path) -> Process {
    let mut command = Command::new(program);
    command.env("STUB_SERVER", server.proxy.addr().to_string()).env("STUB_RTC", rtc);
    Process::spawn(&mut command).unwrap()
}

#[test]
fn a_sketch_without_its_key_does_not_compile_and_says_what_to_do() {
    let said = program("keyless", &text_of("DeepSleep"), &[]).unwrap_err();
    assert!(
        said.contains("paste the key of this board above: `sensockd keys add gate-1` prints it"),
        "{said}"
    );
}

#[test]
fn the_guides_sketch_stores_its_first_reading() {
    let page = library::header_folder().join("../../core/src/guide/_10_arduino.rs");
    let page = std::fs::read_to_string(page).unwrap().replace("//! ", "").replace("//!", "");
    let (_, rest) = page.split_once("```cpp\n").unwrap();
    let key = keys::define("KEY", "attic-1");
    let program = program("guide", rest.split_once("```").unwrap().0, &[&key]).unwrap();
    let server = Server::start(keys::file());
    let mut board = run(&program, &server, "/nowhere".as_ref());
    board.wait_for("link up", PATIENCE).unwrap();
    let stored = server.until_stored("attic-1", "light", 1);
    // 900 of 1024, at a scale of 0.
    assert_eq!((stored[0].value, stored[0].n), (88.0, 0));
}

#[test]
fn the_dht_sketch_measures_obeys_and_lives_through_cuts() {
    let program = sketch("DhtAndRelay", "cellar-3");
    let mut server = Server::start(keys::file());
    let mut board = run(&program, &server, "/nowhere".as_ref());
    server.until_stored("cellar-3", "temperature", 1);
    server.says(&["setting", "cellar-3", "interval-s", "1", "--wait", "60s"], "applied interval-s = 1");
    let said = server.says(&["setting", "cellar-3", "interval-s", "0", "--wait", "60s"], "interval-s");
    assert!(said.contains("refused"), "{said}");
    server.says(&["command", "cellar-3", "relay", "on", "--wait", "60s"], "is done; the answer is true");
    board.wait_for("pin 5 is 1", PATIENCE).unwrap();
    let before = server.stored("cellar-3", "temperature").len();
    server.says(&["command", "cellar-3", "read-now", "--wait", "60s"], "is done");
    assert!(server.until_stored("cellar-3", "temperature", before + 1).len() > before);

    // The line is cut, then the server is away, and nothing is lost.
    server.cut();
    server.kill();
    board.wait_for("link down", PATIENCE).unwrap();
    server.restart();
    board.wait_for("link up", PATIENCE).unwrap();
    let stored = server.until_stored("cellar-3", "humidity", 8);
    for (at, row) in stored.iter().enumerate() {
        assert_eq!(row.n, at as u32, "no record is missing or there twice: {stored:?}");
    }
    let temperatures = server.stored("cellar-3", "temperature");
    assert!(temperatures.iter().any(|row| row.fault == "not a number"), "{temperatures:?}");
}

#[test]
fn the_sleeping_sketch_wakes_five_times_and_runs_a_command_once() {
    let program = sketch("DeepSleep", "gate-1");
    let server = Server::start(keys::file());
    let rtc = library::folder().join("rtc");
    std::fs::remove_file(&rtc).unwrap_or_default();
    let (mut valves, mut carried) = (0, (0, 0));
    for wake in 0..5 {
        let mut board = run(&program, &server, &rtc);
        let counted = |line: &Line| {
            valves += usize::from(line.text == "pin 5 is 1");
            line.text.starts_with("awake for")
        };
        let line = board.wait_until(PATIENCE, counted).unwrap().text;
        assert!(board.wait(PATIENCE).unwrap().success());
        let (up, down) =
            (server.proxy.carried(Way::Up) - carried.0, server.proxy.carried(Way::Down) - carried.1);
        carried = (carried.0 + up, carried.1 + down);
        println!("wake {wake}: {line}; {up} bytes up, {down} bytes down");
        // The first wake brings the catalogue too, one a command. The whole of a wake is a Hello, a record, a Sleep, each with its seal; whether an
        // answer rides along or goes by itself, with a seal of its own, is a matter of moments.
        assert!(up <= 360 && down <= 300, "{up} bytes up, {down} down");
        server.says(&["status"], "asleep");
        if wake == 1 {
            server.says(&["command", "gate-1", "valve", "on", "--key", "once", "--wait", "0s"], "gate-1");
        }
    }
    let stored = server.until_stored("gate-1", "battery", 5);
    let boots: Vec<_> = stored.iter().map(|row| (row.boot, row.n)).collect();
    let first = boots[0].0;
    assert_eq!(
        boots,
        (0..5).map(|wake| (first + wake, 0)).collect::<Vec<_>>(),
        "one boot a wake, nothing lost"
    );
    server.says(&["command", "gate-1", "valve", "on", "--key", "once"], "is done; the answer is true");
    assert_eq!(valves, 1, "it ran at the wake after it was given, and never again");
}
