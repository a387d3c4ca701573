//! Shorthand of the scenarios.

use sensock::{Lane, Position};
use sensock_sim::{BoardId, HostId, LinkId, Memory, World};
use sensock_store::ReadingRow;

pub const SERVER: HostId = HostId(0);
pub const READINGS: Lane = Lane::Readings;

/// A world with one board that is connected to one server.
pub fn connected(memory: Memory) -> (World, BoardId, LinkId) {
    let mut w = World::new();
    let board = w.board("cellar-3", memory);
    let link = w.dial(board, SERVER);
    w.run_ms(100);
    assert!(w.is_live(board), "{}", w.trace());
    (w, board, link)
}

/// Records `n` records, `gap_ms` apart.
pub fn sample(w: &mut World, board: BoardId, n: usize, gap_ms: u64) {
    for i in 0..n {
        w.record(board, i as f32 / 10.0);
        w.run_ms(gap_ms);
    }
}

/// Everything that was accepted is stored: no gaps, nothing waits.
pub fn all_stored(w: &World, board: BoardId) {
    let report = w.check(board);
    assert_eq!(report.stored, report.accepted, "{report:?}\n{}", w.trace());
}

/// Each of these records was made when it was, in us, within the bounds that are stored for it.
pub fn times_hold(w: &World, records: &[(Position, Vec<ReadingRow>)], made_us: &[i64], what: &str) {
    assert_eq!(records.len(), made_us.len(), "{what}: other records\n{}", w.trace());
    for ((position, rows), truth) in records.iter().zip(made_us) {
        for row in rows {
            let holds = row.not_before_us.is_none_or(|t| t <= *truth) && *truth <= row.not_after_us;
            let (lo, hi) = (row.not_before_us.map(|t| t - truth), row.not_after_us - truth);
            assert!(holds, "{what}: {position} lies in {lo:?}..{hi} us of the truth\n{}", w.trace());
        }
    }
}
