//! Where most numbers are zero: how many zeros, then one number that is not, and so on.

use super::bits::{Reader, Writer};
use super::{DecodeError, rice};

/// The Rice parameters of run lengths and of what ends a run, less one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Runs {
    pub(super) gap: u32,
    pub(super) value: u32,
}

impl Runs {
    /// Writes `numbers`, which all have a code; `zeros` carries an unfinished run from call to call.
    pub(super) fn put(self, out: &mut Writer<'_>, zeros: &mut u32, numbers: &[u32]) {
        for number in numbers {
            if *number == 0 {
                *zeros += 1;
                continue;
            }
            rice::put(out, *zeros, self.gap);
            rice::put(out, *number - 1, self.value);
            *zeros = 0;
        }
    }

    /// Writes the run that reaches the end, if there is one.
    pub(super) fn finish(self, out: &mut Writer<'_>, zeros: u32) {
        if zeros > 0 {
            rice::put(out, zeros, self.gap);
        }
    }
}

/// Where a reader is between two chunks.
#[derive(Clone, Copy, Default)]
pub(super) struct Progress {
    zeros: u32,
    /// The run has been read; what ends it has not.
    open: bool,
}

impl Runs {
    /// Reads `numbers`, of which `left` (these among them) are still to come.
    pub(super) fn take(
        self,
        bits: &mut Reader<'_>,
        at: &mut Progress,
        numbers: &mut [u32],
        mut left: u32,
    ) -> Result<(), DecodeError> {
        for number in numbers {
            if !at.open {
                at.zeros = rice::take(bits, self.gap);
                at.open = true;
                if at.zeros > left {
                    return Err(DecodeError::Malformed);
                }
            }
            *number = if at.zeros > 0 {
                at.zeros -= 1;
                0
            } else {
                at.open = false;
                rice::take(bits, self.value).wrapping_add(1)
            };
            left -= 1;
        }
        Ok(())
    }
}
