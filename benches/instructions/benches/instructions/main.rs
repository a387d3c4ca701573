//! Instructions, not time: the same count in each run of the same build, whatever else the machine does.
//!
//! | function | what is counted |
//! |---|---|
//! | `one_encode` | ours: from a tick and two scaled values to a whole Data frame (header, position, run head, cells), where the frame before had the same shape. postcard: `to_slice` of the struct |
//! | `one_decode` | ours: from the whole frame to the struct with both values as `f32`, the way that a server goes: header and position, `Data::check`, its items, their cells. postcard: `from_bytes` of the struct |
//! | `many_…` | the same of 1,000 records in one frame, given in units of 0.01, and of a `Vec` of the struct; decoding ours fills rows that are there, postcard's makes its own |
//! | `deframe` | 1,000 frames of 14 bytes out of reads of 1,460 |
//! | `outbox_record`, `device_frame`, `server_data`, `server_ack`, `device_ack` | one record's way through two live sessions, a call each; cells are not decoded |
//! | `sealed_shake` | a server's half of a handshake, from the bytes of a first message to those of a sealed Welcome |
//! | `sealed_open`, `sealed_close` | opening a frame of 14 and of 400 bytes (one record, and 64), and sealing an acknowledgement |
//! | `rule_a` | a group of 1 and of 64 records into the memory store |
//! | `rules_zone` | 200 records, a reading each, in a zone of 100 rules: of each kind in turn, then of all kinds mixed |
//!
//! Both sides have the same ticks and values, for each seed a series of its own, the same flags of the compiler, and memory that is there before.
//! The ticks are milliseconds since 1970, six bytes of a varint; where they count from power-on, postcard's struct is two or three bytes and some 20 to 30
//! instructions smaller.
//!
//! `cargo xtask instructions` runs this under valgrind and holds the counts against `recorded.toml`, and the ratios against their limits.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

mod live;
mod sealed;

use std::hint::black_box;

use benches::zone::{self, DEVICES, Zone};
use benches::{Device, Record, Row, Server, series};
use futures_util::FutureExt as _;
use gungraun::Callgrind;
use gungraun::prelude::*;
use live::Live;
use sealed::Sealed;
use sensock::Position;
use sensock::batch::Cell;
use sensock::deframe::{Length, PREFACE, prefixed};
use sensock_store::conformance::{fixture, work};
use sensock_store::work::{Done, Work};
use sensock_store::{MemoryStore, commit};

const MANY: usize = 1_000;

/// All that a measured function touches, made before it is measured.
struct Bench {
    records: Vec<Record>,
    /// The same records in units of 0.01.
    scaled: Vec<(u64, [i32; 2])>,
    rows: Vec<Row>,
    /// Both ends, after a frame of one record.
    device: Device,
    server: Server,
    frame: Vec<u8>,
    frame_len: usize,
    out: Vec<Row>,
    bytes: Vec<u8>,
    len: usize,
    decoded: Vec<Row>,
}

fn bench(seed: u64, count: usize) -> Box<Bench> {
    let all = series(seed, count + 1);
    let records: Vec<Record> = all.iter().copied().map(Record::from).collect();
    let rows: Vec<Row> = all[1..].iter().copied().map(Row::from).collect();
    let (mut device, mut server) = (Device::new(2), Server::new());
    let (mut frame, mut out) = (vec![0; 16 << 10], vec![Row::default(); count]);
    let len = device.frame(&records[..1], &mut frame).unwrap();
    server.rows(&frame[..len], &mut out).unwrap();
    // Those that are measured begin where these ends stand now.
    let (met, heard) = (device.clone(), server.clone());
    let frame_len = device.frame(&records[1..], &mut frame).unwrap();
    assert_eq!(server.rows(&frame[..frame_len], &mut out), Some(count));
    assert_eq!(out, rows, "what was decoded is what was encoded");
    let mut bytes = vec![0; 64 << 10];
    let len = match count {
        1 => postcard::to_slice(&rows[0], &mut bytes).unwrap().len(),
        _ => postcard::to_slice(&rows, &mut bytes).unwrap().len(),
    };
    let (records, decoded) = (records[1..].to_vec(), Vec::new());
    let scaled = records.iter().map(scaled).collect();
    Box::new(Bench {
        records,
        scaled,
        rows,
        device: met,
        server: heard,
        frame,
        frame_len,
        out,
        bytes,
        len,
        decoded,
    })
}

fn scaled(record: &Record) -> (u64, [i32; 2]) {
    let value = |reading: sensock::Reading| match reading.cell {
        Cell::Value(value) => value,
        Cell::Fault(_) => panic!("the series has no faults"),
    };
    (record.tick, record.readings.map(value))
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
    let Bench { device, records, frame, .. } = black_box(&mut *it);
    device.frame(&records[..1], frame).unwrap();
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
    let Bench { server, frame, frame_len, out, .. } = black_box(&mut *it);
    server.rows(&frame[..*frame_len], out).unwrap();
    it
}

#[library_benchmark]
#[benches::seed(iter = 1..=5, setup = one)]
fn one_decode_postcard(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { bytes, out, len, .. } = black_box(&mut *it);
    out[0] = postcard::from_bytes(&bytes[..*len]).unwrap();
    it
}

#[library_benchmark]
#[benches::seed(iter = 1..=20, setup = many)]
fn many_encode_sensock(mut it: Box<Bench>) -> Box<Bench> {
    let Bench { device, scaled, frame, .. } = black_box(&mut *it);
    let ticks = scaled.iter().map(|(tick, _)| *tick);
    let column = |i: usize| scaled.iter().map(move |(_, values)| Cell::Value(values[i]));
    device.columns(frame, scaled.len(), ticks, 2, column).unwrap();
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
    let Bench { server, frame, frame_len, out, .. } = black_box(&mut *it);
    server.rows(&frame[..*frame_len], out).unwrap();
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

/// A zone of one kind of rule, by its place; of all kinds, for the place behind the last.
fn zone_of(kind: usize) -> Box<Zone> {
    let kinds = zone::KINDS.get(kind..=kind).unwrap_or(&zone::KINDS);
    Box::new(Zone::new(kinds, 2))
}

#[library_benchmark]
#[benches::kind(iter = 0..=8, setup = zone_of)]
fn rules_zone_sensock(mut it: Box<Zone>) -> Box<Zone> {
    black_box(&mut *it).turn(DEVICES);
    it
}

fn dialled() -> Box<Sealed> {
    Box::new(Sealed::dialled())
}

fn came(len: usize) -> Box<Sealed> {
    Box::new(Sealed::live(len))
}

#[library_benchmark]
#[bench::one(setup = dialled)]
fn sealed_shake_sensock(mut it: Box<Sealed>) -> Box<Sealed> {
    black_box(&mut *it).shake();
    it
}

#[library_benchmark]
#[benches::bytes(args = [14, 400], setup = came)]
fn sealed_open_sensock(mut it: Box<Sealed>) -> Box<Sealed> {
    let Sealed { server, message, .. } = black_box(&mut *it);
    server.open(message).unwrap();
    it
}

#[library_benchmark]
#[bench::ack(args = (14), setup = came)]
fn sealed_close_sensock(mut it: Box<Sealed>) -> Box<Sealed> {
    let Sealed { server, out, .. } = black_box(&mut *it);
    server.close(out, 3).unwrap();
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
        rule_a_sensock,
        rules_zone_sensock,
        sealed_shake_sensock,
        sealed_open_sensock,
        sealed_close_sensock
    ]
);

main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = [one, many, parts]
);
