//! Timeline 30: a backlog on a slow line: from sampled to committed an alarm waits for at most two frames of it.

use crate::help::*;
use sensock::Lane;
use sensock_sim::{Memory, World};

#[test]
fn an_alarm_behind_a_backlog_is_committed_within_two_frames_and_a_round_trip() {
    let mut w = World::new();
    w.delays = (100_000, 100_000);
    let board = w.board("cellar-3", Memory::Boot);
    sample(&mut w, board, 250, 1_000);
    w.dial(board, SERVER);
    w.run_ms(450);
    assert!(w.is_live(board));
    let stored = w.rows(board, READINGS).len();
    w.record_in(board, Lane::Alarm, 90.0);
    // One way up and the commit, whatever waits in the readings lane.
    w.run_ms(110);
    assert_eq!(w.rows(board, Lane::Alarm).len(), 1, "{stored} readings were stored before\n{}", w.trace());
    w.run_ms(10_000);
    all_stored(&w, board);
}

/// A board writes frames of 512 bytes. Two of a larger server's would be eight kilobytes before an alarm.
#[test]
fn the_two_frames_are_of_the_size_that_the_board_writes() {
    let mut w = World::new();
    w.largest_frame(SERVER, 4_096);
    w.delays = (500_000, 500_000);
    let board = w.board("cellar-3", Memory::Boot);
    let link = w.dial(board, SERVER);
    w.run_ms(1_600);
    assert!(w.is_live(board));
    let mut most = 0;
    for i in 0..1_000 {
        w.record(board, (i * 7_919 % 30_000) as f32 / 10.0);
        w.run_ms(1);
        most = most.max(w.readings_on_their_way(link));
    }
    assert!((100..=1_024).contains(&most), "{most} bytes\n{}", w.trace());
}
