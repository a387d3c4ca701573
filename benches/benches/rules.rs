//! What judging costs: 100 rules of each kind, and of all kinds, over the readings of 200 devices, and on those of one.
//!
//! In `zone` every second device has a rule: a record's whole way through the engine, the search for its rules included, and of two records one finds
//! a rule. In `one device` all 100 rules are on one reading. Either turn judges 100 pairs of a reading and a rule: a figure is a hundredth of a turn,
//! in the median of five interleaved rounds.
#![allow(missing_docs, clippy::print_stdout, reason = "a bench")]

use benches::Rounds;
use benches::zone::{DEVICES, KINDS, RULES, Zone};

/// What a reading may take for each rule, in ns.
const MOST: f64 = 150.0;

fn main() {
    let rounds = Rounds::from_args();
    let kinds: Vec<(&str, Vec<&str>)> =
        KINDS.into_iter().map(|kind| (kind, vec![kind])).chain([("mixed", KINDS.to_vec())]).collect();
    for (group, apart, devices) in [("zone of 200 devices", 2, DEVICES), ("one device", 0, 1)] {
        let mut zones: Vec<Zone> = kinds.iter().map(|(_, kinds)| Zone::new(kinds, apart)).collect();
        let mut turns: Vec<_> = zones.iter_mut().map(|zone| move || zone.turn(devices)).collect();
        let mut functions: Vec<&mut dyn FnMut()> =
            turns.iter_mut().map(|turn| turn as &mut dyn FnMut()).collect();
        let times = rounds.run(&mut functions);
        println!(
            "\n{group}, {RULES} rules: ns a reading a rule (least to most of the rounds), at most {MOST}"
        );
        for ((name, _), time) in kinds.iter().zip(times) {
            let each = time.each(RULES.into());
            println!("  {name:<10} {:>6.1} ({:.1} to {:.1})", each.median, each.least, each.most);
        }
        if rounds.is_once() {
            println!("each once, in whatever profile: these times mean nothing");
        }
    }
}
