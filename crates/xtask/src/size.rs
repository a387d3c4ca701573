//! `cargo xtask size`: what the device side takes of flash and of memory, on bare metal.
//!
//! The images of `benches/size` are linked for each target as a firmware would be (opt-level "s", link-time optimisation, unused sections
//! dropped). What the empty image has is subtracted. Hard limits stand here; beside the images, `recorded.toml` keeps the sizes that were
//! last accepted, and more than 3 % above them fails until someone says `--bless`.

mod image;
mod recorded;
mod table;

use crate::cargo::unbound;
use crate::part::{DEBIAN_CARGO, DEBIAN_RUSTC, Part};
use crate::plan::{Context, Done};
use crate::{run, test};
use anyhow::{Context as _, Result, ensure};
use image::{Image, Sizes};
use recorded::Recorded;
use std::collections::{BTreeMap, BTreeSet};

/// What the command line can say.
#[derive(clap::Args)]
pub struct Options {
    /// Take today's sizes as the recorded ones.
    #[arg(long)]
    bless: bool,
    /// How many of the largest symbols to print, for each target.
    #[arg(long, default_value_t = 15)]
    symbols: usize,
    /// These targets only; nothing is then held against the recorded sizes of others.
    #[arg(long, value_delimiter = ',')]
    target: Vec<String>,
}

/// Where they are linked for.
const TARGETS: [&str; 4] = ["thumbv6m-none-eabi", "thumbv7m-none-eabi", "riscv32imc-unknown-none-elf", LX106];
/// The ESP8266's core: a target that is described in a file, with a linker of ours.
const LX106: &str = "xtensa-lx106-none-elf";
/// Where that file is, from `benches/size`.
const LX106_FILE: &str = "../../examples/esp8266/toolchain/xtensa-lx106-none-elf.json";
/// The images, and what each is, in the order of the table.
const IMAGES: [(&str, &str); 8] = [
    ("encode", "codec, a device's half: batches are encoded"),
    ("decode", "codec, the other half (a device has no use for it)"),
    ("outbox", "outbox alone"),
    ("device", "codec (encoding), session and outbox together"),
    ("firmware", "the same, typed readings and bodies, frames on TCP, backoff"),
    ("seal", "what a sealed session has besides: handshake, ciphers, its key's line"),
    ("fire", "rule engine with the ready-made table for fire: values, rates"),
    ("rules", "rule engine with a table of every kind of rule"),
];
/// What the image `device` says of the memory it keeps, in the order of its list.
const KEPT: [&str; 6] = ["session", "outbox", "node", "deframer", "backoff", "carry"];
/// Bytes of records in the images' outbox: the caller's choice, so no part of a figure.
const RECORDS: u64 = 1024;

/// What an image is to come to, text and rodata, and on which target. Where it is missed, each run says by how much; what holds the way there is
/// what was recorded.
const FLASH_AIMS: [(&str, &str, u64); 2] =
    [("device", "thumbv7m-none-eabi", 24 * 1024), ("rules", LX106, 6 * 1024)];
/// What images may take of the ESP8266's flash, text and rodata.
const LX106_FLASH_LIMITS: [(&str, u64); 3] = [("device", 40 * 1024), ("seal", 24 * 1024), ("fire", 6 * 1024)];
/// What a session may keep in memory, the caller's buffers apart, on each target.
const SESSION_LIMIT: u64 = 1024;
/// What a session, and an outbox with 4 KiB of records, may take of the ESP8266's memory. Constants lie there too: its flash cannot be read
/// by bytes.
const LX106_MEMORY_LIMIT: u64 = 6 * 1024;
const LX106_RECORDS: u64 = 4 * 1024;

/// Says whether all limits hold.
pub fn run(options: Options) -> Result<bool> {
    let context = Context { root: test::workspace(), allow_missing: BTreeSet::new(), fuzz_seconds: 0 };
    context.require(Part::Cross)?;
    context.require(Part::Lx106)?;
    let (broken, missed) = weigh(&context, &options)?;
    missed.iter().for_each(|how| println!("missed: {how}"));
    broken.iter().for_each(|why| println!("FAILED: {why}"));
    Ok(broken.is_empty())
}

