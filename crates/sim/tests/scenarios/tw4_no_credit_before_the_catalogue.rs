//! Timeline W4: data follows Welcome at once, but not before the server has stored what its numbers mean.

use crate::help::*;
use sensock_sim::{Memory, World};
use sensock_store::Store as _;

#[test]
fn nothing_is_sent_until_the_catalogue_is_stored() {
    let mut w = World::new();
    let board = w.board("cellar-3", Memory::Boot);
    sample(&mut w, board, 10, 100);
    w.dial(board, SERVER);
    w.slow_store(SERVER, 500_000);
    w.run_ms(400);
    assert_eq!(w.rows(board, READINGS).len(), 0);
    w.run_ms(5_000);
    all_stored(&w, board);
    let device = sensock::DeviceId::new("cellar-3").unwrap();
    let resume = futures_util::FutureExt::now_or_never(w.store.load(&device)).unwrap().unwrap();
    assert_eq!(resume.catalogs.len(), 1);
    assert_eq!(resume.catalogs[0].hash, sensock_sim::catalog::BOARD.hash());
}
