//! Timeline 55: two servers whose clocks are three seconds apart: each anchor names its server.

use crate::help::*;
use sensock_sim::{Memory, World};
use sensock_store::Store as _;

#[test]
fn anchors_name_their_servers_and_show_the_difference() {
    let mut w = World::new();
    let second = w.host();
    w.skew(second, 3_000_000);
    let board = w.board("cellar-3", Memory::Boot);
    let link = w.dial(board, SERVER);
    w.run_ms(1_000);
    w.cut(link);
    w.dial(board, second);
    w.run_ms(1_000);
    let device = sensock::DeviceId::new("cellar-3").unwrap();
    let resume = futures_util::FutureExt::now_or_never(w.store.load(&device)).unwrap().unwrap();
    let (a, b) = (resume.anchors[0], resume.anchors[1]);
    assert_ne!(a.server, b.server);
    assert!(b.lo_us > a.hi_us, "their bounds exclude each other: {a:?} {b:?}");
}
