//! Both real sessions under any schedule: records of all lanes, frames that are late or lost with their connection, commits that are held,
//! late or rolled back, naps, full outboxes. Whatever happened, every accepted position is in the end in exactly one row or gap, in
//! order, with its values.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

mod common;
mod pair_model;

use pair_model::{Model, Op, Seen, Setup};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sensock::device::Policy;
use sensock::wire::hello::Grant;

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0usize..2, 1u8..12, 0u16..2_000).prop_map(|(lane, n, ms)| Op::Record { lane: lane * 2, n, ms }),
        1 => (100u16..600).prop_map(Op::Burst),
        2 => (1u32..20_000).prop_map(Op::Time),
        5 => (1usize..6).prop_map(Op::DeviceWrites),
        5 => (1usize..6).prop_map(Op::ServerReads),
        5 => (1usize..6).prop_map(Op::ServerWrites),
        5 => (1usize..6).prop_map(Op::DeviceReads),
        4 => (1usize..4).prop_map(Op::Commit),
        6 => (1usize..4, any::<bool>()).prop_map(|(n, commit)| Op::Pump { n, commit }),
        2 => any::<bool>().prop_map(Op::Cut),
        3 => (1usize..4).prop_map(Op::LateCommit),
        3 => Just(Op::RollBack),
        1 => Just(Op::Nap),
        1 => any::<bool>().prop_map(Op::Control),
        1 => (1u64..3_000, 1u64..40_000).prop_map(|(records, bytes)| Op::Window(Grant { records, bytes })),
    ]
}

fn run(setup: Setup, ops: &[Op]) -> Seen {
    let mut model = Model::new(setup);
    for op in ops {
        model.apply(op);
    }
    model.finish();
    model.verify();
    model.seen
}

fn schedule() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(), 1..160)
}

/// As many cases as `PROPTEST_CASES` says, else a number that fits among the other tests.
fn cases() -> ProptestConfig {
    let told = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_some() { told } else { ProptestConfig { cases: 64, ..told } }
}

#[test]
fn schedules_reach_what_they_are_about() {
    let mut runner = TestRunner::deterministic();
    let mut all = Seen::default();
    for _ in 0..150 {
        let ops = schedule().new_tree(&mut runner).unwrap().current();
        all.add(run(Setup { policy: Policy::DropOldest, ttl_ms: 0, numbered: true }, &ops));
    }
    println!("{all:?}");
    let Seen { rewinds, floors, late_rows, repeats } = all;
    assert!([rewinds, floors, late_rows, repeats].iter().all(|n| *n > 0), "{all:?}");
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn drop_oldest_keeps_the_promise(ops in schedule(), numbered in any::<bool>()) {
        run(Setup { policy: Policy::DropOldest, ttl_ms: 0, numbered }, &ops);
    }

    #[test]
    fn drop_newest_keeps_the_promise(ops in schedule(), numbered in any::<bool>()) {
        run(Setup { policy: Policy::DropNewest, ttl_ms: 0, numbered }, &ops);
    }

    #[test]
    fn a_time_to_live_keeps_the_promise(ops in schedule(), ttl_ms in 500u32..30_000) {
        run(Setup { policy: Policy::DropOldest, ttl_ms, numbered: true }, &ops);
    }

    #[test]
    fn keep_latest_supersedes_and_loses_nothing(ops in schedule(), numbered in any::<bool>()) {
        run(Setup { policy: Policy::KeepLatest, ttl_ms: 0, numbered }, &ops);
    }
}
