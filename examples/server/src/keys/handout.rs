//! A key as a person carries it to its device: a line, a QR code, and the lines to paste.

use std::fmt::Write as _;

use sensock::DeviceId;
use sensock::seal::Credential;
use zeroize::Zeroizing;

use crate::show::qr::code;

/// What is printed once. It is the secret itself.
pub(crate) fn handout(device: &DeviceId, credential: &Credential, with_qr: bool) -> Zeroizing<String> {
    let line = Zeroizing::new(credential.text());
    // All of its characters are ASCII.
    let line = str::from_utf8(&*line).unwrap_or_default();
    let mut text = Zeroizing::new(String::with_capacity(16 << 10));
    // Writing to a string does not fail.
    let _infallible = write!(
        text,
        "The key of {device}. It is shown this once, and whoever has it can be {device}.\n\n{line}\n"
    );
    if with_qr {
        let _infallible = write!(text, "\n{}", *qr(line));
    }
    let _infallible = write!(
        text,
        "\nIn an Arduino sketch, in setup(), before device.begin(…):\n  \
           device.key(\"{line}\");\n\
         In Rust firmware, where its Node is made:\n  \
           let credential = Credential::parse(\"{line}\")?;\n  \
           let node = Node {{ id: \"{device}\", key: Key::Sealed(&credential, random), … }};\n\
         For example-device, in a file that nobody else can read:\n  \
           example-device --id {device} --key FILE --server HOST:7070\n"
    );
    text
}

/// A QR code, black on white whatever the terminal's colours are.
fn qr(line: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(8 << 10));
    // 92 bytes fit a code of 41 by 41 modules.
    let drawn = code(line).unwrap_or_default();
    for row in drawn.lines() {
        let _infallible = writeln!(text, "\x1b[30;107m{row}\x1b[0m");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::line::tests::{credential, key};
    use super::*;

    #[test]
    fn a_key_is_given_as_lines_to_paste() {
        let device = DeviceId::new("attic-6").unwrap();
        let text = handout(&device, &credential(6), false);
        let line = key(6);
        assert!(text.lines().any(|l| l == line));
        assert!(text.contains(&format!("\n  device.key(\"{line}\");\n")));
        assert!(text.contains(&format!("Credential::parse(\"{line}\")")) && !text.contains('\x1b'));
        // 41 modules and four light ones on either side, two rows a line.
        let with = handout(&device, &credential(6), true);
        let rows: Vec<&str> = with.lines().filter(|l| l.starts_with("\x1b[30;107m")).collect();
        assert_eq!(rows.len(), 25);
        assert!(rows.iter().all(|row| row.chars().filter(|c| " ▀▄█".contains(*c)).count() == 49));
    }
}
