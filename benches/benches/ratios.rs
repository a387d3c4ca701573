//! Ours beside the peers, in medians of five interleaved rounds: the table that ratios are quoted from.
//!
//! Ends with a line that says whether the run counts: whether the peers stand to each other as they are known to.
#![allow(missing_docs, clippy::print_stdout, reason = "a bench")]

use benches::expected::{self, ONE, Odd, THOUSAND};
use benches::{Case, Rounds, Time, peers, records};

/// Encoding and decoding, a record.
type Both = (Time, Time);

fn main() {
    let rounds = Rounds::from_args();
    println!("{}", peers::described());
    let one = table("one record at a time", &mut peers::one(&records(1_000)), rounds);
    let mut odd = expected::odd(ONE, |name| beside(&one, name));
    for count in [10, 100, 1_000] {
        let found = table(&format!("a batch of {count}"), &mut peers::many(&records(count)), rounds);
        if count == 1_000 {
            odd.extend(expected::odd(THOUSAND, |name| beside(&found, name)));
        }
    }
    match rounds.is_once() {
        true => println!("\neach once, in whatever profile: these times mean nothing"),
        false => verdict(&odd),
    }
}

/// Times the cases, prints them and gives what they took.
fn table(title: &str, cases: &mut [Case], rounds: Rounds) -> Vec<(&'static str, Both)> {
    let mut functions: Vec<&mut dyn FnMut()> = Vec::new();
    for case in &mut *cases {
        functions.push(&mut case.encode);
        functions.push(&mut case.decode);
    }
    let times = rounds.run(&mut functions);
    let (pairs, _) = times.as_chunks::<2>();
    let each =
        |case: &Case, [encode, decode]: [Time; 2]| (encode.each(case.records), decode.each(case.records));
    let found: Vec<_> = cases.iter().zip(pairs).map(|(case, pair)| (case.name, each(case, *pair))).collect();
    println!(
        "\n{title}, a record of two readings: bytes, ns (least to most of the rounds), and as a multiple of postcard's"
    );
    println!("  {:<31} {:>6}  {:>27}  {:>27}  {:>6} {:>6}", "", "B", "encode", "decode", "enc/pc", "dec/pc");
    for (case, (name, (encode, decode))) in cases.iter().zip(&found) {
        let (encodes, decodes) = beside(&found, name).unwrap_or_default();
        let bytes = case.bytes_each();
        println!(
            "  {name:<31} {bytes:>6.2}  {:>27}  {:>27}  {encodes:>6.2} {decodes:>6.2}",
            show(encode),
            show(decode)
        );
    }
    found
}

fn show(time: &Time) -> String {
    format!("{:.1} ({:.1} to {:.1})", time.median, time.least, time.most)
}

/// As multiples of postcard's.
fn beside(found: &[(&'static str, Both)], name: &str) -> Option<(f64, f64)> {
    let of = |name| found.iter().find(|(n, _)| *n == name).map(|(_, both)| *both);
    let ((encode, decode), (base_encode, base_decode)) = (of(name)?, of("postcard")?);
    Some((encode.median / base_encode.median, decode.median / base_decode.median))
}

fn verdict(odd: &[Odd]) {
    let per_cent = (expected::TOLERANCE - 1.0) * 100.0;
    if odd.is_empty() {
        println!("\npeers as expected, within {per_cent:.0} %: yes, this run counts");
        return;
    }
    println!("\npeers as expected, within {per_cent:.0} %: no; as multiples of postcard's:");
    for Odd { name, what, measured, expected } in odd {
        println!("  {name}, {what}: {measured:.2}, expected {expected:.2}");
    }
}
