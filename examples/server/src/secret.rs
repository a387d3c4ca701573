//! Files that hold secrets: for their owner alone.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use zeroize::Zeroizing;

/// Reads a file whose mode keeps others out.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>> {
    let name = path.display();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let meta = fs::metadata(path).with_context(|| format!("{name} cannot be read"))?;
        let mode = meta.permissions().mode() & 0o777;
        anyhow::ensure!(
            mode & 0o077 == 0,
            "{name} holds secrets, and others on this machine may read it (mode {mode:04o}): chmod 600 {name}"
        );
    }
    let text = fs::read_to_string(path).with_context(|| format!("{name} cannot be read"))?;
    Ok(Zeroizing::new(text))
}

/// Writes a file that was not there, readable by its owner alone from its first moment on.
pub(crate) fn create(path: &Path, text: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = || {
        let mut file = options.open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}