/// The same as a step of the test command.
pub fn step(context: &Context) -> Result<Done> {
    if let Some(why) = context.require(Part::Cross)? {
        return Ok(Done::Skipped(why));
    }
    // Without what links for LX106 the others are weighed.
    let left = context.require(Part::Lx106)?;
    let all = TARGETS.iter().filter(|target| left.is_none() || **target != LX106);
    let options =
        Options { bless: false, symbols: 15, target: all.map(|target| (*target).to_owned()).collect() };
    let (broken, missed) = weigh(context, &options)?;
    ensure!(broken.is_empty(), "{}", broken.join("; "));
    let notes: Vec<String> = missed.into_iter().chain(left).collect();
    Ok(if notes.is_empty() { Done::Passed } else { Done::Noted(notes.join("; ")) })
}

/// How far images are from each aim that they have not reached, on the targets that were measured.
fn missed_aims(sizes: &BTreeMap<String, BTreeMap<String, Sizes>>) -> Vec<String> {
    let missed = |(name, target, aim): (&str, &str, u64)| {
        let flash = sizes.get(target)?.get(name)?.flash();
        let over = flash.checked_sub(aim).filter(|over| *over > 0)?;
        Some(format!("{name} on {target} takes {flash} bytes of flash, {over} above its aim of {aim}"))
    };
    FLASH_AIMS.into_iter().filter_map(missed).collect()
}

/// Builds, prints, compares; returns what is broken, and how far the aims are.
fn weigh(context: &Context, options: &Options) -> Result<(Vec<String>, Vec<String>)> {
    let folder = context.root.join("benches/size");
    let known = |name: &String| TARGETS.contains(&name.as_str());
    ensure!(options.target.iter().all(known), "the targets are {}", TARGETS.join(", "));
    let wanted =
        |target: &&str| options.target.is_empty() || options.target.iter().any(|name| name == target);
    let mut today = BTreeMap::new();
    let mut broken = Vec::new();
    for target in TARGETS.iter().copied().filter(wanted) {
        build(context, target)?;
        let place = context.root.join("target/size").join(target).join("release");
        let empty = Image::read(&place.join("empty"))?;
        let mut sizes = BTreeMap::new();
        for (name, _) in IMAGES {
            let image = Image::read(&place.join(name))?;
            broken.extend(image.unwanted().into_iter().map(|why| format!("{name} on {target} {why}")));
            let mut own = image.sizes.less(&empty.sizes);
            own.bss = own.bss.saturating_sub(if own.bss > 0 { RECORDS } else { 0 });
            sizes.insert(name.to_owned(), own);
            if name == "device" {
                println!("\nthe largest symbols of {name} on {target}");
                image.largest(options.symbols).for_each(|(size, symbol)| println!("{size:>7}  {symbol}"));
                sizes.insert("kept".into(), Sizes::kept(&KEPT, &image.kept)?);
            }
        }
        today.insert(target.to_owned(), sizes);
    }
    table::print(&today);
    for (target, sizes) in &today {
        broken.extend(limits(target, sizes));
    }
    let file = folder.join("recorded.toml");
    let compiler = run::output(unbound(DEBIAN_RUSTC, context).arg("--version"))?;
    let now = Recorded::new(compiler.trim(), &today);
    if options.bless {
        ensure!(options.target.is_empty(), "--bless records all targets, so it goes without --target");
        std::fs::write(&file, now.to_text()?).context("the sizes cannot be recorded")?;
        println!("recorded in {}", file.strip_prefix(&context.root).unwrap_or(&file).display());
    } else {
        broken.extend(Recorded::read(&file)?.compare(&now));
    }
    Ok((broken, missed_aims(&today)))
}

