//! Timeline 5: a name points at two separate stores: neither is sure that it lost nothing.

use crate::help::*;
use sensock::StoreId;
use sensock_sim::{Memory, World};
use sensock_store::memory::MemoryStore;

#[test]
fn what_went_to_another_store_is_a_gap_that_names_it() {
    let mut w = World::new();
    let board = w.board("cellar-3", Memory::Boot);
    let link = w.dial(board, SERVER);
    w.run_ms(100);
    sample(&mut w, board, 100, 100);
    w.cut(link);
    let first = std::mem::replace(&mut w.store, MemoryStore::new(StoreId(0xbbbb)));
    w.dial(board, SERVER);
    w.run_ms(100);
    assert_eq!(w.board_store(board), StoreId(0xbbbb));
    sample(&mut w, board, 40, 100);
    w.run_ms(500);
    let gaps = w.gaps(board, READINGS);
    assert_eq!(gaps.len(), 1, "{}", w.trace());
    assert_eq!(gaps[0].cause, sensock::Cause::Store);
    assert!(gaps[0].detail.contains("aaaa"), "{}", gaps[0].detail);
    assert_eq!(w.rows(board, READINGS).len(), 40);
    w.store = first;
    assert_eq!(w.rows(board, READINGS).len(), 100);
}

#[test]
fn a_device_that_is_pinned_to_a_store_gives_nothing_to_another() {
    let (mut w, board, link) = connected(Memory::Boot);
    w.pin(board, w.board_store(board));
    sample(&mut w, board, 100, 100);
    w.run_ms(500);
    w.cut(link);
    let first = std::mem::replace(&mut w.store, MemoryStore::new(StoreId(0xbbbb)));
    sample(&mut w, board, 10, 100);
    w.dial(board, SERVER);
    w.run_ms(500);
    assert!(!w.is_live(board));
    assert!(w.trace().contains("pinned to: correct the server's address"), "{}", w.trace());
    assert!(w.rows(board, READINGS).is_empty() && w.all_gaps(board).is_empty(), "nothing was told to it");
    w.store = first;
    w.dial(board, SERVER);
    w.run_ms(500);
    all_stored(&w, board);
    assert!(w.all_gaps(board).is_empty(), "{:?}", w.all_gaps(board));
    assert_eq!(w.rows(board, READINGS).len(), 110);
}
