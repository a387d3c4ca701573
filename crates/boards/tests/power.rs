//! Power is cut and the machine is reset at random, while the line comes and goes: what the board said was persisted is stored, once and in order.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says no by panicking")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sensock::{Cause, Lane, Position};
use sensock_boards::bench::Bench;
use sensock_boards::board::{Board, Options};
use sensock_boards::images::image_or_skip;
use sensock_boards::recording;
use sensock_boards::stored::{Kept, wait};
use sensock_testkit::effort;
use sensock_testkit::require::announce;

/// Even on a computer that does much else.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the firmware erases and programs of its chip: as it leaves the factory. The rest of the 32 MiB is never looked at.
const ERASED: usize = 17 * (256 << 10);
const CHIP: u64 = 32 << 20;

#[test]
fn what_was_persisted_survives_every_cut() {
    lives(20, 0x5eed);
}

/// In its long form 400 cuts, with another course of events each time.
#[test]
#[ignore = "a proof: cargo xtask prove"]
fn prove_what_was_persisted_survives_every_cut() {
    for seed in 1..=effort::size(1, 10) {
        lives(effort::size(5, 40), seed);
    }
}

/// A course of events that can be had again: the same seed gives the same.
struct Course(u64);

impl Course {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// What the board said of itself.
#[derive(Default)]
struct Said {
    /// The last record of each boot that was persisted.
    persisted: BTreeMap<u32, u32>,
    erases_us: Vec<u32>,
    /// The most samples that an interrupt had taken and no task yet, as an erase ended.
    queued: u32,
}

impl Said {
    fn hear(&mut self, line: &str) {
        assert!(!line.starts_with("failed") && !line.starts_with("panic"), "{line}");
        if let Some((boot, n)) = line.strip_prefix("persisted ").and_then(|p| p.split_once('/')) {
            let (boot, n) = (boot.parse().unwrap(), n.parse().unwrap());
            let last = self.persisted.entry(boot).or_insert(n);
            *last = n.max(*last);
        }
        if let Some((us, queued)) = line.strip_prefix("erase_us=").and_then(|e| e.split_once(" queued=")) {
            self.erases_us.push(us.parse().unwrap());
            self.queued = self.queued.max(queued.parse().unwrap());
        }
    }
}

fn lives(cuts: u32, seed: u64) {
    let Some(image) = image_or_skip(Board::Virt, "logger", "the board whose power is cut") else { return };
    let began = Instant::now();
    let directory = tempfile::Builder::new().prefix("sensock-power-").tempdir().unwrap();
    let monitor = directory.path().join("monitor");
    let options = Options { more: hardware(&image, &chip(directory.path()), &monitor), ..Options::default() };
    let mut bench = Bench::start(Board::Virt, &image, options).unwrap();
    let (mut course, mut said, mut resets) = (Course(seed), Said::default(), 0);
    for _ in 0..cuts {
        // A life of up to two seconds; in some the line is away, or goes.
        bench.proxy.refuse(course.below(4) == 0);
        let end = Instant::now() + Duration::from_millis(100 + course.below(1_900));
        let cut = Instant::now() + Duration::from_millis(course.below(3_000));
        let mut lost = false;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            if !lost && Instant::now() >= cut {
                bench.proxy.cut();
                lost = true;
            }
            let slice = left.min(Duration::from_millis(20));
            if let Ok(line) = bench.machine.console().next_line(slice) {
                said.hear(&line.text);
            }
        }
        if course.below(3) == 0 {
            reset(&monitor);
            resets += 1;
        } else {
            bench.machine.cut_power().unwrap();
            bench.machine.console().rest().iter().for_each(|line| said.hear(&line.text));
            bench.machine.power_on().unwrap();
        }
    }
    // One more life, in which everything is brought to the server.
    bench.proxy.refuse(false);
    let last = *said.persisted.last_key_value().expect("something was persisted").0;
    wait(PATIENCE, || Ok(bench.stored.mark(Lane::Readings)? > Position::new(last + 1, 100))).unwrap();
    // What this life says counts no more: it has the time to persist what it has not to send.
    bench.machine.cut_power().unwrap();
    verdict(&bench.stored.kept().unwrap(), &said);
    said.erases_us.sort_unstable();
    // A sample each 10 ms: the interrupt went on while nothing else did.
    assert!(
        said.queued >= 20,
        "only {} samples waited during erases of {:?} us",
        said.queued,
        said.erases_us
    );
    announce(&format!(
        "virt: {cuts} times without power ({resets} resets among them), seed {seed:#x}: {} records of {} boots stored once and in order, none of the persisted lost; \
         {} erases blocked {} ms each ({} ms at most), and up to {} samples of the interrupt waited meanwhile; {:.0} s",
        bench.stored.kept().unwrap().records.len(),
        said.persisted.len(),
        said.erases_us.len(),
        said.erases_us[said.erases_us.len() / 2] / 1_000,
        said.erases_us[said.erases_us.len() - 1] / 1_000,
        said.queued,
        began.elapsed().as_secs_f64(),
    ));
}

