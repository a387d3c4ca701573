//! Memory that a deep sleep leaves alone.

use core::sync::atomic::{AtomicU32, Ordering};

use sensock_device::{Boot, Carry};

/// What a sleeping node keeps: where its session stood, and the interval it was told. A board puts it where a reset does not reach:
/// RTC memory, or a part of RAM that no start-up code clears.
///
/// 104 bytes. What power loss or a reset in the middle of a write leaves there is noticed, and counts as nothing.
#[derive(Debug)]
pub struct Rtc([AtomicU32; Rtc::WORDS]);

impl Rtc {
    const CARRY: usize = Carry::LEN / 4;
    const WORDS: usize = Self::CARRY + 2;

    /// Its initial value is never used: no start-up code writes it.
    #[allow(clippy::new_without_default, reason = "it is for statics")]
    pub const fn new() -> Self {
        Self([const { AtomicU32::new(0) }; Self::WORDS])
    }

    /// The boot that begins now.
    pub fn boot(&self) -> Boot {
        let mut bytes = [0; Carry::LEN];
        for (to, word) in bytes.chunks_exact_mut(4).zip(&self.0) {
            to.copy_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
        }
        Boot::kept(&bytes)
    }

    /// Keeps where the session stands.
    pub fn keep(&self, carry: &Carry) {
        for (from, word) in carry.to_bytes().chunks_exact(4).zip(&self.0) {
            let from = from.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
            word.store(from, Ordering::Relaxed);
        }
    }

    /// The interval that was kept, in milliseconds.
    pub fn interval_ms(&self) -> Option<u32> {
        let [.., value, check] = &self.0;
        let value = value.load(Ordering::Relaxed);
        (check.load(Ordering::Relaxed) == !value).then_some(value)
    }

    /// Keeps an interval.
    pub fn keep_interval(&self, ms: u32) {
        let [.., value, check] = &self.0;
        value.store(ms, Ordering::Relaxed);
        check.store(!ms, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back_and_noise_counts_as_nothing() {
        let rtc = Rtc::new();
        assert!(matches!(rtc.boot(), Boot::Unknown) && rtc.interval_ms().is_none());
        let carry = Carry { boot: 7, settings: 3, ..Carry::default() };
        rtc.keep(&carry);
        rtc.keep_interval(500);
        assert!(matches!(rtc.boot(), Boot::Woke(kept) if kept == carry));
        assert_eq!(rtc.interval_ms(), Some(500));
        rtc.0[3].fetch_xor(1, Ordering::Relaxed);
        rtc.0[Rtc::WORDS - 1].fetch_xor(1, Ordering::Relaxed);
        assert!(matches!(rtc.boot(), Boot::Unknown) && rtc.interval_ms().is_none());
    }
}
