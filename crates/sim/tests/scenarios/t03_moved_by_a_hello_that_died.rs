//! Timelines 3, 12 and 52: a flash image comes back after its boots were stored. Welcome moves what lies in it above that, and then nobody
//! remembers that it did: the server died with the Hello, or the store was put back. The moved records are older than the boots below
//! them all the same, so these bound nothing from below.

use crate::help::*;
use sensock_sim::{BoardId, Memory, World};

/// When the twenty records of the image were made, an hour before anything was stored.
struct Image {
    board: BoardId,
    made_us: Vec<i64>,
}

/// An image with twenty records; the board that it was taken from is stored and anchored an hour later. Then that image boots.
fn rolled_back() -> (World, Image) {
    let mut w = World::new();
    let first = w.board("cellar-3", Memory::Flash);
    let mut made_us = vec![];
    for i in 0..20 {
        made_us.push(w.now as i64);
        w.record(first, i as f32);
        w.run_ms(100);
    }
    w.power_off(first);
    let board = w.clone_board(first);
    w.run_ms(3_600_000);
    w.power_on(first);
    w.dial(first, SERVER);
    w.run_ms(1_000);
    assert_eq!(w.rows(first, READINGS).len(), 20, "{}", w.trace());
    w.power_off(first);
    w.power_on(board);
    (w, Image { board, made_us })
}

/// Dials, and the server dies with the Hello: Welcome came, its transaction never.
fn welcomed_in_vain(w: &mut World, board: BoardId) {
    let before = w.connected(board);
    w.dial(board, SERVER);
    w.run_ms(12);
    assert_eq!(w.connected(board), before + 1, "Welcome came\n{}", w.trace());
    w.crash(SERVER);
    w.restart(SERVER);
}

impl Image {
    /// The image's records are stored again, each within bounds that hold.
    fn is_honest(&self, w: &World) {
        let rows = w.rows(self.board, READINGS);
        assert_eq!(rows.len(), 40, "stored twice, as a rebase says\n{}", w.trace());
        times_hold(w, &rows[20..], &self.made_us, "moved");
    }
}

#[test]
fn the_same_boot_comes_again() {
    let (mut w, image) = rolled_back();
    welcomed_in_vain(&mut w, image.board);
    w.dial(image.board, SERVER);
    w.run_ms(1_000);
    image.is_honest(&w);
}

#[test]
fn power_goes_before_it_comes_again() {
    let (mut w, image) = rolled_back();
    welcomed_in_vain(&mut w, image.board);
    w.run_ms(100);
    for _ in 0..2 {
        w.power_off(image.board);
        w.power_on(image.board);
    }
    w.dial(image.board, SERVER);
    w.run_ms(1_000);
    image.is_honest(&w);
}

#[test]
fn the_store_forgets_that_it_moved_them() {
    let (mut w, image) = rolled_back();
    let backup = w.store.snapshot();
    let link = w.dial(image.board, SERVER);
    w.run_ms(17);
    w.cut(link);
    w.run_ms(100);
    assert_ne!(w.store.snapshot(), backup, "the Hello stands\n{}", w.trace());
    w.crash(SERVER);
    w.store.restore(&backup);
    w.restart(SERVER);
    w.dial(image.board, SERVER);
    w.run_ms(1_000);
    image.is_honest(&w);
}
