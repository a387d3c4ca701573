//! What judging costs: 100 rules of each kind, and of all kinds.
//!
//! With one device all 100 rules are on one reading: the figure is a reading's for each rule that judges it. In the zone every second device has a
//! rule: the figure is a record's whole way through the engine, the search for its rules included, of which every second record finds one. Both have
//! ten hazards, which are weighed when a level changes. Medians of five interleaved rounds.
#![allow(missing_docs, clippy::print_stdout, reason = "a bench")]

use benches::Rounds;
use benches::zone::{DEVICES, KINDS, RULES, Zone};

/// What a reading may take for each rule, in ns.
const MOST: f64 = 150.0;

fn main() {
    let rounds = Rounds::from_args();
    let kinds: Vec<(&str, Vec<&str>)> =
        KINDS.into_iter().map(|kind| (kind, vec![kind])).chain([("mixed", KINDS.to_vec())]).collect();
    let one = format!("{RULES} rules on one reading: ns a reading a rule, at most {MOST}");
    let all = format!("{RULES} rules, {DEVICES} devices: ns a record");
    for (title, apart, devices, of) in [(one, 0, 1, RULES), (all, 2, DEVICES, DEVICES)] {
        let mut zones: Vec<Zone> = kinds.iter().map(|(_, kinds)| Zone::new(kinds, apart)).collect();
        let mut turns: Vec<_> = zones.iter_mut().map(|zone| move || zone.turn(devices)).collect();
        let mut functions: Vec<&mut dyn FnMut()> =
            turns.iter_mut().map(|turn| turn as &mut dyn FnMut()).collect();
        let times = rounds.run(&mut functions);
        println!("\n{title} (least to most of the rounds)");
        for ((name, _), time) in kinds.iter().zip(times) {
            let each = time.each(of.into());
            println!("  {name:<10} {:>6.1} ({:.1} to {:.1})", each.median, each.least, each.most);
        }
    }
    if rounds.is_once() {
        println!("\neach once, in whatever profile: these times mean nothing");
    }
}
