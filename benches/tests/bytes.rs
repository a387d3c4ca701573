//! How small batches are, beside compressors that take their time: the limits that may not be lost.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

#[path = "../benches/bytes/table.rs"]
mod table;

use benches::{Device, Record, series};
use table::{RECORDINGS, Sheet};

/// The recordings that the limits are about, and what is made up.
fn sheets() -> impl Iterator<Item = Sheet> {
    RECORDINGS[..3].iter().map(|file| Sheet::open(file)).chain([Sheet::cellar(3_000)])
}

#[test]
fn ten_records_take_little_more_than_half_of_what_compressors_take() {
    for sheet in sheets() {
        let sizes = sheet.sizes(10, 150);
        assert!(sizes.readings >= 3_000, "{}", sheet.name);
        for (peer, bytes) in [("pco", sizes.pco), ("zstd-3", sizes.zstd)] {
            let beside = sizes.sensock as f64 / bytes as f64;
            assert!(beside <= 0.55, "{}: {beside:.3} of {peer}'s bytes", sheet.name);
        }
    }
}

#[test]
fn hundreds_of_records_take_no_more_than_by_pco() {
    for sheet in sheets() {
        for count in [100, 1_000] {
            let sizes = sheet.sizes(count, 40);
            let beside = sizes.sensock as f64 / sizes.pco as f64;
            assert!(beside <= 1.05, "{} by {count}: {beside:.3} of pco's bytes", sheet.name);
        }
    }
}

#[test]
fn a_thousand_made_up_records_take_at_most_132_hundredths_of_a_byte_each() {
    let mut out = vec![0; 16 << 10];
    for seed in 1..=20 {
        let records: Vec<Record> = series(seed, 1_000).into_iter().map(Record::from).collect();
        let bytes = Device::new(2).frame(&records, &mut out).unwrap();
        assert!(bytes <= 1_320, "seed {seed}: {bytes} B");
    }
}
