//! Many records at once.

use std::hint::black_box;

use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress};
use zstd::bulk::{Compressor, Decompressor};

use super::ZSTD_LEVEL;
use super::columns::{Columns, little};
use super::copy;
use super::make::{owned, slices, tried, vectors};
use crate::case::Case;
use crate::ours::{Device, Record, Server};
use crate::records::{Plain, Row};

/// Every codec, with these records as one batch.
pub fn many(records: &[Plain]) -> Vec<Case> {
    let rows: Vec<Row> = records.iter().copied().map(Row::from).collect();
    let columns = Columns::of(records);
    let (count, room) = (rows.len(), 128 * rows.len() + 64);
    let by_row = |case: Case| Case { records: count, ..case };
    vec![
        sensock(records, &rows),
        by_row(slices(
            "copy by hand",
            room,
            vec![rows.clone()],
            |rows, out| {
                let slots = out.chunks_exact_mut(18).zip(rows);
                slots.map(|(out, r)| copy::put(r, out)).sum()
            },
            |b| b.chunks_exact(18).map(copy::take).collect(),
        )),
        by_row(slices(
            "postcard",
            room,
            vec![rows.clone()],
            |rows, out| postcard::to_slice(rows, out).unwrap().len(),
            |b| postcard::from_bytes(b).unwrap(),
        )),
        by_row(vectors(
            "serde_json",
            room,
            vec![rows],
            |rows, out| serde_json::to_writer(out, rows).unwrap(),
            |b| serde_json::from_slice(b).unwrap(),
        )),
        by_row(pco(columns.clone())),
        by_row(zstd(columns)),
    ]
}

fn sensock(records: &[Plain], rows: &[Row]) -> Case {
    let records: Vec<Record> = records.iter().copied().map(Record::from).collect();
    let (device, mut out, count) = (Device::new(2), vec![0; 32 * rows.len() + 64], rows.len());
    let len = device.clone().frame(&records, &mut out).unwrap();
    let frame = out[..len].to_vec();
    let mut decoded = vec![Row::default(); count];
    assert_eq!(Server::new().rows(&frame, &mut decoded), Some(count));
    assert_eq!(decoded, rows);
    let encode = move || {
        black_box(device.clone().frame(black_box(&records), &mut out).unwrap());
        black_box(&out);
    };
    let decode = move || {
        Server::new().rows(black_box(&frame), &mut decoded).unwrap();
        black_box(&decoded);
    };
    tried(Case {
        name: "sensock",
        bytes: len,
        records: count,
        encode: Box::new(encode),
        decode: Box::new(decode),
    })
}

fn pco(columns: Columns) -> Case {
    let config = ChunkConfig::default();
    owned(
        "pco",
        columns,
        move |c| {
            let values = c.values.iter().map(|v| simple_compress(v, &config).unwrap());
            (simple_compress(&c.ticks, &config).unwrap(), values.collect::<Vec<_>>())
        },
        |(ticks, values)| ticks.len() + values.iter().map(Vec::len).sum::<usize>(),
        |(ticks, values)| Columns {
            ticks: simple_decompress(ticks).unwrap(),
            values: values.iter().map(|v| simple_decompress(v).unwrap()).collect(),
        },
    )
}

fn zstd(columns: Columns) -> Case {
    let mut compressor = Compressor::new(ZSTD_LEVEL).unwrap();
    let mut decompressor = Decompressor::new().unwrap();
    let count = columns.ticks.len();
    owned(
        "zstd-3",
        columns,
        move |c| {
            let ticks = compressor.compress(&little(&c.ticks, u64::to_le_bytes)).unwrap();
            let values = c.values.iter().map(|v| compressor.compress(&little(v, i32::to_le_bytes)).unwrap());
            (ticks, values.collect::<Vec<_>>())
        },
        |(ticks, values)| ticks.len() + values.iter().map(Vec::len).sum::<usize>(),
        move |(ticks, values)| {
            let ticks = decompressor.decompress(ticks, 8 * count).unwrap();
            let ticks = ticks.as_chunks().0.iter().map(|b| u64::from_le_bytes(*b)).collect();
            let values = values.iter().map(|v| {
                let bytes = decompressor.decompress(v, 4 * count).unwrap();
                bytes.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b)).collect()
            });
            Columns { ticks, values: values.collect() }
        },
    )
}
