//! Timeline 61: a week without a link: the bounds are as wide as the drift makes them, no wider, and hold the truth.

use crate::help::*;
use sensock_sim::{Memory, World};

const HOUR_MS: u64 = 3_600_000;

#[test]
fn bounds_are_as_wide_as_the_drift_makes_them() {
    let mut w = World::new();
    let board = w.board_off("cellar-3", Memory::Boot);
    w.tune(board, |t| *t.ppm = 120);
    w.power_on(board);
    let link = w.dial(board, SERVER);
    w.run_ms(60_000);
    w.cut(link);
    sample(&mut w, board, 7 * 24, HOUR_MS);
    w.dial(board, SERVER);
    w.run_ms(10_000);
    all_stored(&w, board);
    let rows = w.rows(board, READINGS);
    let width = |i: usize| {
        let row = &rows[i].1[0];
        row.not_after_us - row.not_before_us.unwrap_or(i64::MIN / 2)
    };
    // 250 ppm of a week to either side, were there no link before or after.
    let week_us = 7 * 24 * HOUR_MS as i64 * 1_000;
    let widest = (0..rows.len()).map(width).max().unwrap();
    assert!(widest <= week_us / 1_000_000 * 500 + 100_000, "{widest} us");
    assert!(width(rows.len() - 1) < width(rows.len() / 2), "narrower near the link that measured them");
}
