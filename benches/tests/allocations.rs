//! What allocates, and what does not.
#![allow(missing_docs, clippy::print_stdout, reason = "tests")]

use allocation_counter::measure;
use benches::{Case, peers, records};

/// Allocations of encoding and of decoding.
fn allocations(case: &mut Case) -> (u64, u64) {
    (measure(|| (case.encode)()).count_total, measure(|| (case.decode)()).count_total)
}

#[test]
fn our_codec_never_allocates() {
    let one = peers::one(&records(1_000));
    let many = [10, 100, 1_000].map(|count| peers::many(&records(count)));
    let mut ours = 0;
    let all = many.into_iter().flatten().chain(one);
    for mut case in all.filter(|case| case.name.starts_with("sensock")) {
        assert_eq!(allocations(&mut case), (0, 0), "{} of {}", case.name, case.records);
        ours += 1;
    }
    assert_eq!(ours, 5, "from readings, from numbers, and three sizes of batches");
}

/// The peers' counts are told where their times are: `cargo test -p benches --test allocations -- --nocapture`.
#[test]
fn what_peers_allocate_is_counted() {
    for (what, records_a_call, cases) in [
        ("one record", 1_000, peers::one(&records(1_000))),
        ("a batch of 1,000", 1, peers::many(&records(1_000))),
    ] {
        for mut case in cases {
            let (encode, decode) = allocations(&mut case);
            let each = |n: u64| n as f64 / f64::from(records_a_call);
            println!("{what}, {}: encode {:.2}, decode {:.2}", case.name, each(encode), each(decode));
            if case.name == "MQTT 3.1.1, postcard" {
                assert!(encode >= 1_000, "the counter counts");
            }
        }
    }
}
