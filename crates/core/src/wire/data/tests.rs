//! The straight ways of a record that is alone in its frame say what the walk over all items says.

extern crate std;
use super::*;
use crate::batch::Cell;
use proptest::prelude::*;
use std::vec::Vec;

#[derive(Default, Debug, PartialEq)]
struct Record(Vec<u64>, Vec<Cell>);

impl Sink for Record {
    fn tick(&mut self, _: usize, tick: u64) {
        self.0.push(tick);
    }
    fn cell(&mut self, _: usize, _: usize, cell: Cell) {
        self.1.push(cell);
    }
}

fn context(columns: u16, tick: Option<Tick>) -> LaneContext {
    let mut shape = ShapeIds::default();
    assert!((1..=columns).all(|id| shape.push(id)));
    LaneContext { shape, tick }
}

proptest! {
    /// Whatever the bytes: the same items, the same error, the same context.
    #[test]
    fn a_check_says_what_a_walk_says(
        bytes in proptest::collection::vec(any::<u8>(), 0..12),
        alone in any::<bool>(),
        n in prop_oneof![Just(0), Just(u32::MAX - 1), Just(u32::MAX), any::<u32>()],
        tick in prop_oneof![Just(None), Just(Some(Tick(5))), Just(Some(Tick(u64::MAX - 3)))],
    ) {
        let mut items = bytes;
        if alone {
            items.insert(0, ALONE);
        }
        let first = Position::new(3, n);
        let (mut checked, mut walked_to) = (context(2, tick), context(2, tick));
        let data = Data::check(Lane::Readings, first, &items, &mut checked);
        let walk = walk(first, &items, &mut walked_to);
        prop_assert_eq!(data.as_ref().map(|d| (d.next, d.records)).map_err(|e| *e), walk);
        prop_assert_eq!(checked, walked_to);
        if let Ok(data) = data {
            let all = Items::new(&items, first, context(2, tick));
            prop_assert!(data.items().eq(all), "{:?}", data);
        }
    }

    /// What a device writes for one record comes back from [`Run::alone`], and both ends remember the same.
    #[test]
    fn a_record_alone_comes_back(
        cells in proptest::collection::vec(
            prop_oneof![any::<i32>().prop_map(Cell::Value), (-300..300).prop_map(Cell::Value), any::<u8>().prop_map(Cell::Fault)],
            1..=16,
        ),
        ahead in prop_oneof![0u64..200, 0u64..20_000, any::<u64>()],
    ) {
        let before = context(cells.len() as u16, Some(Tick(1_000)));
        let tick = Tick(1_000u64.saturating_add(ahead));
        let mut out = [0; 256];
        let mut w = Writer::new(&mut out);
        let (mut device, mut server) = (before, before);
        run_head(&mut w, &mut device, 1, tick, &before.shape, None, None);
        w.finish().unwrap();
        let len = batch::encode(w.free(), 1, core::iter::once(tick.0), cells.len(), |c| core::iter::once(cells[c])).unwrap();
        w.advance(len);
        let len = w.len();
        let run = Run::alone(Position::new(1, 0), &out[..len], &mut server).unwrap();
        prop_assert_eq!(device, server);
        let mut record = Record::default();
        prop_assert_eq!(run.decode(&mut record), Ok(()));
        prop_assert_eq!(record, Record(std::vec![tick.0], cells));
        for cut in 0..len {
            let mut server = before;
            let run = Run::alone(Position::new(1, 0), &out[..cut], &mut server);
            prop_assert!(run.is_none_or(|run| run.decode(&mut Record::default()).is_err()));
        }
    }
}

#[test]
fn a_head_without_room_is_told() {
    let mut out = [0; 3];
    for (ahead, needs) in [(100, 2), (1_000, 3), (100_000, 4)] {
        for room in 0..=out.len() {
            let mut context = context(1, Some(Tick(7)));
            let shape = context.shape;
            let mut w = Writer::new(&mut out[..room]);
            run_head(&mut w, &mut context, 1, Tick(7 + ahead), &shape, None, None);
            assert_eq!(w.finish().is_ok(), room >= needs, "{ahead} ahead into {room} bytes");
        }
    }
}
