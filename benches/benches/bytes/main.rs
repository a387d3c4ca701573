//! Bytes a reading on every bundled recording, in batches of 1, 10, 100 and 1,000, beside the peers.
//!
//! A reading is one value of one quantity; its share of the tick and of the frame is in the figure. At most 500 batches of a size are
//! taken from a recording, spread evenly; `--all` takes every one.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

mod table;

use benches::{Device, Record, Rounds, peers, series};
use table::{RECORDINGS, Sheet};

fn main() {
    let most = match (Rounds::from_args().is_once(), std::env::args().any(|arg| arg == "--all")) {
        (true, _) => 1,
        (false, true) => usize::MAX,
        (false, false) => 500,
    };
    println!("{}", peers::described());
    println!(
        "| recording | records a batch | sensock | with faults | postcard | serde_json | pco | zstd-3 | sensock / pco | sensock / zstd-3 |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    let sheets = std::iter::once(Sheet::cellar(100_000)).chain(RECORDINGS.into_iter().map(Sheet::open));
    let mut scales = Vec::new();
    for sheet in sheets {
        for count in [1, 10, 100, 1_000] {
            let sizes = sheet.sizes(count, most);
            let each = |bytes: usize| bytes as f64 / sizes.readings as f64;
            let beside = |bytes: usize| sizes.sensock as f64 / bytes as f64;
            println!(
                "| {} | {count} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
                if count == 1 { sheet.name.as_str() } else { "" },
                each(sizes.sensock),
                each(sizes.faults),
                each(sizes.postcard),
                each(sizes.json),
                each(sizes.pco),
                each(sizes.zstd),
                beside(sizes.pco),
                beside(sizes.zstd),
            );
        }
        let each: Vec<_> = sheet.quantities.iter().map(|(name, scale)| format!("{name} {scale}")).collect();
        scales.push(format!("{}, {} records: {}", sheet.name, sheet.len(), each.join(", ")));
    }
    println!("\nscale of each column, as a power of ten; ticks are milliseconds:");
    for line in scales {
        println!("  {line}");
    }
    worst_of_seeds();
}

/// How far the made-up series varies by its seed.
fn worst_of_seeds() {
    let mut out = vec![0; 16 << 10];
    let mut sizes: Vec<_> =
        (1..=20).map(|seed| Device::new(2).frame(&made(seed), &mut out).unwrap()).collect();
    sizes.sort();
    println!(
        "\nframes of 1,000 made-up records, 20 seeds: {} to {} B, median {} B",
        sizes[0], sizes[19], sizes[10]
    );
}

fn made(seed: u64) -> Vec<Record> {
    series(seed, 1_000).into_iter().map(Record::from).collect()
}
