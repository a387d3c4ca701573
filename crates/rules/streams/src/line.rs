//! Lines of text without `core::fmt`.

/// A line; what has no room is cut off.
pub(crate) struct Line {
    bytes: [u8; 256],
    len: usize,
}

impl Line {
    pub(crate) fn new() -> Self {
        Self { bytes: [0; 256], len: 0 }
    }

    /// Everything in it is ASCII but for names, which are whole.
    pub(crate) fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        text.bytes().for_each(|byte| self.byte(byte));
        self
    }

    pub(crate) fn number(&mut self, number: u32) -> &mut Self {
        let (mut digits, mut rest) = ([0; 10], number);
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            used += 1;
            if rest == 0 {
                break;
            }
        }
        digits.iter().skip(digits.len() - used).for_each(|&digit| self.byte(digit));
        self
    }

    pub(crate) fn hex(&mut self, number: u64) -> &mut Self {
        for byte in number.to_be_bytes() {
            for half in [byte >> 4, byte & 15] {
                self.byte(if half < 10 { b'0' + half } else { b'a' + half - 10 });
            }
        }
        self
    }

    fn byte(&mut self, byte: u8) {
        if let Some(free) = self.bytes.get_mut(self.len) {
            *free = byte;
            self.len += 1;
        }
    }
}
