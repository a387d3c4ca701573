//! A ZIP archive: stored, not packed, with no dates, so that the same files are the same bytes. (PKWARE's APPNOTE, sections 4.3.7 to 4.3.16.)

use std::collections::BTreeMap;

/// Files in one folder.
pub struct Archive {
    folder: &'static str,
    files: BTreeMap<String, Vec<u8>>,
}

/// 1980-01-01, the earliest day that the format knows.
const DAY: u16 = 1 << 5 | 1;
/// The format of 1993 is all that is needed.
const VERSION: u16 = 20;

impl Archive {
    /// An empty archive whose files will lie in this folder.
    pub fn new(folder: &'static str) -> Self {
        Archive { folder, files: BTreeMap::new() }
    }

    /// Adds a file; of two with one name the last counts.
    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        self.files.insert(format!("{}/{name}", self.folder), bytes.to_owned());
    }

    /// The archive, its files in order of their names.
    pub fn bytes(&self) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, bytes) in &self.files {
            let mut about = Vec::new();
            // Flags (names are UTF-8), method, time, day.
            [VERSION, 1 << 11, 0, 0, DAY].iter().for_each(|v| about.extend(v.to_le_bytes()));
            let size = bytes.len() as u32;
            [crc32(bytes), size, size].iter().for_each(|v| about.extend(v.to_le_bytes()));
            [name.len() as u16, 0].iter().for_each(|v| about.extend(v.to_le_bytes()));
            directory.extend(b"PK\x01\x02");
            directory.extend(VERSION.to_le_bytes());
            directory.extend(&about);
            // No comment, first disk, no attributes.
            directory.extend([0; 10]);
            directory.extend((out.len() as u32).to_le_bytes());
            directory.extend(name.as_bytes());
            out.extend(b"PK\x03\x04");
            out.extend(about);
            out.extend(name.as_bytes());
            out.extend(bytes);
        }
        let (start, count) = (out.len() as u32, self.files.len() as u16);
        out.extend(&directory);
        out.extend(b"PK\x05\x06\0\0\0\0");
        [count, count].iter().for_each(|v| out.extend(v.to_le_bytes()));
        [directory.len() as u32, start].iter().for_each(|v| out.extend(v.to_le_bytes()));
        out.extend([0; 2]);
        out
    }
}

/// The checksum of the format, bit by bit: an archive has some 600 KB.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn python_reads_the_archive() {
        let mut archive = Archive::new("lib");
        archive.add("b.txt", b"second");
        archive.add("a/a.txt", b"");
        let place = std::env::temp_dir().join(format!("archive-{}.zip", std::process::id()));
        std::fs::write(&place, archive.bytes()).unwrap();
        let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(z.namelist(), z.read('lib/b.txt'))";
        let output = std::process::Command::new("python3").args(["-c", script]).arg(&place).output().unwrap();
        std::fs::remove_file(place).unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "['lib/a/a.txt', 'lib/b.txt'] b'second'");
    }
}
