//! The thinnest road: records from an outbox, through both sessions, to where they are kept.

mod common;

use common::*;
use sensock::batch::Cell;
use sensock::device::{Policy, Share};
use sensock::{Lane, Position, Tick};

#[test]
fn records_arrive_once_in_order_with_their_values() {
    let mut p = Pair::new();
    for i in 0..200 {
        p.now += 10_000;
        p.record(20.0 + i as f32 / 100.0, 50.0);
    }
    p.dial();
    p.settle();
    let expected: Vec<u64> = (0..200).map(|n| Position::new(1, n).0).collect();
    assert_eq!(p.positions(Lane::Readings), expected);
    let Row::Record(_, _, tick, cells) = &p.rows[7] else { panic!() };
    assert_eq!((*tick, &cells[..]), (Tick(81_000), &[(1, Cell::Value(2007)), (2, Cell::Value(500))][..]));
    assert!(p.outbox.with(|o| o.is_drained(Lane::Readings)));
    println!("{} bytes up for 200 records", p.up_bytes);
}

#[test]
fn one_record_of_two_readings_takes_at_most_14_bytes_in_a_frame_by_itself() {
    let mut p = Pair::new();
    p.dial();
    p.settle();
    let mut largest = 0;
    for i in 0..20_000 {
        p.now += 10_000;
        p.record(-20.0 + (i % 7000) as f32 / 100.0, (i % 100) as f32);
        p.largest_data = 0;
        p.settle();
        // The length prefix is one byte; the first frame of a connection carries the whole tick and shape.
        if i > 0 {
            largest = largest.max(p.largest_data + 1);
        }
    }
    println!("one record of two readings: at most {largest} B in a frame by itself");
    assert!(largest <= 14, "{largest}");
    assert_eq!(p.positions(Lane::Readings).len(), 20_000);
}

#[test]
fn a_cut_link_resumes_at_the_mark() {
    let mut p = Pair::new();
    p.dial();
    p.settle();
    for round in 0..20 {
        p.hold_commits = round % 2 == 1;
        for _ in 0..30 {
            p.now += 1_000;
            p.record(1.0, 2.0);
            if p.now.is_multiple_of(3_000) {
                p.step();
            }
        }
        // Cut: what was not committed comes again.
        if p.hold_commits {
            let mark = p.marks[2];
            p.rows.retain(|r| !matches!(r, Row::Record(_, at, ..) if *at > mark));
        }
        p.hold_commits = false;
        p.dial();
        p.settle();
    }
    let expected: Vec<u64> = (0..600).map(|n| Position::new(1, n).0).collect();
    assert_eq!(p.positions(Lane::Readings), expected);
}

#[test]
fn overflow_raises_the_floor_and_the_server_writes_the_gap() {
    let mut p = Pair::new();
    p.dial();
    p.settle();
    p.hold_commits = true;
    for _ in 0..2_000 {
        p.now += 1_000;
        p.record(1.0, 2.0);
        p.step();
    }
    p.hold_commits = false;
    p.release_commits();
    p.settle();
    let mut covered = 0u64;
    let mut next = Position::new(1, 0);
    for row in &p.rows {
        match row {
            Row::Record(Lane::Readings, at, ..) => {
                assert_eq!(*at, next);
                next = at.next();
                covered += 1;
            }
            Row::Gap(Lane::Readings, first, last) => {
                assert_eq!(*first, next);
                covered += last.0 - first.0 + 1;
                next = last.next();
            }
            _ => {}
        }
    }
    assert_eq!(covered, 2_000, "every accepted position is a row or in a gap");
    assert!(p.rows.iter().any(|r| matches!(r, Row::Gap(..))));
}

#[test]
fn drop_newest_is_one_gap_at_the_tail() {
    let mut p = Pair::new();
    p.policy(Policy::DropNewest);
    for _ in 0..2_000 {
        p.now += 1_000;
        p.record(1.0, 2.0);
    }
    p.dial();
    p.settle();
    let gaps: Vec<_> = p.rows.iter().filter(|r| matches!(r, Row::Gap(..))).collect();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    let stored = p.positions(Lane::Readings).len() as u32;
    assert_eq!(gaps[0], &Row::Gap(Lane::Readings, Position::new(1, stored), Position::new(1, 1_999)));
    p.record(3.0, 4.0);
    p.settle();
    assert_eq!(p.positions(Lane::Readings).last(), Some(&Position::new(1, 2_000).0));
}

#[test]
fn keep_latest_numbers_what_it_frames() {
    let mut p = Pair::new();
    p.policy(Policy::KeepLatest);
    for i in 0..50 {
        p.now += 1_000;
        p.record(i as f32, 2.0);
    }
    p.dial();
    p.settle();
    assert_eq!(p.positions(Lane::Readings), [Position::new(1, 0).0]);
    let Row::Record(_, _, tick, cells) = &p.rows[0] else { panic!() };
    assert_eq!((tick.0, cells[0]), (51_000, (1, Cell::Value(4_900))));
    p.now += 1;
    p.record(9.0, 9.0);
    p.settle();
    assert_eq!(p.positions(Lane::Readings).len(), 2);
}

#[test]
fn an_unknown_catalogue_is_stored_before_any_record_is_credited() {
    let mut p = Pair::new();
    p.known_catalog = false;
    p.record(1.0, 2.0);
    p.dial();
    p.settle();
    assert_eq!(p.catalog_bytes.len(), CELLAR.len());
    assert_eq!(p.positions(Lane::Readings).len(), 1);
}
