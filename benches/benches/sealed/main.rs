//! What sealing costs a server: handshakes a second of one core, and processor time a record, sealed beside plain.
//!
//! A server has a thread of its own (and SQLite another one); what it costs is what the process computes, less what the device's thread
//! does: system calls, committer, store and all. Sealed and plain take turns in 25 rounds; a figure is the median of
//! them: what SQLite does now and then, such as moving its log into the file, is in few of them.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

mod pair;
mod shake;

use benches::Rounds;
use pair::Pair;
use sensock_server::MemoryStore;
use sensock_sql::SqlStore;

fn main() {
    let once = Rounds::from_args().is_once();
    shake::report(if once { (1, 10) } else { (5, 2_000) });
    let directory = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite:{}", directory.path().join(name).display());
    println!(
        "\nprocessor time of the server, \u{b5}s a record: median of the rounds (least to most), and sealed against plain"
    );
    let sqlite = |sealed| {
        Pair::new(sealed, async || {
            SqlStore::open(&url(if sealed { "sealed.db" } else { "plain.db" })).await.unwrap()
        })
    };
    compare(
        "64 records a batch, SQLite flushed at each commit",
        1.05,
        [sqlite(false), sqlite(true)],
        if once { (1, 1, 64) } else { (25, 400, 64) },
    );
    let memory = |sealed| Pair::new(sealed, async || MemoryStore::default());
    compare(
        "one record a frame, store in memory",
        1.5,
        [memory(false), memory(true)],
        if once { (1, 1, 1) } else { (25, 800, 1) },
    );
}

fn compare(what: &str, aim: f64, mut pairs: [Pair; 2], (rounds, batches, records): (usize, usize, usize)) {
    pairs.iter_mut().for_each(|pair| _ = pair.go(batches.min(50), records));
    let mut found = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        // Who goes first changes.
        for which in [round % 2, 1 - round % 2] {
            let took = pairs[which].go(batches, records).as_secs_f64();
            found[which].push(took * 1e6 / (batches * records) as f64);
        }
    }
    let [plain, sealed] = found.map(|mut found| {
        found.sort_by(f64::total_cmp);
        (found[found.len() / 2], found[0], found[found.len() - 1])
    });
    let show = |(median, least, most): (f64, f64, f64)| format!("{median:.2} ({least:.2} to {most:.2})");
    let ratio = sealed.0 / plain.0;
    println!("  {what}: plain {}, sealed {}, {ratio:.3} x (aim {aim})", show(plain), show(sealed));
}
