//! What reading a configuration and times promises for any text: the named seeds keep it here, a fuzz target tries to break it.

use crate::config::Config;
use crate::show::time::{Times, duration};

/// Noon of a day in 2026.
const NOW_US: i64 = 1_795_435_200_000_000;

/// Any text is a configuration, a span of time or a duration, or is refused in words that say where or how. The first byte chooses.
///
/// # Panics
/// If not.
pub(crate) fn text(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match kind % 3 {
        0 => config(text),
        1 => match Times::local().span(text, NOW_US) {
            Ok(span) => assert!(span.from_us <= span.to_us, "{text:?} ends before it begins"),
            Err(error) => assert!(error.to_string().len() > 20, "{error}"),
        },
        _ => match duration(text) {
            Ok(time) => assert!(time.as_micros() <= i64::MAX as u128, "{text:?} is {time:?}"),
            Err(error) => assert!(error.contains("as in 90s"), "{error}"),
        },
    }
}

fn config(text: &str) {
    let read = Config::parse("some.toml", text);
    assert_eq!(read, Config::parse("some.toml", text), "the same text gives another configuration");
    if let Err(error) = read {
        let words = error.to_string();
        let line = words.strip_prefix("some.toml, line ").and_then(|rest| rest.split_once(':'));
        let line = line.and_then(|(line, what)| Some((line.parse::<usize>().ok()?, what.len())));
        let (line, what) = line.unwrap_or_else(|| panic!("no line in {words:?}"));
        let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
        assert!((1..=lines).contains(&line) && what > 5, "{words:?}, but there are {lines} lines");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_seed_passes() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/config");
        let seeds: Vec<_> = std::fs::read_dir(folder).unwrap().map(|seed| seed.unwrap().path()).collect();
        assert!(seeds.len() >= 3, "{seeds:?}");
        for seed in seeds {
            println!("{}", seed.display());
            super::text(&std::fs::read(seed).unwrap());
        }
    }
}
