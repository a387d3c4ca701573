//! Timeline 3: memory is rolled back, and the board begins so many boots out of reach that its number is above the stored one. It still knows
//! the last tag of before, and the store knows that another followed: its boots are not the ones that are stored under these numbers.

use crate::help::*;
use sensock_sim::{BoardId, Memory, World};

/// An image of a board that a server knows; the board goes on through so many boots of 20 minutes, and then the image boots.
fn rolled_back(boots: usize) -> (World, BoardId, BoardId) {
    let mut w = World::new();
    let first = w.board("cellar-3", Memory::Flash);
    w.dial(first, SERVER);
    sample(&mut w, first, 5, 1_000);
    w.power_off(first);
    let image = w.clone_board(first);
    for _ in 0..boots {
        w.power_on(first);
        w.dial(first, SERVER);
        sample(&mut w, first, 20, 60_000);
        w.power_off(first);
    }
    assert_eq!(w.rows(first, READINGS).len(), 5 + 20 * boots, "{}", w.trace());
    (w, first, image)
}

/// Begins so many boots out of reach, and makes ten records in each of the last six; when each was made.
fn counts_up(w: &mut World, image: BoardId, boots: usize) -> Vec<i64> {
    let mut made_us = vec![];
    for boot in 0..boots {
        if boot > 0 {
            w.power_off(image);
        }
        w.power_on(image);
        let records = if boot + 6 < boots { 0 } else { 10 };
        for i in 0..records {
            made_us.push(w.now as i64);
            w.record(image, i as f32);
            w.run_ms(1_000);
        }
    }
    made_us
}

/// All of it is stored, behind what the board that went on had stored, and each record within bounds that hold.
fn is_honest(w: &World, board: BoardId, made_us: &[i64], what: &str) {
    let rows = w.rows(board, READINGS);
    assert!(rows.len() >= 65 + made_us.len(), "{what}: none was taken for known\n{}", w.trace());
    let before = rows.len() - made_us.len();
    times_hold(w, &rows[before..], made_us, what);
}

#[test]
fn what_it_measured_is_stored_with_its_own_times() {
    for boots in 1..6 {
        let (mut w, first, image) = rolled_back(3);
        let made_us = counts_up(&mut w, image, boots);
        w.dial(image, SERVER);
        w.run_ms(5_000);
        is_honest(&w, first, &made_us, &format!("{boots} boots"));
    }
}

/// Welcome moved it, its proof is on its way or in a commit, and it dials again: it is not moved once more. (The tag that its image knows is
/// the oldest that the store keeps, and gone with that commit.)
#[test]
fn it_is_moved_once_however_often_it_dials_meanwhile() {
    for after_ms in 8..20 {
        let (mut w, first, image) = rolled_back(8);
        let made_us = counts_up(&mut w, image, 12);
        let other = w.host();
        w.dial(image, other);
        w.run_ms(after_ms);
        for _ in 0..2 {
            w.dial(image, SERVER);
            w.run_ms(5_000);
        }
        is_honest(&w, first, &made_us, &format!("dials again after {after_ms} ms"));
    }
}

#[test]
fn the_board_that_went_on_is_never_taken_for_one_that_went_back() {
    let (mut w, first, _) = rolled_back(3);
    // Every proof is lost on its way, or with the server; power goes with it, before or behind the write that keeps the tag.
    for after_ms in 0..40 {
        w.power_on(first);
        w.record(first, 1.0);
        w.dial(first, SERVER);
        w.run_ms(after_ms);
        w.power_off(first);
        w.crash(SERVER);
        w.restart(SERVER);
        if after_ms % 6 == 5 {
            w.power_on(first);
            w.dial(first, SERVER);
            w.run_ms(5_000);
            w.power_off(first);
        }
    }
    w.power_on(first);
    w.record(first, 1.0);
    w.dial(first, SERVER);
    w.run_ms(5_000);
    let report = w.check(first);
    assert_eq!(report.stored + report.in_gaps, report.accepted, "{}", w.trace());
    let last = w.rows(first, READINGS).last().map(|(p, _)| p.boot());
    assert_eq!(last, Some(4 + 40 + 6 + 1), "no boot was moved\n{}", w.trace());
}
