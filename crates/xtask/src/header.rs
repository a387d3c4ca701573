//! `cargo xtask header`: the C header of `sensock-ffi`, made of its source.

use crate::test;
use anyhow::{Context as _, Result, bail, ensure};
use std::path::Path;

/// What the command line can say.
#[derive(clap::Args)]
pub struct Options {
    /// Write nothing: say whether the header is what the source says.
    #[arg(long)]
    check: bool,
}

/// Where the header lies in the workspace.
pub const HEADER: &str = "crates/ffi/include/sensock.h";

/// What stands above everything else.
const ABOVE: &str = "\
/* sensock.h: the device end of sensock for C and C++. Made of the source of sensock-ffi by `cargo xtask header`: do not edit.
 *
 * The caller gives the memory, moves the bytes and passes the time. A device in short:
 *
 *     sensock_device *device;
 *     sensock_init(memory, sizeof memory, &config, millis(), &device);
 *     sensock_record(device, millis(), SENSOCK_LANE_READINGS, readings, 2);     (at any time, connected or not)
 *
 *     dial; sensock_connected(device, millis());
 *     again and again, until SENSOCK_EVENT_REFUSED, _SLEPT or _ENDED, or until the transport fails:
 *         bytes came:                  sensock_receive(device, millis(), bytes, length, &used);
 *         sensock_transmit gives some: write them; sensock_transmitted(device, written);
 *         sensock_poll gives an event: act on it, and poll on until SENSOCK_EVENT_NONE
 *     close; sensock_lost(device, millis()); wait sensock_backoff_ms(device, millis(), 0); dial again.
 *
 * Functions that return a sensock_error return 0 if all went well. One device is used by one thread at a time. */";

/// What stands below: small helpers for C, which have no symbol of their own.
const BELOW: &str = "\
/** Bytes of memory that are enough for any configuration with at most so many entries in its lists together: a static array's size.
 * frame_bytes is 256 if the configuration says 0. */
#define SENSOCK_MEMORY(outbox_bytes, frame_bytes, entries) \\
  (2240 + sizeof(void *) * 180 + 3 * (size_t)(frame_bytes) + (size_t)(outbox_bytes) + (size_t)(entries) * 64)

/** A reading in the quantity's unit. */
static inline sensock_reading sensock_real(uint16_t quantity, float value) {
  sensock_reading reading = {quantity, SENSOCK_KIND_REAL, 0, value};
  return reading;
}

/** A reading in whole units. */
static inline sensock_reading sensock_integer(uint16_t quantity, int32_t value) {
  sensock_reading reading = {quantity, SENSOCK_KIND_INTEGER, value, 0};
  return reading;
}

/** No value: 1 says that the sensor gave none, 32 to 255 are your own codes. */
static inline sensock_reading sensock_fault(uint16_t quantity, uint8_t why) {
  sensock_reading reading = {quantity, SENSOCK_KIND_FAULT, why, 0};
  return reading;
}

/** A value of a body: a whole number, for any number type that it fits. */
static inline sensock_value sensock_number(int64_t number) {
  sensock_value value = {SENSOCK_TYPE_I64, 0, number, NULL, 0};
  return value;
}

/** A value of a body: a float. */
static inline sensock_value sensock_float(float number) {
  sensock_value value = {SENSOCK_TYPE_F32, number, 0, NULL, 0};
  return value;
}";

/// The names in C of the types in Rust.
const NAMES: [(&str, &str); 17] = [
    ("Device", "sensock_device"),
    ("Error", "sensock_error"),
    ("Type", "sensock_type"),
    ("Kind", "sensock_kind"),
    ("Lane", "sensock_lane"),
    ("Policy", "sensock_policy_kind"),
    ("What", "sensock_event_kind"),
    ("QuantityInfo", "sensock_quantity"),
    ("CommandInfo", "sensock_command"),
    ("SettingInfo", "sensock_setting"),
    ("AskInfo", "sensock_question"),
    ("Config", "sensock_config"),
    ("ReadingIn", "sensock_reading"),
    ("Value", "sensock_value"),
    ("Event", "sensock_event"),
    ("Status", "sensock_status"),
    ("Account", "sensock_account"),
];

/// Says whether the header is, or now is, what the source says.
pub fn run(options: Options) -> Result<bool> {
    let root = test::workspace();
    let (path, made) = (root.join(HEADER), made(&root)?);
    if options.check {
        ensure!(is_fresh(&path, &made)?, "{HEADER} is not what the source says: run `cargo xtask header`");
    } else {
        std::fs::write(&path, made).with_context(|| format!("{HEADER} cannot be written"))?;
        println!("wrote {HEADER}");
    }
    Ok(true)
}

fn is_fresh(path: &Path, made: &str) -> Result<bool> {
    Ok(std::fs::read_to_string(path).with_context(|| format!("{HEADER} cannot be read"))? == made)
}

/// The header, as the source has it.
fn made(root: &Path) -> Result<String> {
    let source = root.join("crates/ffi/src");
    let mut config = cbindgen::Config {
        header: Some(ABOVE.into()),
        trailer: Some(BELOW.into()),
        after_includes: Some("\n/** A device, inside of the memory that was given for it. */\ntypedef struct sensock_device sensock_device;".into()),
        include_guard: Some("SENSOCK_H".into()),
        language: cbindgen::Language::C,
        cpp_compat: true,
        style: cbindgen::Style::Both,
        documentation_style: cbindgen::DocumentationStyle::Doxy,
        usize_is_size_t: true,
        no_includes: true,
        sys_includes: ["stdbool.h", "stddef.h", "stdint.h"].map(String::from).into(),
        line_length: 120,
        ..cbindgen::Config::default()
    };
    config.enumeration.rename_variants = cbindgen::RenameRule::QualifiedScreamingSnakeCase;
    config.export.rename = NAMES.map(|(rust, c)| (rust.to_owned(), c.to_owned())).into();
    // Functions take these as plain integers, so that no number that C passes can break anything.
    config.export.include = ["Type", "Kind", "Lane", "Policy", "What"].map(String::from).into();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in ["types.rs", "door/mod.rs"] {
        builder = builder.with_src(source.join(file));
    }
    let mut out = Vec::new();
    builder.generate().context("cbindgen cannot read the source")?.write(&mut out);
    let text = String::from_utf8(out).context("the header is not UTF-8")?;
    if !text.contains("sensock_init") {
        bail!("cbindgen left the functions out");
    }
    let short = text
        .replace("SENSOCK_EVENT_KIND_", "SENSOCK_EVENT_")
        .replace("SENSOCK_POLICY_KIND_", "SENSOCK_POLICY_");
    Ok(without_safety(&short))
}

/// What Rust says of safety is said in C by the sentences before it.
fn without_safety(text: &str) -> String {
    let mut out = String::new();
    let mut skipping = false;
    for line in text.lines() {
        let trimmed = line.trim_start();
        if trimmed == "* # Safety" {
            skipping = true;
            // The empty comment line before it.
            while out.ends_with(" *\n") {
                out.truncate(out.len() - 3);
            }
        }
        if trimmed.starts_with("*/") {
            skipping = false;
        }
        if !skipping {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_what_the_source_says() {
        let root = test::workspace();
        let path = root.join(HEADER);
        assert!(is_fresh(&path, &made(&root).unwrap()).unwrap(), "run `cargo xtask header`");
    }
}
