//! Twenty wakes of each board that sleeps most of the time: nothing is lost, what is wanted of it while it sleeps reaches it when it wakes, and a
//! wake is cheap.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says no by panicking")]

use sensock::Position;
use sensock_boards::bench::Bench;
use sensock_boards::board::{Board, Options};
use sensock_boards::images::image_or_skip;
use sensock_boards::recording;
use sensock_store::CommandState;
use sensock_testkit::proxy::Way;
use sensock_testkit::require::announce;
use std::time::Duration;

/// Even on a computer that does much else.
const PATIENCE: Duration = Duration::from_secs(60);
/// Records in a wake.
const EACH: u32 = 3;
/// Wakes in all.
const WAKES: u32 = 20;
/// Bytes of a wake in which nothing is wanted, up and down, with TCP's own apart: a proof of life of random length is in it, and what the seal
/// adds to a Hello (58), to a Welcome (49), and to each frame after them (16).
const BYTES: (u64, u64) = (290, 200);
/// How long a wake may take in guest time, dialling included: DHCP, TCP, two round trips of the session, and what a busy server takes to commit.
/// A wake has no key pair from before: where a multiplication takes long, the two of a handshake are most of it.
const fn awake_us(board: Board) -> u32 {
    match board {
        Board::Mps2 | Board::Virt => 1_000_000,
        Board::Lx106 => 1_500_000,
    }
}
/// A night that leaves time to ask for something.
const LONG_MS: &str = "8000";
/// A night that does not keep the test waiting.
const SHORT_MS: &str = "100";

#[test]
fn mps2_sleeps_and_loses_nothing() {
    nights(Board::Mps2);
}

#[test]
fn virt_sleeps_and_loses_nothing() {
    nights(Board::Virt);
}

#[test]
fn lx106_sleeps_and_loses_nothing() {
    nights(Board::Lx106);
}

/// What a board prints when it goes to sleep.
#[derive(Clone, Copy, Debug)]
struct Slept {
    boot: u32,
    told: bool,
    unsent: u32,
    awake_us: u32,
    up: u64,
    down: u64,
}

/// Waits until the board sleeps; `carried` is what the line had carried before, and is brought forward.
fn sleeps(bench: &mut Bench, carried: &mut (u64, u64)) -> Slept {
    let console = bench.machine.console();
    let bad = |text: &str| text.starts_with("failed") || text.starts_with("panic");
    let line =
        console.wait_until(PATIENCE, |line| line.text.starts_with("slept ") || bad(&line.text)).unwrap().text;
    let number = |name: &str| -> u32 {
        let word = line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        word.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("no {name} in {line:?}"))
    };
    let now = (bench.proxy.carried(Way::Up), bench.proxy.carried(Way::Down));
    let (up, down) = (now.0 - carried.0, now.1 - carried.1);
    *carried = now;
    let told = number("told") == 1;
    Slept { boot: number("boot"), told, unsent: number("unsent"), awake_us: number("awake_us"), up, down }
}

fn nights(board: Board) {
    let Some(image) = image_or_skip(board, "sleeper", "the boards' nights") else { return };
    // In guest time, so that the computer's other work does not count as being awake.
    let options = Options { shift: Some(board.shift()), ..Options::default() };
    let mut bench = Bench::start(board, &image, options).unwrap();
    let (mut carried, mut wakes) = ((0, 0), Vec::new());
    let (mut command, mut setting) = (None, None);
    for n in 1..=WAKES {
        let slept = sleeps(&mut bench, &mut carried);
        assert_eq!((slept.boot, slept.told, slept.unsent), (n, true, 0), "{slept:?}");
        match n {
            // The store knows the device now. However long the computer takes, the board does not wake before this is stored.
            1 => {
                bench.machine.console().pause().unwrap();
                setting = Some(interval(&bench, LONG_MS));
                bench.stored.until_setting("interval-ms", PATIENCE, |_| true).unwrap();
                bench.machine.console().resume().unwrap();
            }
            // Told in this wake, so that the next night is a long one.
            2 => assert!(setting.take().unwrap().wait(PATIENCE).unwrap().success()),
            3 => {
                bench.machine.console().pause().unwrap();
                let status = bench.daemon.ask(&["status"]).unwrap();
                assert!(status.contains("asleep until"), "{status}");
                let why = bench.daemon.ask(&["why", board.id(), "10m..now"]).unwrap();
                assert!(why.contains("sleep"), "{why}");
                let order = ["command", board.id(), "led", "on", "--key", "night", "--wait", "60s"];
                command = Some(bench.daemon.ask_later(&order).unwrap());
                setting = Some(interval(&bench, SHORT_MS));
                let waits = bench.stored.until_command("night", PATIENCE, |_| true).unwrap();
                assert_eq!(waits.state, CommandState::Queued, "the board sleeps");
                bench.stored.until_setting("interval-ms", PATIENCE, |row| row.applied_us.is_none()).unwrap();
                bench.machine.console().resume().unwrap();
            }
            4 => {
                // Answered before the board slept again, which it has just said.
                let row = bench.stored.until_command("night", Duration::ZERO, |_| true).unwrap();
                assert_eq!((row.state, &row.answer[..]), (CommandState::Done, &[1][..]));
                assert!(command.take().unwrap().wait(PATIENCE).unwrap().success());
                assert!(setting.take().unwrap().wait(PATIENCE).unwrap().success());
            }
            _ => wakes.push(slept),
        }
    }
    verdict(&mut bench, board, wakes);
}

fn interval(bench: &Bench, ms: &str) -> sensock_testkit::process::Process {
    bench
        .daemon
        .ask_later(&["setting", bench.machine.board().id(), "interval-ms", ms, "--wait", "60s"])
        .unwrap()
}

fn verdict(bench: &mut Bench, board: Board, wakes: Vec<Slept>) {
    bench.machine.cut_power().unwrap();
    let kept = bench.stored.kept().unwrap();
    assert_eq!(kept.gaps, [], "boots that end in order leave no gap");
    let found: Vec<Position> = kept.records.iter().map(|rows| rows[0].position).collect();
    let expected: Vec<Position> =
        (1..=WAKES).flat_map(|boot| (0..EACH).map(move |n| Position::new(boot, n))).collect();
    // It may have been cut in the middle of another wake.
    assert_eq!(&found[..expected.len()], expected, "each once, in order, boots without a step");
    let measured = recording::rows().unwrap();
    for (n, rows) in kept.records.iter().enumerate() {
        let raw: Vec<i32> = rows.iter().map(|row| row.raw).collect();
        let (temperature, humidity) = measured[n % EACH as usize];
        assert_eq!(raw, [temperature, humidity], "{}", rows[0].position);
    }
    let middle = |of: fn(&Slept) -> u64| {
        let mut all: Vec<u64> = wakes.iter().map(of).collect();
        all.sort_unstable();
        all[all.len() / 2]
    };
    let (up, down) = (middle(|w| w.up), middle(|w| w.down));
    let (awake, longest) = (middle(|w| w.awake_us.into()), wakes.iter().map(|w| w.awake_us).max().unwrap());
    announce(&format!(
        "{}: {WAKES} wakes of {EACH} records each: {up} B up and {down} B down a wake, {} ms awake from the start on ({} ms at most)",
        board.id(),
        awake / 1_000,
        longest / 1_000,
    ));
    assert!(up <= BYTES.0 && down <= BYTES.1, "{up} B up, {down} B down: {wakes:?}");
    assert!(awake <= awake_us(board).into(), "{awake} us: {wakes:?}");
}
