//! The sizes that were last accepted.

use super::image::Sizes;
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::path::Path;
use toml::{Table, Value};

/// How much more than recorded is too much, in percent.
const TOLERANCE: u64 = 3;
/// Fewer bytes than this are no difference, however small the figure.
const LEAST: u64 = 16;

/// By target, image and section; and the compiler that made them.
pub struct Recorded {
    compiler: String,
    bytes: BTreeMap<(String, String, String), u64>,
}

impl Recorded {
    /// From what was measured.
    pub fn new(compiler: &str, targets: &BTreeMap<String, BTreeMap<String, Sizes>>) -> Self {
        let mut bytes = BTreeMap::new();
        for (target, images) in targets {
            for (image, sizes) in images {
                let mut put = |what: &str, n: u64| {
                    if n > 0 {
                        bytes.insert((target.clone(), image.clone(), what.to_owned()), n);
                    }
                };
                put("text", sizes.text);
                put("rodata", sizes.rodata);
                put("data", sizes.data);
                put("bss", sizes.bss);
                sizes.kept.iter().for_each(|(name, n)| put(name, *n));
            }
        }
        Self { compiler: compiler.to_owned(), bytes }
    }

    /// Reads what was recorded.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| {
            format!("{} cannot be read; cargo xtask size --bless writes it", path.display())
        })?;
        Self::from_text(&text).with_context(|| format!("{} is not as --bless writes it", path.display()))
    }

    fn from_text(text: &str) -> Result<Self> {
        let table: Table = text.parse()?;
        let compiler =
            table.get("compiler").and_then(Value::as_str).context("the compiler is missing")?.to_owned();
        let mut bytes = BTreeMap::new();
        for (target, images) in table.iter().filter_map(|(name, value)| Some((name, value.as_table()?))) {
            for (image, sections) in images {
                for (what, n) in sections.as_table().context("an image is a table")? {
                    let n = n
                        .as_integer()
                        .and_then(|n| u64::try_from(n).ok())
                        .context("a size is a number of bytes")?;
                    bytes.insert((target.clone(), image.clone(), what.clone()), n);
                }
            }
        }
        Ok(Self { compiler, bytes })
    }

    /// As a file.
    pub fn to_text(&self) -> Result<String> {
        let mut table = Table::new();
        table.insert("compiler".into(), Value::String(self.compiler.clone()));
        for ((target, image, what), n) in &self.bytes {
            let images = child(&mut table, target).context("a target is a table")?;
            let sections = child(images, image).context("an image is a table")?;
            sections.insert(what.clone(), Value::Integer(i64::try_from(*n)?));
        }
        let head = "# Bytes, the empty image and the caller's buffers subtracted. Written by: cargo xtask size --bless\n";
        Ok(format!("{head}{}", toml::to_string(&table)?))
    }

    /// What grew too much, or is not recorded, among the targets that `now` has.
    pub fn compare(&self, now: &Recorded) -> Vec<String> {
        let mut broken = Vec::new();
        let other = if self.compiler == now.compiler {
            String::new()
        } else {
            format!(" (recorded with {}, this is {})", self.compiler, now.compiler)
        };
        for (key, n) in &now.bytes {
            let (target, image, what) = key;
            match self.bytes.get(key) {
                None => broken.push(format!("{what} of {image} on {target} is not recorded: cargo xtask size --bless")),
                Some(before) if *n > before + (before * TOLERANCE / 100).max(LEAST) => broken.push(format!(
                    "{what} of {image} on {target} grew from {before} to {n} bytes, more than {TOLERANCE} %{other}: \
                     make it smaller, or accept it with cargo xtask size --bless"
                )),
                Some(before) if *before > n + (n * TOLERANCE / 100).max(LEAST) => {
                    println!("{what} of {image} on {target} shrank from {before} to {n} bytes: --bless keeps it so");
                }
                Some(_) => {}
            }
        }
        broken
    }
}

fn child<'t>(table: &'t mut Table, name: &str) -> Option<&'t mut Table> {
    table.entry(name).or_insert_with(|| Value::Table(Table::new())).as_table_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(text: u64) -> Recorded {
        let sizes = Sizes { text, bss: 600, ..Sizes::default() };
        let image: BTreeMap<String, Sizes> = [("device".to_owned(), sizes)].into();
        Recorded::new("rustc 1", &[("thumbv7m".to_owned(), image)].into())
    }

    #[test]
    fn what_was_recorded_reads_back() {
        let before = recorded(20_000);
        let again = Recorded::from_text(&before.to_text().unwrap()).unwrap();
        assert_eq!((again.compiler, again.bytes), (before.compiler, before.bytes));
    }

    #[test]
    fn three_percent_more_is_let_pass_and_a_byte_above_is_not() {
        let before = recorded(20_000);
        assert!(before.compare(&recorded(20_600)).is_empty());
        assert!(before.compare(&recorded(10_000)).is_empty());
        let broken = before.compare(&recorded(20_601)).concat();
        assert!(broken.contains("from 20000 to 20601") && broken.contains("--bless"), "{broken}");
        let nothing = Recorded { compiler: String::new(), bytes: BTreeMap::new() };
        assert_eq!(nothing.compare(&before).len(), 2);
    }
}
