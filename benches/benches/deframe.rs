//! A byte stream cut into frames, as reads of a socket bring it.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;

use bytes::BytesMut;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use sensock::deframe::{Length, PREFACE, cobs, prefixed};
use tokio_util::codec::{Decoder as _, LengthDelimitedCodec};

const FRAMES: usize = 1_000;
const CHUNK: usize = 1_460;

fn deframe(c: &mut Criterion) {
    for size in [14, 400] {
        let frame: Vec<u8> = (0..size).map(|i| (i * 37) as u8).collect();
        let mut group = c.benchmark_group(format!("deframe {size} B"));
        group.throughput(Throughput::Elements(FRAMES as u64));

        let mut stream = PREFACE.to_vec();
        let mut buf = vec![0; size + 2];
        for _ in 0..FRAMES {
            buf[2..].copy_from_slice(&frame);
            let at = prefixed(&mut buf, size);
            stream.extend_from_slice(&buf[at..]);
        }
        group.bench_function("length", |b| {
            let mut into = [0; 512];
            b.iter(|| {
                let (mut deframer, mut found) = (Length::new(), 0);
                for mut chunk in black_box(&stream).chunks(CHUNK) {
                    while !chunk.is_empty() {
                        let (used, whole) = deframer.feed(chunk, &mut into).unwrap();
                        chunk = &chunk[used..];
                        found += usize::from(whole.is_some());
                    }
                }
                assert_eq!(found, FRAMES);
            });
        });

        let (mut line, mut encoder) = (Vec::new(), cobs::Encoder::new());
        let mut buf = vec![0; cobs::encoded_max(size)];
        for _ in 0..FRAMES {
            let len = encoder.encode(&frame, &mut buf).unwrap();
            line.extend_from_slice(&buf[..len]);
        }
        group.bench_function("cobs with CRC", |b| {
            let mut into = [0; 512];
            b.iter(|| {
                let (mut deframer, mut found) = (cobs::Decoder::new(), 0);
                for mut chunk in black_box(&line).chunks(CHUNK) {
                    while !chunk.is_empty() {
                        let (used, whole) = deframer.feed(chunk, &mut into).unwrap();
                        chunk = &chunk[used..];
                        found += usize::from(whole.is_some());
                    }
                }
                assert_eq!(found, FRAMES);
            });
        });
        peers(&mut group, &frame);
        group.finish();
    }
}

/// The least that must happen, and what most take.
fn peers(group: &mut BenchmarkGroup<'_, WallTime>, frame: &[u8]) {
    let copied = frame.repeat(FRAMES);
    group.bench_function("copy of each frame", |b| {
        let mut into = [0; 512];
        b.iter(|| {
            for one in black_box(&copied).chunks(frame.len()) {
                black_box(&mut into)[..one.len()].copy_from_slice(one);
            }
        });
    });
    let delimited = [&(frame.len() as u32).to_be_bytes(), frame].concat().repeat(FRAMES);
    group.bench_function("LengthDelimitedCodec", |b| {
        let (mut codec, mut read) = (LengthDelimitedCodec::new(), BytesMut::new());
        b.iter(|| {
            let mut found = 0;
            for chunk in black_box(&delimited).chunks(CHUNK) {
                read.extend_from_slice(chunk);
                while let Some(one) = codec.decode(&mut read).unwrap() {
                    found += usize::from(black_box(one).len() == frame.len());
                }
            }
            assert_eq!(found, FRAMES);
        });
    });
}

criterion_group!(benches, deframe);
criterion_main!(benches);
