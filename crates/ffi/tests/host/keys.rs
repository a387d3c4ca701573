//! The devices' keys: new ones for each run.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::LazyLock;

use sensock::seal::{Credential, Key, KeyId};

use crate::library;

const DEVICES: [&str; 4] = ["attic-1", "cellar-3", "gate-1", "c-node"];

/// What the server reads, and the line of each device.
struct Keys {
    file: PathBuf,
    lines: Vec<(&'static str, String)>,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let lines = DEVICES.map(|device| (device, fresh())).to_vec();
    let path = library::folder().join(format!("keys-{}", std::process::id()));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path).unwrap();
    for (device, line) in &lines {
        writeln!(file, "{device}  {line}").unwrap();
    }
    Keys { file: path, lines }
});

/// For the server.
pub(crate) fn file() -> PathBuf {
    KEYS.file.clone()
}

/// For a device: `-DNAME="snk1..."`.
pub(crate) fn define(name: &str, device: &str) -> String {
    let (_, line) = KEYS.lines.iter().find(|(of, _)| *of == device).unwrap();
    format!("-D{name}=\"{line}\"")
}

fn fresh() -> String {
    let (mut id, mut key) = ([0; 8], [0; 32]);
    let mut random = std::fs::File::open("/dev/urandom").unwrap();
    random.read_exact(&mut id).unwrap();
    random.read_exact(&mut key).unwrap();
    String::from_utf8(Credential { id: KeyId(id), key: Key::new(key) }.text().to_vec()).unwrap()
}
