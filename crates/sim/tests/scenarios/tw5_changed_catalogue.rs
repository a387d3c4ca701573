//! Timeline W5: the same name with another scale after an update: rows keep the catalogue under which they were measured.

use crate::help::*;
use sensock::{Catalog, Quantity};
use sensock_sim::Memory;

const COARSE: Quantity<f32> = Quantity::new(1, "temperature", "Cel").scale(-1);
const HUMIDITY: Quantity<f32> = Quantity::new(2, "humidity", "%RH").scale(-1);
static UPDATED: Catalog<'static> = Catalog::new("sim-board 2", &[COARSE.entry(), HUMIDITY.entry()], &[], &[]);

#[test]
fn rows_say_under_which_catalogue_they_were_measured() {
    let (mut w, board, link) = connected(Memory::Boot);
    sample(&mut w, board, 3, 100);
    w.run_ms(200);
    w.cut(link);
    w.power_off(board);
    w.tune(board, |t| *t.catalog = &UPDATED);
    w.power_on(board);
    w.dial(board, SERVER);
    w.run_ms(500);
    sample(&mut w, board, 3, 100);
    w.run_ms(500);
    let rows = w.rows(board, READINGS);
    assert_eq!(rows.len(), 6, "{}", w.trace());
    assert!(rows[..3].iter().all(|(_, r)| r[0].catalog == sensock_sim::catalog::BOARD.hash()));
    assert!(rows[3..].iter().all(|(_, r)| r[0].catalog == UPDATED.hash()));
}
