//! One way of writing records as bytes and back, ready to be run.

use std::fmt;

/// A codec with the records that it writes and reads: the same records for each case of a group.
///
/// A call of `encode` writes all of them, a call of `decode` reads all of them. Both have been tried once: what was decoded is what was
/// encoded, or making the case panicked.
pub struct Case {
    /// The codec.
    pub name: &'static str,
    /// Bytes that all records take.
    pub bytes: usize,
    /// How many records a call writes or reads.
    pub records: usize,
    /// Writes all records.
    pub encode: Box<dyn FnMut()>,
    /// Reads all records.
    pub decode: Box<dyn FnMut()>,
}

impl Case {
    /// Bytes a record.
    pub fn bytes_each(&self) -> f64 {
        self.bytes as f64 / self.records as f64
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
