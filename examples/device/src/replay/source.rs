//! Bytes of a file, plain or gzip, to text.

use super::error::{Fault, Problem};
use flate2::read::MultiGzDecoder;
use std::io::Read;

/// The most text a recording may hold, so that a small file cannot unfold into all of the memory.
const LIMIT_MIB: u64 = 256;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The text in `bytes`. What begins like gzip is unpacked, whatever its name says.
pub(super) fn text(name: &str, bytes: &[u8]) -> Result<String, Fault> {
    let plain = if bytes.starts_with(&GZIP_MAGIC) {
        unpack(bytes, LIMIT_MIB * 1024 * 1024)?
    } else if name.to_ascii_lowercase().ends_with(".gz") {
        return Err(Problem::NotGzip.into());
    } else {
        bytes.to_vec()
    };
    let text = String::from_utf8(plain).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = error.as_bytes().iter().take(good);
        Fault::line(before.filter(|byte| **byte == b'\n').count() as u64 + 1, Problem::NotText)
    })?;
    // A byte order mark, as spreadsheets put in front, is not part of the first column's name.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn unpack(bytes: &[u8], limit: u64) -> Result<Vec<u8>, Fault> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(bytes).take(limit + 1).read_to_end(&mut plain).map_err(Problem::BrokenGzip)?;
    if plain.len() as u64 > limit {
        return Err(Problem::TooLarge { limit_mib: limit / (1024 * 1024) }.into());
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn stops_at_the_limit_instead_of_filling_the_memory() {
        let bomb = packed(&vec![b'0'; 3 * 1024 * 1024]);
        assert!(bomb.len() < 4096);
        let fault = unpack(&bomb, 2 * 1024 * 1024).unwrap_err().in_file("big.csv.gz");
        let said = "big.csv.gz: holds more than 2 MiB of text; expected less, split the recording";
        assert_eq!(fault.to_string(), said);
        assert_eq!(unpack(&bomb, 3 * 1024 * 1024).unwrap().len(), 3 * 1024 * 1024);
    }

    #[test]
    fn gzip_is_known_by_its_content() {
        assert_eq!(text("a.csv", &packed(b"a,b\n")).unwrap(), "a,b\n");
        assert_eq!(text("a.csv.gz", &packed("\u{feff}a,b\n".as_bytes())).unwrap(), "a,b\n");
        assert_eq!(text("a.csv", b"a,b\n").unwrap(), "a,b\n");
    }
}
