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
