//! The figures as tables, in the form that READMEs take.

use super::image::Sizes;
use super::{IMAGES, KEPT};
use std::collections::BTreeMap;

/// Prints flash and memory, a column for each target.
pub fn print(targets: &BTreeMap<String, BTreeMap<String, Sizes>>) {
    let head: Vec<&str> = targets.keys().map(|target| target.split('-').next().unwrap_or(target)).collect();
    println!("\nbytes of flash, text + rodata\n| part | {} |", head.join(" | "));
    println!("|---|{}", "--:|".repeat(head.len()));
    for (name, what) in IMAGES {
        let cell = |images: &BTreeMap<String, Sizes>| {
            images.get(name).map_or_else(String::new, |sizes| format!("{} + {}", sizes.text, sizes.rodata))
        };
        row(&format!("`{name}`: {what}"), targets.values().map(cell));
    }
    println!("\nbytes of memory, the caller's buffers apart\n| part | {} |", head.join(" | "));
    println!("|---|{}", "--:|".repeat(head.len()));
    for name in KEPT {
        let cell = |images: &BTreeMap<String, Sizes>| {
            images.get("kept").and_then(|kept| kept.kept.get(name)).map_or_else(String::new, u64::to_string)
        };
        row(name, targets.values().map(cell));
    }
    let cell = |images: &BTreeMap<String, Sizes>| {
        images.get("device").map_or_else(String::new, |sizes| format!("{} + {}", sizes.data, sizes.bss))
    };
    row("data + bss of `device`", targets.values().map(cell));
    println!();
}

fn row(name: &str, cells: impl Iterator<Item = String>) {
    println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
}
