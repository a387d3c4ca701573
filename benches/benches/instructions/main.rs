//! Instructions, not time: the same count in each run of the same build, whatever else the machine does.
//!
//! | function | what is counted |
//! |---|---|
//! | `one_encode` | ours: from a tick and two scaled values to a whole Data frame (header, position, run head, cells), where the frame before had the same shape. postcard: `to_slice` of the struct |
//! | `one_decode` | ours: from the whole frame to the struct with both values as `f32`, header and position checked, contexts kept. postcard: `from_bytes` of the struct |
//! | `many_…` | the same of 1,000 records in one frame, and of a `Vec` of the struct; decoding ours fills rows that are there, postcard's makes its own |
//! | `deframe` | 1,000 frames of 14 bytes out of reads of 1,460 |
//! | `outbox_record`, `device_frame`, `server_data`, `server_ack`, `device_ack` | one record's way through two live sessions, a call each; cells are not decoded |
//! | `rule_a` | a group of 1 and of 64 records into the memory store |
//!
//! Both sides have the same ticks and values, for each seed a series of its own, the same flags of the compiler, and memory that is there before.
//! The ticks are milliseconds since 1970, six bytes of a varint; where they count from power-on, postcard's struct is two or three bytes and some 20 to 30
//! instructions smaller.
//!
//! `cargo xtask instructions` runs this under valgrind and holds the counts against `benches/instructions.toml`, and the ratios against their limits.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

mod live;
mod ours;
mod series;

use std::hint::black_box;

use futures_util::FutureExt as _;
use gungraun::Callgrind;
use gungraun::prelude::*;
use live::Live;
use ours::{Ends, Rows};
use sensock::deframe::{Length, PREFACE, prefixed};
use sensock::{Position, Tick};
use sensock_store::conformance::{fixture, work};
use sensock_store::work::{Done, Work};
use sensock_store::{MemoryStore, commit};
use series::{Record, Row, series};

const MANY: usize = 1_000;

/// All that a measured function touches, made before it is measured.
struct Bench {
    records: Vec<Record>,
    rows: Vec<Row>,
    row: Row,
    out: Vec<Row>,
    ends: Ends,
    bytes: Vec<u8>,
    len: usize,
    decoded: Vec<Row>,
}

fn bench(seed: u64, count: usize) -> Box<Bench> {
    let all = series(seed, count + 1);
    let records = all[1..].to_vec();
    let rows: Vec<Row> = records.iter().map(|r| r.row()).collect();
    let out = vec![Row::default(); count];
    let mut bench = Bench {
        records,
        rows,
        row: Row::default(),
        out,
        ends: Ends::new(Tick(all[0].tick)),
        bytes: vec![0; 64 << 10],
        len: 0,
        decoded: Vec::new(),
    };
    bench.ends.encode(&bench.records).unwrap();
    bench.ends.decode(&mut Rows(&mut bench.out)).unwrap();
    assert_eq!(bench.out, bench.rows, "what was decoded is what was encoded");
    // What both ends remember is again as it was before.
    bench.ends.forget(Tick(all[0].tick));
    bench.len = match count {
        1 => postcard::to_slice(&bench.rows[0], &mut bench.bytes).unwrap().len(),
        _ => postcard::to_slice(&bench.rows, &mut bench.bytes).unwrap().len(),
    };
    Box::new(bench)
}

fn one(seed: u64) -> Box<Bench> {
    bench(seed, 1)
}

fn many(seed: u64) -> Box<Bench> {
    bench(seed, MANY)
}

#[library_benchmark]
#[benches::seed(iter = 1..=5, setup = one)]
fn one_encode_sensock(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { ends, records, .. } = black_box(&mut *it);
    ends.encode(&records[..1]).unwrap();
    it
}

#[library_benchmark]
#[benches::seed(iter = 1..=5, setup = one)]
fn one_encode_postcard(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { bytes, rows, len, .. } = black_box(&mut *it);
    *len = postcard::to_slice(&rows[0], bytes).unwrap().len();
    it
}

#[library_benchmark]
#[benches::seed(iter = 1..=5, setup = one)]
fn one_decode_sensock(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { ends, row, .. } = black_box(&mut *it);
    ends.decode(row).unwrap();
    it
}

#[library_benchmark]
#[benches::seed(iter = 1..=5, setup = one)]
fn one_decode_postcard(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { bytes, row, len, .. } = black_box(&mut *it);
    *row = postcard::from_bytes(&bytes[..*len]).unwrap();
    it
}

#[library_benchmark]
#[benches::seed(iter = 1..=20, setup = many)]
fn many_encode_sensock(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { ends, records, .. } = black_box(&mut *it);
    ends.encode(records).unwrap();
    it
}

