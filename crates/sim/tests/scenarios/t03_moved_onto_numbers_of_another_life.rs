//! Timeline 3: memory is rolled back while the Hello of its last boot is still in a server's queue. Another server does not see that boot yet,
//! and moves what the memory holds to the numbers above all that is stored: those of the boot that is about to be. The move is the device's
//! from Welcome on; its own Hello comes to nothing, as the store is another by then. It is moved once more, also by its next boot.

use crate::help::*;
use sensock_sim::{BoardId, Memory, World};

/// Readings that the image holds, and those of the boot that wins.
const HELD: usize = 10;
const OTHERS: usize = 20;

/// The image took its move, and the numbers belong to the other life's boot by now. When the image's records were made.
fn moved_in_vain() -> (World, BoardId, Vec<i64>) {
    let mut w = World::new();
    let (first, other) = (w.board("cellar-3", Memory::Flash), w.host());
    let link = w.dial(first, SERVER);
    sample(&mut w, first, 5, 1_000);
    w.cut(link);
    w.run_ms(100);
    let made_us = sample_offline(&mut w, first);
    w.power_off(first);
    let image = w.clone_board(first);

    w.power_on(first);
    w.dial(first, SERVER);
    sample(&mut w, first, 3, 60_000);
    w.power_off(first);
    w.power_on(first);
    w.hold_commits(other, true);
    w.dial(first, other);
    sample(&mut w, first, OTHERS, 100);
    assert_eq!(w.rows(first, READINGS).len(), 5 + HELD + 3, "the last boot waits\n{}", w.trace());
    w.power_off(first);

    w.power_on(image);
    w.hold_commits(SERVER, true);
    w.dial(image, SERVER);
    w.run_ms(200);
    assert!(w.trace().contains("shifted_by: 2"), "onto the boot that waits\n{}", w.trace());
    w.hold_commits(other, false);
    w.run_ms(200);
    assert_eq!(w.rows(first, READINGS).len(), 5 + HELD + 3 + OTHERS, "{}", w.trace());
    w.hold_commits(SERVER, false);
    w.run_ms(200);
    (w, image, made_us)
}

/// Readings that wait in flash; when each was made.
fn sample_offline(w: &mut World, board: BoardId) -> Vec<i64> {
    let mut made_us = vec![];
    for i in 0..HELD {
        made_us.push(w.now as i64);
        w.record(board, i as f32);
        w.run_ms(1_000);
    }
    made_us
}

/// All that the image holds is stored behind what was there, each record within bounds that hold.
fn is_stored_with_its_own_times(w: &mut World, image: BoardId, made_us: &[i64]) {
    w.dial(image, SERVER);
    w.run_ms(5_000);
    let mut rows = w.rows(image, READINGS);
    // The image has kept one more, which had been acknowledged before.
    let moved = rows.split_off(5 + HELD + 3 + OTHERS);
    assert_eq!(moved.len(), HELD + 1, "none was taken for known\n{}", w.trace());
    times_hold(w, &moved[1..], made_us, "moved twice");
}

#[test]
fn the_same_boot_is_moved_again() {
    let (mut w, image, made_us) = moved_in_vain();
    is_stored_with_its_own_times(&mut w, image, &made_us);
}

#[test]
fn its_next_boots_are_moved_again() {
    let (mut w, image, made_us) = moved_in_vain();
    for _ in 0..2 {
        w.power_off(image);
        w.power_on(image);
    }
    is_stored_with_its_own_times(&mut w, image, &made_us);
}

/// What a boot after it was welcomed with came to nothing as well: neither tag is known.
#[test]
fn its_next_boot_is_moved_again_after_a_welcome_in_vain() {
    let (mut w, image, made_us) = moved_in_vain();
    w.power_off(image);
    w.power_on(image);
    w.dial(image, SERVER);
    w.run_ms(12);
    w.crash(SERVER);
    w.restart(SERVER);
    w.power_off(image);
    w.power_on(image);
    is_stored_with_its_own_times(&mut w, image, &made_us);
}
