//! The keys of the boards that are tested here: made once for a target directory, and of no use anywhere else.

use crate::plan::Context;
use anyhow::{Context as _, Result, ensure};
use sensock::seal::{Credential, Key, KeyId};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Where they lie, in the images' folder: a line for each device, as the server reads them.
pub const FILE: &str = "keys";
/// Every device that has one.
const DEVICES: [&str; 6] = ["mps2", "virt", "lx106", "esp32c3", "pico-w", "c-node"];

/// The key line of a device. Makes all keys if there are none yet.
pub fn line_of(context: &Context, device: &str) -> Result<String> {
    line_in(&super::images::directory(context).join(FILE), device)
}

fn line_in(path: &Path, device: &str) -> Result<String> {
    // Two boards are built at a time: whoever comes second must find the keys of the first, or an image has one that no server knows.
    static MADE_ONCE: Mutex<()> = Mutex::new(());
    let made_once = MADE_ONCE.lock().unwrap_or_else(PoisonError::into_inner);
    if !holds_all(path) {
        make(path).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    drop(made_once);
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let line = find(&text, device).with_context(|| format!("{} has no key for {device}", path.display()))?;
    Ok(line.to_owned())
}

fn holds_all(path: &Path) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| DEVICES.iter().all(|device| find(&text, device).is_some()))
}

fn find<'a>(text: &'a str, device: &str) -> Option<&'a str> {
    let mut words = text.lines().filter_map(|line| line.split_once("  "));
    words.find_map(|(name, line)| (name == device).then_some(line.trim()))
}

/// Writes keys that nobody has seen before, readable by their owner alone.
fn make(path: &Path) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut text = String::new();
    for device in DEVICES {
        let (mut id, mut key) = ([0; 8], [0; 32]);
        let mut random = File::open("/dev/urandom")?;
        random.read_exact(&mut id)?;
        random.read_exact(&mut key)?;
        ensure!(key != [0; 32], "/dev/urandom gives zeros");
        let line = Credential { id: KeyId(id), key: Key::new(key) }.text();
        text += &format!("{device}  {}\n", String::from_utf8_lossy(&line));
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_that_are_built_at_a_time_get_keys_of_one_file() {
        let folder = std::env::temp_dir().join(format!("sensock-keys-at-once-{}", std::process::id()));
        let path = folder.join(FILE);
        let together = std::sync::Barrier::new(DEVICES.len());
        let lines: Vec<String> = std::thread::scope(|scope| {
            let ask = |device| {
                together.wait();
                line_in(&path, device).unwrap()
            };
            let asked: Vec<_> = DEVICES.map(|device| scope.spawn(move || ask(device))).into();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect()
        });
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        for (device, line) in DEVICES.iter().zip(&lines) {
            assert_eq!(find(&text, device), Some(line.as_str()), "{device} was given a key that is gone");
        }
    }

    #[test]
    fn every_device_gets_a_key_of_its_own_that_nobody_else_may_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = std::env::temp_dir().join(format!("sensock-keys-{}", std::process::id()));
        make(&path).unwrap();
        assert!(holds_all(&path));
        let text = std::fs::read_to_string(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(mode & 0o777, 0o600);
        let mut lines: Vec<&str> = DEVICES.iter().filter_map(|device| find(&text, device)).collect();
        assert!(lines.iter().all(|line| Credential::parse(line).is_ok()));
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), DEVICES.len());
    }
}
