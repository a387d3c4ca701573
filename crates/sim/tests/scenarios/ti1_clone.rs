//! Timeline I1: a flash image on a second board: the clone takes over once, then the first one's superseded tag is the proof.

use crate::help::*;
use sensock_sim::Memory;

#[test]
fn a_superseded_tag_proves_a_clone_and_the_connected_one_stays() {
    let (mut w, genuine, link) = connected(Memory::Boot);
    sample(&mut w, genuine, 20, 100);
    let clone = w.clone_board(genuine);
    w.power_on(clone);
    w.dial(clone, SERVER);
    w.run_ms(500);
    assert!(w.is_live(clone) && !w.is_live(genuine), "it looks like a reboot, and takes over\n{}", w.trace());
    let _ = link;
    sample(&mut w, genuine, 5, 100);
    w.dial(genuine, SERVER);
    w.run_ms(500);
    assert!(!w.is_live(genuine) && w.is_live(clone), "{}", w.trace());
    assert!(w.refusals(genuine)[0].starts_with("IdentityInUse"), "{:?}", w.refusals(genuine));
    assert_eq!(w.said("collision"), 1);
    for _ in 0..10 {
        w.dial(genuine, SERVER);
        w.run_ms(500);
    }
    assert!(w.is_live(clone), "no flapping");
}