/// A flash chip as it leaves the factory.
fn chip(directory: &Path) -> PathBuf {
    let path = directory.join("flash");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(&vec![0xff; ERASED]).unwrap();
    file.set_len(CHIP).unwrap();
    path
}

/// The chip, and a monitor that can reset the machine. With a second chip QEMU leaves the program aside, so it is loaded as data, where the core starts.
fn hardware(image: &Path, chip: &Path, monitor: &Path) -> Vec<String> {
    let chip = format!("if=pflash,unit=1,format=raw,file={}", chip.display());
    let program = format!("loader,file={}", image.display());
    let monitor = format!("unix:{},server=on,wait=off", monitor.display());
    ["-drive", &chip, "-device", &program, "-monitor", &monitor].map(str::to_owned).into()
}

/// Presses the machine's button.
fn reset(monitor: &Path) {
    let mut line = UnixStream::connect(monitor).expect("the machine's monitor");
    line.write_all(b"system_reset\n").unwrap();
    // It is carried out before the next command is read: what comes back ends with the second prompt.
    line.write_all(b"info status\n").unwrap();
    let mut said = String::new();
    let mut byte = [0];
    while !said.contains("VM status") {
        let n = std::io::Read::read(&mut line, &mut byte).unwrap();
        assert_eq!(n, 1, "the monitor ended after {said:?}");
        said.push(char::from(byte[0]));
    }
}

fn verdict(kept: &Kept, said: &Said) {
    let measured = recording::rows().unwrap();
    let mut boots: BTreeMap<u32, u32> = BTreeMap::new();
    let mut before = Position::NONE;
    for rows in &kept.records {
        let position = rows[0].position;
        assert!(position > before, "{position} after {before}: once, and in order");
        before = position;
        // The n-th sample of an interrupt's life is the n-th record: none was lost between the two, nor in flash.
        let next = boots.entry(position.boot()).or_insert(0);
        assert_eq!(position.n(), *next, "boot {}: a record is missing before {position}", position.boot());
        let raw: Vec<i32> = rows.iter().map(|row| row.raw).collect();
        let (temperature, humidity) = measured[*next as usize % measured.len()];
        assert_eq!(raw, [temperature, humidity], "{position}");
        *next += 1;
    }
    for (boot, n) in &said.persisted {
        let stored = boots.get(boot).copied().unwrap_or(0);
        assert!(stored > *n, "{boot}/{n} was persisted, but of boot {boot} only {stored} records are stored");
    }
    for gap in &kept.gaps {
        assert_eq!(gap.cause, Cause::Power, "{gap:?}");
        // The tail of a boot, and nothing that was there.
        let there = boots.get(&gap.first.boot()).copied().unwrap_or(0);
        assert!(
            gap.lane.lane != Lane::Readings || gap.first.n() >= there,
            "{gap:?}: {there} records are stored"
        );
    }
}
