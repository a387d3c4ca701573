//! How long to wait before the next dial.

/// Exponential backoff with full jitter, never below what the server asked for.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first_ms: u32,
    cap_ms: u32,
    attempt: u8,
    minimum_ms: u32,
}

impl Backoff {
    /// Waits up to `first_ms` after the first failure, doubling up to `cap_ms`.
    pub const fn new(first_ms: u32, cap_ms: u32) -> Self {
        Self { first_ms, cap_ms, attempt: 0, minimum_ms: 0 }
    }

    /// The session was established: the next failure starts from the first delay again.
    pub fn succeeded(&mut self) {
        self.attempt = 0;
        self.minimum_ms = 0;
    }

    /// The server asks for at least this delay, once.
    pub fn at_least(&mut self, ms: u32) {
        self.minimum_ms = self.minimum_ms.max(ms);
    }

    /// Dials that failed in a row.
    pub const fn attempts(&self) -> u8 {
        self.attempt
    }

    /// The next delay in milliseconds. `entropy` is any word that differs between devices.
    pub fn next_delay(&mut self, entropy: u32) -> u32 {
        let shift = self.attempt.min(16) as u32;
        let span = (self.first_ms as u64).checked_shl(shift).unwrap_or(u64::MAX).min(self.cap_ms as u64);
        self.attempt = self.attempt.saturating_add(1);
        // Half fixed, half random: never a storm of devices in step, never a delay of nothing.
        let half = span / 2;
        let jitter = ((half + 1) * entropy as u64) >> 32;
        let delay = (half + jitter) as u32;
        let minimum = core::mem::take(&mut self.minimum_ms);
        // The minimum gets jitter too (up to a quarter), or all refused devices would come back at once.
        delay.max(minimum.saturating_add(((minimum as u64 / 4 * entropy as u64) >> 32) as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_cap_and_respect_the_minimum() {
        let mut b = Backoff::new(500, 8_000);
        let delays: [u32; 7] = core::array::from_fn(|_| b.next_delay(u32::MAX));
        assert!(delays.windows(2).all(|w| w[0] <= w[1]));
        assert!(delays[0] <= 500 && delays[6] <= 8_000 && delays[6] >= 4_000);
        b.at_least(60_000);
        assert!(b.next_delay(0) >= 60_000);
        assert!(b.next_delay(0) <= 8_000);
        b.succeeded();
        assert!(b.next_delay(u32::MAX) <= 500);
    }
}