/// The limits that hold whatever was recorded.
fn limits(target: &str, sizes: &BTreeMap<String, Sizes>) -> Vec<String> {
    let mut broken = Vec::new();
    let get = |name: &str| sizes.get(name).cloned().unwrap_or_default();
    let session = get("kept").kept.get("session").copied().unwrap_or(u64::MAX);
    if session > SESSION_LIMIT {
        broken.push(format!("a session on {target} keeps {session} bytes, {SESSION_LIMIT} are allowed"));
    }
    if target == LX106 {
        for (name, limit) in LX106_FLASH_LIMITS {
            let flash = get(name).flash();
            if flash > limit {
                broken.push(format!("{name} on {target} takes {flash} bytes of flash, {limit} are allowed"));
            }
        }
        let device = get("device");
        let memory = session.saturating_add(device.bss + device.data + device.rodata + LX106_RECORDS);
        if memory > LX106_MEMORY_LIMIT {
            broken.push(format!(
                "session, outbox and constants take {memory} bytes of memory on {target}, {LX106_MEMORY_LIMIT} are allowed"
            ));
        }
    }
    // An outbox that does not begin as zeros would lie in flash a second time, its room for records included.
    for (name, own) in sizes {
        if own.data > 0 {
            broken.push(format!(
                "{name} on {target} has {} bytes of data that begin as other than zeros",
                own.data
            ));
        }
    }
    broken
}

fn build(context: &Context, target: &str) -> Result<()> {
    let mut command = unbound(DEBIAN_CARGO, context);
    command.current_dir(context.root.join("benches/size"));
    // The variable lets a stable compiler take what `.cargo/config.toml` there says of build-std.
    command.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
    command.args(["build", "--release", "--bins", "--locked", "--target-dir", "../../target/size"]);
    run::run(command.args(["--target", if target == LX106 { LX106_FILE } else { target }]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(flash: u64, data: u64, session: u64) -> BTreeMap<String, Sizes> {
        let device = Sizes { text: flash, data, ..Sizes::default() };
        let kept = Sizes { kept: [("session".to_owned(), session)].into(), ..Sizes::default() };
        [("device".to_owned(), device), ("kept".to_owned(), kept)].into()
    }

    #[test]
    fn each_limit_is_held_and_named() {
        assert_eq!(limits("riscv32imc", &sizes(1, 0, SESSION_LIMIT)), [""; 0]);
        let one = |sizes| limits("riscv32imc", &sizes).concat();
        assert!(one(sizes(1, 1, 1)).contains("other than zeros"));
        assert!(one(sizes(1, 0, SESSION_LIMIT + 1)).contains("a session"));
    }

    #[test]
    fn the_chip_with_the_least_room_has_a_limit_of_its_own() {
        for (name, limit) in LX106_FLASH_LIMITS {
            let all = |flash| {
                let mut all = sizes(1, 0, 1);
                all.insert(name.to_owned(), Sizes { text: flash, ..Sizes::default() });
                all
            };
            assert_eq!(limits(LX106, &all(limit)), [""; 0]);
            assert!(limits(LX106, &all(limit + 1)).concat().contains("bytes of flash"));
            assert_eq!(limits("riscv32imc", &all(limit + 1)), [""; 0]);
        }
    }

    #[test]
    fn the_aim_is_told_until_it_is_reached() {
        for (name, target, aim) in FLASH_AIMS {
            let of = |flash| [(name.to_owned(), Sizes { text: flash, ..Sizes::default() })].into();
            let all = |flash| [(target.to_owned(), of(flash))].into();
            assert!(missed_aims(&all(aim + 7)).concat().contains(", 7 above"));
            assert_eq!(missed_aims(&all(aim)), [""; 0]);
        }
        assert_eq!(missed_aims(&BTreeMap::new()), [""; 0]);
    }

    #[test]
    fn constants_count_as_memory_where_flash_has_no_bytes() {
        let mut all = sizes(1, 0, 1000);
        all.get_mut("device").unwrap().bss = 500;
        let room = LX106_MEMORY_LIMIT - LX106_RECORDS - 1000 - 500;
        all.get_mut("device").unwrap().rodata = room;
        assert_eq!(limits(LX106, &all), [""; 0]);
        all.get_mut("device").unwrap().rodata = room + 1;
        assert!(limits(LX106, &all).concat().contains("constants"));
        assert_eq!(limits("riscv32imc", &all), [""; 0]);
    }
}
