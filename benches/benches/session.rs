//! From `record` to the acknowledgement: outbox, both sessions and the columns between them, no I/O.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::collections::VecDeque;
use std::hint::black_box;

use benches::{HUMIDITY, Pair, Plain, Row, TEMPERATURE, records};
use bytes::{Buf as _, Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sensock::device::Outbox;
use sensock::{Lane, Tick};
use tokio_util::codec::{Decoder as _, Encoder as _, LengthDelimitedCodec};

/// The same records for ever, later each time.
struct Endless {
    records: Vec<Plain>,
    at: usize,
    from: u64,
}

impl Endless {
    fn new() -> Self {
        Endless { records: records(1_000), at: 0, from: 0 }
    }

    fn next(&mut self) -> Plain {
        if self.at == self.records.len() {
            (self.at, self.from) = (0, self.from + 1_000_000);
        }
        self.at += 1;
        let r = self.records[self.at - 1];
        Plain { tick: self.from + r.tick, ..r }
    }
}

fn outbox(c: &mut Criterion) {
    let mut group = c.benchmark_group("outbox");
    let (mut memory, mut source) = (Outbox::<8192>::new(), Endless::new());
    memory.as_mut().start(Some(1));
    // Full for nearly all of the time: each record makes the oldest give way.
    group.bench_function("record, full", |b| {
        b.iter(|| {
            let r = source.next();
            let readings = [TEMPERATURE.is(r.temperature), HUMIDITY.is(r.humidity)];
            memory.as_mut().record(Lane::Readings, Tick(r.tick), black_box(&readings)).unwrap()
        });
    });
    let (mut ring, mut source) = (VecDeque::<u8>::with_capacity(8192), Endless::new());
    group.bench_function("postcard into a ring of bytes, full", |b| {
        b.iter(|| {
            let mut buf = [0; 32];
            let bytes = postcard::to_slice(black_box(&Row::from(source.next())), &mut buf).unwrap();
            while ring.len() + 1 + bytes.len() > 8192 {
                let oldest = ring.front().copied().unwrap_or_default();
                ring.drain(..=usize::from(oldest));
            }
            ring.push_back(bytes.len() as u8);
            ring.extend(&*bytes);
        });
    });
    group.finish();
}

/// The least that a protocol does: a frame a record one way, one number the other way. No outbox, no promise.
struct Bare {
    codec: LengthDelimitedCodec,
    up: BytesMut,
    down: BytesMut,
}

impl Bare {
    fn new() -> Self {
        Bare { codec: LengthDelimitedCodec::new(), up: BytesMut::new(), down: BytesMut::new() }
    }

    fn record(&mut self, row: &Row) {
        let body = Bytes::copy_from_slice(postcard::to_slice(row, &mut [0; 32]).unwrap());
        self.codec.encode(body, &mut self.up).unwrap();
    }

    /// How many were acknowledged.
    fn settle(&mut self) -> u32 {
        let mut count = 0u32;
        while let Some(frame) = self.codec.decode(&mut self.up).unwrap() {
            black_box(postcard::from_bytes::<Row>(&frame).unwrap());
            count += 1;
        }
        self.codec.encode(Bytes::copy_from_slice(&count.to_be_bytes()), &mut self.down).unwrap();
        self.codec.decode(&mut self.down).unwrap().unwrap().get_u32()
    }
}

fn session(c: &mut Criterion) {
    for count in [1usize, 64, 1_000] {
        let mut group = c.benchmark_group(format!("record to acknowledgement, {count} at a time"));
        group.throughput(Throughput::Elements(2 * count as u64));
        let (mut pair, mut source) = (Pair::new(), Endless::new());
        group.bench_function("sensock", |b| {
            b.iter(|| {
                for _ in 0..count {
                    pair.record(&source.next()).unwrap();
                }
                pair.settle();
            });
        });
        let (mut bare, mut source) = (Bare::new(), Endless::new());
        group.bench_function("postcard, LengthDelimitedCodec, one number back", |b| {
            b.iter(|| {
                for _ in 0..count {
                    bare.record(&Row::from(source.next()));
                }
                assert_eq!(bare.settle(), count as u32);
            });
        });
        group.finish();
        eprintln!("{count} at a time: {:.2} B of frames a reading", pair.up as f64 / pair.readings as f64);
    }
    c.bench_function("handshake, both ends", |b| {
        let mut pair = Pair::new();
        b.iter(|| pair.dial());
    });
}

criterion_group!(benches, outbox, session);
criterion_main!(benches);
