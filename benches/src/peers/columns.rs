//! The same scaled integers for every codec that works by column.

use pco::ChunkConfig;
use pco::standalone::simple_compress;
use sensock::batch::Cell;

use super::ZSTD_LEVEL;
use crate::records::{HUMIDITY, Plain, Row, TEMPERATURE};

/// Records by column: ticks, and one list of scaled integers a quantity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Milliseconds.
    pub ticks: Vec<u64>,
    /// One list for each quantity.
    pub values: Vec<Vec<i32>>,
}

impl Columns {
    /// The made-up records, at 0.01 a step.
    pub fn of(records: &[Plain]) -> Columns {
        let scaled = |cell| match cell {
            Cell::Value(value) => value,
            Cell::Fault(_) => unreachable!("the made-up series has no faults"),
        };
        Columns {
            ticks: records.iter().map(|r| Row::BOOTED + r.tick).collect(),
            values: vec![
                records.iter().map(|r| scaled(TEMPERATURE.is(r.temperature).cell)).collect(),
                records.iter().map(|r| scaled(HUMIDITY.is(r.humidity).cell)).collect(),
            ],
        }
    }

    /// Some of the records.
    pub fn part(&self, from: usize, count: usize) -> Columns {
        let range = from..from + count;
        Columns {
            ticks: self.ticks[range.clone()].to_vec(),
            values: self.values.iter().map(|v| v[range.clone()].to_vec()).collect(),
        }
    }
}

/// Bytes of the columns by pco at its default level, one stream each, summed.
pub fn pco_bytes(columns: &Columns) -> usize {
    let config = ChunkConfig::default();
    let ticks = simple_compress(&columns.ticks, &config).unwrap().len();
    columns.values.iter().fold(ticks, |sum, v| sum + simple_compress(v, &config).unwrap().len())
}

/// Bytes of the columns by zstd at level 3, one stream each, summed.
pub fn zstd_bytes(columns: &Columns) -> usize {
    let size = |bytes: Vec<u8>| zstd::bulk::compress(&bytes, ZSTD_LEVEL).unwrap().len();
    columns.values.iter().fold(size(little(&columns.ticks, u64::to_le_bytes)), |sum, v| {
        sum + size(little(v, i32::to_le_bytes))
    })
}

/// As little-endian bytes.
pub(super) fn little<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|v| bytes(*v)).collect()
}
