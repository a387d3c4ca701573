//! Two boards with one identity, in any order of dials, reboots, lost confirmations and late commits: no position ever holds records of
//! two lives, and nothing that carries a superseded tag gets in.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sensock::wire::hello::Hello;
use sensock::{Position, Tag};

use super::{now, run};
use crate::conformance::fixture::*;
use crate::conformance::work::*;
use crate::identity::judge;
use crate::memory::MemoryStore;
use crate::store::Store;
use crate::work::*;

#[derive(Clone, Copy, Debug)]
enum Op {
    /// Board dials; Welcome is confirmed and committed, confirmed and stuck in the server, or never seen by the device.
    Dial(usize, Fate),
    /// Board loses its memory; its boot number survives, or is set back.
    Reboot(usize, bool),
    /// Board records and sends, over the connection that it believes in.
    Send(usize),
    /// The oldest Hello that is stuck in a server is committed after all.
    Late,
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Committed,
    Stuck,
    Unseen,
}

/// One board: what its flash and its memory hold.
#[derive(Clone, Debug)]
struct Board {
    /// Which life of which board this is.
    life: u32,
    boot: u32,
    tag: Tag,
    pending: Tag,
    /// Records made in this life, and whether a connection stands.
    made: u32,
    connected: bool,
}

impl Board {
    fn dial(&self) -> Hello {
        let mut dial = hello(device("twin"), self.boot, self.tag.0);
        dial.pending_tag = self.pending;
        dial
    }
}

fn op() -> impl Strategy<Value = Op> {
    let fate = prop_oneof![4 => Just(Fate::Committed), 1 => Just(Fate::Stuck), 1 => Just(Fate::Unseen)];
    prop_oneof![
        4 => (0usize..2, fate).prop_map(|(b, f)| Op::Dial(b, f)),
        2 => (0usize..2, prop::bool::weighted(0.2)).prop_map(|(b, back)| Op::Reboot(b, back)),
        4 => (0usize..2).prop_map(Op::Send),
        1 => Just(Op::Late),
    ]
}

proptest! {
    #[test]
    fn no_position_holds_two_lives(ops in prop::collection::vec(op(), 1..80)) {
        let store = MemoryStore::default();
        let lane = readings_lane("twin");
        run(&store, &[catalog_work(lane.device)]).unwrap();
        let new = |life| Board { life, boot: 1, tag: Tag::NONE, pending: Tag::NONE, made: 0, connected: false };
        let (mut boards, mut lives) = ([new(0), new(1)], 2);
        let mut stuck: Vec<HelloWork> = vec![];
        let mut fresh = 100;
        // Which life's record a position holds.
        let mut owner: BTreeMap<Position, u32> = BTreeMap::new();
        for op in ops {
            match op {
                Op::Reboot(i, back) => {
                    let boot = if back { 1 } else { boards[i].boot + 1 };
                    boards[i] = Board { boot, ..new(lives) };
                    lives += 1;
                }
                Op::Dial(i, fate) => {
                    fresh += 1;
                    let mut dial = boards[i].dial();
                    // All that it made and that was not acknowledged is in its memory still: its floor is the start of its boot.
                    dial.lanes[2].floor = Position::boot_start(dial.boot.unwrap());
                    let resume = now(store.load(&lane.device)).unwrap();
                    let row = resume.device.clone();
                    let shows = |t: &Tag| *t == dial.tag && *t != Tag::NONE;
                    let superseded = row.as_ref().is_some_and(|r| r.superseded.iter().any(shows));
                    let Verdict::Welcome(proposed) = judge(&resume, &dial, Tag(fresh)) else {
                        prop_assert!(row.is_some(), "a collision with nobody");
                        boards[i].connected = false;
                        continue;
                    };
                    prop_assert!(!superseded, "a superseded tag got in");
                    if matches!(fate, Fate::Unseen) {
                        continue;
                    }
                    let work = HelloWork { proposed, ..now(hello_work(&store, dial, fresh)) };
                    let board = &mut boards[i];
                    board.boot = proposed.boot;
                    board.connected = false;
                    if board.tag != proposed.tag {
                        board.pending = proposed.tag;
                    }
                    if matches!(fate, Fate::Stuck) {
                        stuck.push(work);
                        continue;
                    }
                    let done = run(&store, &[Work::Hello(Box::new(work))]).unwrap();
                    prop_assert!(matches!(done[0], Ok(Done::Hello(_))), "nothing came between: {done:?}");
                    (board.tag, board.pending, board.connected) = (proposed.tag, Tag::NONE, true);
                }
                Op::Late => {
                    if !stuck.is_empty() {
                        run(&store, &[Work::Hello(Box::new(stuck.remove(0)))]).unwrap();
                    }
                }
                Op::Send(i) => {
                    let board = &mut boards[i];
                    // Only a confirmed connection has credit; it may be an old one that the server has not closed yet.
                    if !board.connected {
                        continue;
                    }
                    board.made += 2;
                    let first = Position::boot_start(board.boot);
                    let got = now(appended(&store, &records(lane, first, board.made)));
                    let resume = now(store.load(&lane.device)).unwrap();
                    if got.rewind || resume.marks[2].boot() != board.boot {
                        continue;
                    }
                    for n in 0..board.made {
                        let at = first.plus(n.into());
                        if at <= resume.marks[2] {
                            let holder = *owner.entry(at).or_insert(board.life);
                            prop_assert_eq!(holder, board.life, "{} holds records of two lives", at);
                        }
                    }
                }
            }
        }
    }
}
