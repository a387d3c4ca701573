//! Who moves what: one owner for each command, and no hazard that answers to its own action.

use std::collections::BTreeMap;

use super::action::Drive;
use super::error::FileError;
use super::parsed::Parsed;
use crate::rules::zone::What;
use crate::show::words::nearest;

/// A hazard, by its file and its place there.
type Node = (usize, usize);

/// What is wrong with the actions of all files together.
pub(super) fn check(files: &[Parsed]) -> Vec<FileError> {
    let mut errors = Vec::new();
    owners(files, &mut errors);
    loops(files, &mut errors);
    errors
}

fn wrong(file: &Parsed, line: usize, what: String) -> FileError {
    FileError { file: file.file.clone(), line: Some(line), what }
}

/// Each command and each setting of a device belongs to one hazard, and has one value at each of its changes.
fn owners(files: &[Parsed], errors: &mut Vec<FileError>) {
    let mut owned: BTreeMap<(&str, &str, &str), (Node, usize)> = BTreeMap::new();
    let mut changes = BTreeMap::new();
    for (at, file) in files.iter().enumerate() {
        for stated in &file.actions {
            let (kind, device, name) = match &stated.action.what {
                What::Command { device, name, .. } => ("command", device.as_str(), name.as_str()),
                What::Setting { device, name, .. } => ("setting", device.as_str(), name.as_str()),
                What::Webhook { .. } | What::Program { .. } => continue,
            };
            let node = (at, stated.action.hazard);
            let words = || {
                let hazard = hazard_name(files, node);
                format!("the {kind} `{name}` of {device} belongs to `{hazard}`")
            };
            let (owner, line) = *owned.entry((kind, device, name)).or_insert((node, stated.line));
            let place = |files: &[Parsed], (at, _): Node, line: usize| match files.get(at) {
                Some(other) if other.file != file.file => format!("{}, line {line}", other.file),
                _ => format!("line {line}"),
            };
            if owner != node {
                let (other, first) = (hazard_name(files, owner), place(files, owner, line));
                errors.push(wrong(
                    file,
                    stated.line,
                    format!(
                        "{} here, but to `{other}` already ({first}): one owner moves it, so take one away",
                        words()
                    ),
                ));
                continue;
            }
            let change = (kind, device, name, stated.action.when.word());
            if let Some(first) = changes.insert(change, stated.line) {
                let when = stated.action.when.word();
                errors.push(wrong(
                    file,
                    stated.line,
                    format!("the {kind} `{name}` of {device} is given at `{when}` already (line {first}): take one away"),
                ));
            }
        }
    }
}

/// A hazard that is judged by what its own action moves, directly or through other hazards, is refused.
fn loops(files: &[Parsed], errors: &mut Vec<FileError>) {
    let mut edges: Vec<(Node, Node, &Drive, &Parsed, String)> = Vec::new();
    for (at, file) in files.iter().enumerate() {
        for stated in &file.actions {
            for drive in &stated.drives {
                let judged: Vec<Node> = judged_by(files, drive);
                if judged.is_empty() {
                    errors.push(wrong(file, drive.line, not_judged(files, drive)));
                }
                let by = match &stated.action.what {
                    What::Command { device, name, .. } | What::Setting { device, name, .. } => {
                        format!("`{name}` of {device} drives {}", drive.quantity)
                    }
                    What::Webhook { .. } | What::Program { .. } => continue,
                };
                edges.extend(
                    judged.into_iter().map(|to| ((at, stated.action.hazard), to, drive, file, by.clone())),
                );
            }
        }
    }
    for (from, to, drive, file, by) in &edges {
        // A way back from there to where it began; each loop is told where its first edge stands.
        let mut ways = vec![vec![*to]];
        let mut seen = vec![*to];
        let back = loop {
            let Some(way) = ways.pop() else { break None };
            let Some(&last) = way.last() else { break None };
            if last == *from {
                break Some(way);
            }
            for (_, next, ..) in edges.iter().filter(|(start, ..)| *start == last) {
                if !seen.contains(next) {
                    seen.push(*next);
                    ways.push(way.iter().copied().chain([*next]).collect());
                }
            }
        };
        if let Some(way) = back {
            let way: Vec<String> =
                way.iter().map(|node| format!("`{}`", hazard_name(files, *node))).collect();
            let (begin, way) = (hazard_name(files, *from), way.join(", which moves what decides "));
            errors.push(wrong(
                file,
                drive.line,
                format!(
                    "a loop: `{begin}` acts, {by}, which decides {way}: it would answer to itself. \
                     Judge it by another quantity, or take the action away"
                ),
            ));
        }
    }
}

/// The hazards that a quantity has a part in.
fn judged_by(files: &[Parsed], drive: &Drive) -> Vec<Node> {
    let mut nodes = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let reads = |rule: usize| {
            // A veto has a part too; those stand before what they veto, so this ends.
            let mut next = Some(rule);
            while let Some(rule) = next.and_then(|next| file.rules.get(next)) {
                let device = file.devices.get(usize::from(rule.device));
                let of_device = drive.device.is_none() || drive.device.as_ref() == device;
                if rule.quantity.name == drive.quantity && of_device {
                    return true;
                }
                next = rule.veto.map(|veto| usize::from(veto.rule));
            }
            false
        };
        for (place, hazard) in file.hazards.iter().enumerate() {
            if hazard.cells.iter().any(|cell| reads(usize::from(cell.rule))) {
                nodes.push((at, place));
            }
        }
    }
    nodes
}

fn not_judged(files: &[Parsed], drive: &Drive) -> String {
    let names: Vec<&str> =
        files.iter().flat_map(|file| &file.rules).map(|rule| rule.quantity.name.as_str()).collect();
    let of = drive.device.as_ref().map(|device| format!(" of {device}")).unwrap_or_default();
    let meant = match nearest(&drive.quantity, names).filter(|near| *near != drive.quantity) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "take `drives` away, for nothing answers to it".to_owned(),
    };
    format!("no hazard is judged by `{}`{of}: {meant}", drive.quantity)
}

fn hazard_name(files: &[Parsed], (file, hazard): Node) -> &str {
    files
        .get(file)
        .and_then(|file| file.hazards.get(hazard))
        .map(|hazard| hazard.name.as_str())
        .unwrap_or_default()
}
