//! Ours and the peers, with the same records.

use crate::versions::version;

mod columns;
mod copy;
mod make;
mod many;
mod one;

pub use columns::{Columns, pco_bytes, zstd_bytes};
pub use many::many;
pub use one::one;

/// The topic of the MQTT packets, 16 bytes.
pub const TOPIC: &str = "sensors/cellar-3";
/// The level of zstd.
pub const ZSTD_LEVEL: i32 = 3;

/// What each peer is made of: crate by crate, with how it is set up. The versions come from the lock file of the build.
pub const SET_UP: &[(&str, &str)] = &[
    ("postcard", "to_slice, from_bytes; no feature"),
    (
        "tokio-util",
        "LengthDelimitedCodec with its defaults (4-byte length) around postcard: a Bytes copied in, frames split off one BytesMut",
    ),
    ("prost", "derive; encode_length_delimited into a slice"),
    (
        "rumqttc-v4-next",
        "its MQTT 3.1.1 packet codec alone: Publish at QoS 1 with a packet id, topic of 16 bytes that lies ready",
    ),
    ("serde_json", "to_writer into a vector that is kept, from_slice"),
    ("pco", "standalone::simple_compress, ChunkConfig::default() (level 8); one stream a column"),
    ("zstd", "bulk, level 3, contexts kept from call to call; one stream a column of little-endian integers"),
];

/// A line for each peer: package, version, set-up.
pub fn described() -> String {
    let line = |(package, set_up): &(&str, &str)| format!("  {package} {}: {set_up}\n", version(package));
    std::iter::once("peers:\n".to_owned()).chain(SET_UP.iter().map(line)).collect()
}
