//! Keys of devices in tests: of a name always the same, so that both ends of a test can make them. No secret comes of it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// A device's key as a line of text: `snk1`, and the digits of id, key and check.
pub fn line(device: &str) -> String {
    let hash =
        |parts: &[&[u8]]| parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize();
    let (id, key) = (hash(&[b"id of ", device.as_bytes()]), hash(&[b"key of ", device.as_bytes()]));
    let check = hash(&[b"snk1", &id[..8], &key]);
    let bytes = id[..8].iter().chain(&key).chain(&check[..4]);
    "snk1".chars().chain(bytes.flat_map(|b| format!("{b:02x}").chars().collect::<Vec<_>>())).collect()
}

/// Writes a file of keys, as `sensockd run --keys` and `example-device --key` read it: a line for each device.
///
/// # Errors
/// When it cannot be written.
pub fn file<D: AsRef<str>>(path: &Path, devices: impl IntoIterator<Item = D>) -> Result<()> {
    let text: String =
        devices.into_iter().map(|d| format!("{}  {}\n", d.as_ref(), line(d.as_ref()))).collect();
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    // Whole, for whoever reads it meanwhile.
    let next = path.with_extension(std::process::id().to_string());
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&next).with_context(|| path.display().to_string())?;
    file.write_all(text.as_bytes())?;
    Ok(fs::rename(next, path)?)
}
