//! The protocol holds its promises in every state that it can reach.
#![allow(clippy::print_stdout, reason = "a proof shows its figures")]

use sensock_model::{Found, Machine, Scope, State};

/// Explores a scope in full, shows the figures, and fails with the way to the first broken promise.
fn holds(name: &str, scope: Scope, reached: &[&str]) -> Found {
    let found = Machine::new(scope).explore(2);
    println!(
        "{name}: {} states, depth {}, longest way to rest {}, {:.1?}",
        found.states, found.depth, found.height, found.took
    );
    if let Some((promise, way)) = found.broken.first() {
        let mut state = State::start(scope);
        way.iter().for_each(|action| state = state.then(*action, None));
        panic!("{name}: broken: {promise}\n{way:?}\n{state:#?}");
    }
    assert_eq!(found.reached, reached, "{name}: what must be able to happen");
    found
}

#[test]
fn data_survives_a_reboot_and_a_crash() {
    let scope = Scope { records: 2, reboots: 1, crashes: 1, ..Scope::QUIET };
    holds("two readings, reboot, crash", scope, &["a tail that died", "rest"]);
    holds("the same without memory", Scope { memory: false, ..scope }, &["rest"]);
}

#[test]
fn a_late_commit_and_a_drop_change_nothing_that_is_stored() {
    let scope = Scope { records: 1, cuts: 1, drops: 1, ..Scope::QUIET };
    holds("a reading, cut, drop", scope, &["a drop", "a late commit", "rest"]);
}

#[test]
fn a_store_that_was_put_back_says_what_it_lost() {
    let scope = Scope { records: 1, reboots: 1, restores: 1, ..Scope::QUIET };
    holds("a reading, reboot, restore", scope, &["a gap of the store", "a tail that died", "rest"]);
    holds(
        "memory rolled back too",
        Scope { rollbacks: 1, ..scope },
        &["a gap of the store", "a tail that died", "rest"],
    );
}

#[test]
fn a_command_runs_at_most_once_and_its_fate_is_told() {
    let scope = Scope { commands: 1, reboots: 1, lates: 1, ..Scope::QUIET };
    let reached = ["a command of which nobody knows", "a command that ran", "a tail that died", "rest"];
    holds("command, reboot, late", scope, &reached);
    let reached = ["a command of which nobody knows", "a command that ran", "rest"];
    holds("the same without memory", Scope { memory: false, ..scope }, &reached);
    let scope = Scope { commands: 1, cuts: 1, restores: 1, ..Scope::QUIET };
    holds("command, cut, restore", scope, &["a command that ran", "a gap of the store", "rest"]);
}

#[test]
#[ignore = "minutes and gigabytes; `cargo xtask prove` runs it"]
fn prove_model_in_the_full_scope() {
    let full = Scope { records: 3, commands: 1, reboots: 1, crashes: 1, restores: 1, ..Scope::QUIET };
    let all = [
        "a command of which nobody knows",
        "a command that ran",
        "a gap of the store",
        "a tail that died",
        "rest",
    ];
    let found = holds("three readings, a command, reboot, crash, restore", full, &all);
    assert!(found.states > 1_000_000, "{found:?}");
}

#[test]
#[ignore = "minutes and gigabytes; `cargo xtask prove` runs it"]
fn prove_model_in_the_wide_scopes() {
    let cut = Scope { records: 2, reboots: 1, cuts: 1, drops: 1, ..Scope::QUIET };
    holds("two readings, reboot, cut, drop", cut, &["a drop", "a late commit", "a tail that died", "rest"]);
    let bare =
        Scope { memory: false, records: 2, commands: 1, reboots: 1, crashes: 1, restores: 1, ..Scope::QUIET };
    let forgets = ["a command of which nobody knows", "a command that ran", "a gap of the store", "rest"];
    holds("without memory: two readings, a command, reboot, crash, restore", bare, &forgets);
    let rolled = Scope { records: 2, reboots: 1, rollbacks: 1, crashes: 1, cuts: 1, ..Scope::QUIET };
    holds("two readings, rolled back, crash, cut", rolled, &["a late commit", "a tail that died", "rest"]);
    let late = Scope { records: 1, commands: 1, reboots: 1, cuts: 1, lates: 1, ..Scope::QUIET };
    let told = [
        "a command of which nobody knows",
        "a command that ran",
        "a late commit",
        "a tail that died",
        "rest",
    ];
    holds("a reading, a command, reboot, cut, late", late, &told);
}