#[library_benchmark]
#[benches::seed(iter = 1..=20, setup = many)]
fn many_encode_postcard(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { bytes, rows, len, .. } = black_box(&mut *it);
    *len = postcard::to_slice(rows, bytes).unwrap().len();
    it
}

#[library_benchmark]
#[benches::seed(iter = 1..=20, setup = many)]
fn many_decode_sensock(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { ends, out, .. } = black_box(&mut *it);
    ends.decode(&mut Rows(out)).unwrap();
    it
}

#[library_benchmark]
#[benches::seed(iter = 1..=20, setup = many)]
fn many_decode_postcard(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { bytes, decoded, len, .. } = black_box(&mut *it);
    *decoded = postcard::from_bytes(&bytes[..*len]).unwrap();
    it
}

/// As many frames of one record as there are, in reads of a socket.
fn stream(frames: usize) -> Box<Vec<u8>> {
    let mut stream = PREFACE.to_vec();
    let mut frame = [7; 16];
    for _ in 0..frames {
        let at = prefixed(&mut frame, 14);
        stream.extend_from_slice(&frame[at..]);
    }
    Box::new(stream)
}

#[library_benchmark]
#[bench::frames(args = (MANY), setup = stream)]
fn deframe_sensock(stream: Box<Vec<u8>>) -> Box<Vec<u8>> {
    let (mut deframer, mut into, mut found) = (Length::new(), [0; 64], 0);
    for mut chunk in black_box(&*stream).chunks(1_460) {
        while !chunk.is_empty() {
            let (used, whole) = deframer.feed(chunk, &mut into).unwrap();
            chunk = &chunk[used..];
            found += usize::from(whole.is_some());
        }
    }
    assert_eq!(found, MANY);
    stream
}

/// How far one record has come on its way.
fn live(steps: usize) -> Box<Live> {
    let mut live = Box::new(Live::new());
    let way: [fn(&mut Live); 4] = [
        Live::record,
        |live| assert!(live.device_says()),
        Live::server_hears,
        |live| assert!(live.server_says()),
    ];
    way[..steps].iter().for_each(|step| step(&mut live));
    live
}

#[library_benchmark]
#[bench::one(args = (0), setup = live)]
fn outbox_record_sensock(mut it: Box<Live>) -> Box<Live> {
    black_box(&mut *it).record();
    it
}

#[library_benchmark]
#[bench::one(args = (1), setup = live)]
fn device_frame_sensock(mut it: Box<Live>) -> Box<Live> {
    black_box(&mut *it).device_says();
    it
}

#[library_benchmark]
#[bench::one(args = (2), setup = live)]
fn server_data_sensock(mut it: Box<Live>) -> Box<Live> {
    black_box(&mut *it).server_hears();
    it
}

#[library_benchmark]
#[bench::one(args = (3), setup = live)]
fn server_ack_sensock(mut it: Box<Live>) -> Box<Live> {
    black_box(&mut *it).server_says();
    it
}

#[library_benchmark]
#[bench::one(args = (4), setup = live)]
fn device_ack_sensock(mut it: Box<Live>) -> Box<Live> {
    black_box(&mut *it).device_hears();
    it
}

/// A store that knows the device, and a group of so many records for it.
fn group(records: u32) -> Box<(MemoryStore, [Work; 1])> {
    let (lane, store) = (fixture::readings_lane("cellar-3"), MemoryStore::default());
    now(async {
        work::done(&store, &[work::catalog_work(lane.device)]).await;
        let met = work::hello_work(&store, work::hello(lane.device, 1, 0), 7).await;
        work::met(&store, met).await;
    });
    let records = work::records(lane, Position::new(1, 0), records);
    Box::new((store, [Work::Records(Box::new(records))]))
}

/// The memory store never waits for anything but another transaction, and there is none.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

#[library_benchmark]
#[benches::records(args = [1, 64], setup = group)]
fn rule_a_sensock(it: Box<(MemoryStore, [Work; 1])>) -> Box<(MemoryStore, [Work; 1])> {
    let (store, works) = black_box(&*it);
    let done = now(commit(store, works)).unwrap();
    assert!(matches!(&done[..], [Ok(Done::Appended(_))]));
    std::mem::forget(done);
    it
}

library_benchmark_group!(
    name = one,
    benchmarks = [one_encode_sensock, one_encode_postcard, one_decode_sensock, one_decode_postcard]
);
library_benchmark_group!(
    name = many,
    benchmarks = [many_encode_sensock, many_encode_postcard, many_decode_sensock, many_decode_postcard]
);

library_benchmark_group!(
    name = parts,
    benchmarks = [
        deframe_sensock,
        outbox_record_sensock,
        device_frame_sensock,
        server_data_sensock,
        server_ack_sensock,
        device_ack_sensock,
        rule_a_sensock
    ]
);

main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = [one, many, parts]
);
