//! The named seeds of the fuzz targets as plain tests, and the same functions over random bytes.

use std::path::Path;

use sensock_sim::fuzz;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus");

#[test]
fn every_seed_passes() {
    for (name, target) in fuzz::TARGETS {
        let folder = Path::new(FOLDER).join(name);
        let mut seeds = 0;
        for seed in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = seed.unwrap().path();
            println!("{}", path.display());
            target(&std::fs::read(&path).unwrap());
            seeds += 1;
        }
        assert!(seeds >= 3, "{name} has {seeds} seeds");
    }
}

#[test]
fn every_seed_is_explained() {
    let text = std::fs::read_to_string(Path::new(FOLDER).join("README.md")).unwrap();
    for (name, _) in fuzz::TARGETS {
        for seed in std::fs::read_dir(Path::new(FOLDER).join(name)).unwrap() {
            let file = seed.unwrap().file_name();
            let line = format!("`{name}/{}`", file.to_str().unwrap());
            assert!(text.contains(&line), "fuzz/corpus/README.md says nothing of {line}");
        }
    }
}

/// xorshift64*: enough to reach most of what the targets do, the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

#[test]
fn random_bytes_pass() {
    for (name, target) in fuzz::TARGETS {
        // A handshake costs as much as all else that a target does.
        let seeds = if name.starts_with("seal") { 400 } else { 4_000u64 };
        for seed in 1..=seeds {
            let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let len = random.next() % 600;
            let bytes: Vec<u8> = (0..len).map(|_| (random.next() >> 32) as u8).collect();
            let run = std::panic::catch_unwind(|| target(&bytes));
            assert!(run.is_ok(), "{name}, seed {seed}");
        }
    }
}
