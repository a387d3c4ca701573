//! The model is tied to the code: its runs are walked through the real sessions, outbox, rule A and memory store, step by step.
//!
//! A run is a random walk over what the model says can happen. After each step both sides must agree on marks, rows, gaps and the command
//! in the store, on what the device holds and takes for acknowledged, and on how many frames are under way in each direction.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod agree;
mod device;
mod real;
mod server;

use std::collections::BTreeSet;

use real::Real;
use sensock_model::calm::fingerprint;
use sensock_model::{Action, Scope, State};
use sensock_testkit::rng::Rng;

/// Walks until nothing can happen, or for so many steps; returns the states that it went through.
fn walk(scope: Scope, seed: u64, steps: usize, seen: &mut BTreeSet<u64>) -> usize {
    let mut rng = Rng::new(seed);
    let mut model = State::start(scope);
    let mut real = Real::new(scope);
    let mut way: Vec<Action> = Vec::new();
    agree::demand(&model, &real, &way);
    for _ in 0..steps {
        let mut actions = Vec::new();
        model.actions(None, &mut actions);
        if actions.is_empty() {
            break;
        }
        let action = *rng.pick(&actions);
        model.step(action, None);
        way.push(action);
        real.step(action, &model);
        agree::demand(&model, &real, &way);
        promised(&model, &way);
        seen.insert(fingerprint(&model));
    }
    way.len()
}

/// Walks go further than the exploration: what it holds for every state is held here too.
fn promised(model: &State, way: &[Action]) {
    let holds = |what: &str, holds: bool| assert!(holds, "broken: {what}, after {way:?}\n{model:#?}");
    holds("stored once", model.stored_once());
    holds("acknowledged means committed", model.acked_is_committed());
    holds("a gap's cause is true", model.causes_are_true());
    holds("a command runs at most once", model.commands_are_honest());
    holds("both ends keep to the protocol", model.is_orderly());
}

fn walks(name: &str, scope: Scope, n: u64) {
    let (mut seen, mut steps) = (BTreeSet::new(), 0);
    (0..n).for_each(|seed| steps += walk(scope, seed, 300, &mut seen));
    println!("{name}: {n} walks, {steps} steps, {} states", seen.len());
    assert!(seen.len() as u64 > n, "the walks went nowhere");
}

fn all(n: u64) {
    let full = Scope { records: 3, commands: 1, reboots: 1, crashes: 1, restores: 1, ..Scope::QUIET };
    walks("full", full, n);
    walks("full, without memory", Scope { memory: false, ..full }, n);
    let wide = Scope { cuts: 2, drops: 1, lates: 1, ..full };
    walks("cut, drop, late", wide, n);
    walks("rolled back", Scope { rollbacks: 1, restores: 0, ..wide }, n);
    walks("no restore, without memory", Scope { memory: false, restores: 0, ..wide }, n);
}

#[test]
fn the_models_runs_are_runs_of_the_code() {
    all(300);
}

#[test]
#[ignore = "a minute or two; `cargo xtask prove` runs it"]
fn prove_replay_of_the_model() {
    all(20_000);
}
