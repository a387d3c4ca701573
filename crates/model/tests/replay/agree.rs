//! Whether both sides are in the same state.

use std::fmt::Debug;

use futures_util::FutureExt as _;
use sensock::device::Share as _;
use sensock::{Cause, Lane, Position};
use sensock_model::position::{LANES, Pos};
use sensock_model::state::Item;
use sensock_model::store::{self, Ticket};
use sensock_model::{Action, State};
use sensock_store::{CommandState, Cursor, FeedItem, History as _, Store as _};

use crate::device::name;
use crate::real::Real;

/// Lanes of the model, in its order.
const REAL: [Lane; LANES] = [Lane::Control, Lane::Readings];

/// The same position in real numbers: the last of a boot stays the last.
fn position(p: Pos) -> Position {
    let n = if p.n() == u8::MAX { u32::MAX } else { p.n().into() };
    Position::new(p.boot().into(), n)
}

fn same<T: PartialEq + Debug>(what: &str, model: T, real: T, way: &[Action]) {
    assert_eq!(model, real, "{what}: the model (left) and the code (right) part after {way:?}");
}

/// # Panics
/// If they are not, with the way there.
pub fn demand(model: &State, real: &Real, way: &[Action]) {
    let resume = real.store.load(&name()).now_or_never().unwrap().unwrap();
    for (lane, real_lane) in REAL.into_iter().enumerate() {
        same("mark", position(model.store.marks[lane]), resume.marks[real_lane.index()], way);
        let q = &model.device.lanes[lane];
        let (acked, next) = real.device.outbox.with(|o| (o.acked(real_lane), o.next(real_lane)));
        same("acknowledged", position(q.acked), acked, way);
        let end = Pos::new(model.device.boot, q.first + q.items.len() as u8);
        same("next", position(end), next, way);
        let nothing = q.items.is_empty() && !q.dropped;
        let told = q.first == 0 || q.acked >= Pos::new(model.device.boot, q.first - 1);
        if nothing && told {
            let drained = real.device.outbox.with(|o| o.is_drained(real_lane));
            same("drained", true, drained, way);
        }
    }
    rows(model, real, way);
    same("boot", u32::from(model.store.boot), resume.boot_and_tag().0, way);
    let ticket = match resume.commands.last().map(|c| c.state) {
        None => Ticket::None,
        Some(CommandState::Queued) => Ticket::Queued,
        Some(CommandState::Sent(boot)) => Ticket::Sent(boot as u8),
        Some(CommandState::Done) => Ticket::Done,
        Some(CommandState::Expired) => Ticket::Expired,
        Some(CommandState::Unknown) => Ticket::Unknown,
        Some(CommandState::Undeliverable | CommandState::Refused(_)) => Ticket::Undeliverable,
    };
    same("command", model.store.ticket, ticket, way);
    same("times that it ran", model.truth.ran, real.device.ran, way);
    same("linked", model.device.link.as_ref().map(|l| l.conn), real.device.link, way);
    let frames: Vec<_> = model.conns.iter().map(|c| (c.id, c.up.len(), c.down.len())).collect();
    let real_frames: Vec<_> = real.conns.iter().map(|c| (c.id, c.up.len(), c.down.len())).collect();
    same("frames under way", frames, real_frames, way);
    let works: Vec<usize> = model.queues.iter().map(|q| q.len()).collect();
    same("works", works, real.queues.iter().map(|q| q.len()).collect(), way);
}

fn rows(model: &State, real: &Real, way: &[Action]) {
    let (items, _) = real.store.feed(&Cursor::default(), usize::MAX).now_or_never().unwrap().unwrap();
    let (mut readings, mut gaps) = (vec![], vec![]);
    for item in items {
        match item {
            FeedItem::Record(rows) => readings.extend(rows.iter().map(|r| (r.position, r.raw))),
            FeedItem::Gap(g) if g.lane.lane != Lane::Alarm => {
                gaps.push((g.lane.lane, g.first, g.last, g.cause))
            }
            FeedItem::Gap(_) => {}
        }
    }
    let mut wanted: Vec<_> = (model.store.rows.iter())
        .filter_map(|(_, at, item)| match item {
            Item::Reading(number) => Some((position(*at), i32::from(*number))),
            _ => None,
        })
        .collect();
    wanted.sort_unstable();
    readings.sort_unstable();
    same("rows", wanted, readings, way);
    let mut wanted: Vec<_> = (model.store.gaps.iter())
        .map(|(lane, first, last, cause)| {
            let cause = match cause {
                store::Cause::Power => Cause::Power,
                store::Cause::Dropped => Cause::Expired,
                store::Cause::Store => Cause::Store,
                store::Cause::Mixed => Cause::Mixed,
            };
            (REAL[*lane], position(*first), position(*last), cause)
        })
        .collect();
    wanted.sort_unstable_by_key(|g| (g.0, g.1));
    gaps.sort_unstable_by_key(|g| (g.0, g.1));
    same("gaps", wanted, gaps, way);
}
