//! When to sample: on a fixed grid, so that a late sample delays no other.

use embassy_time::{Duration, Instant};

/// Moments that are one interval apart.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    due: Instant,
    interval: Duration,
}

impl Grid {
    /// A grid whose first moment is `first`.
    pub const fn starting(first: Instant, interval: Duration) -> Self {
        Self { due: first, interval }
    }

    /// The next moment.
    pub const fn due(&self) -> Instant {
        self.due
    }

    /// Says that `now` is the time for the moment that was due; returns how late that is. The moments that `now` has passed besides are
    /// skipped: there is no burst that would make up for them.
    pub fn taken(&mut self, now: Instant) -> Duration {
        let late = now.checked_duration_since(self.due).unwrap_or_default();
        self.due += self.interval;
        if self.due <= now {
            // Rare, so that the division is: to the first moment of the grid after now.
            let (step, over) = (self.interval.as_ticks().max(1), (now - self.due).as_ticks());
            self.due += Duration::from_ticks((over / step + 1) * step);
        }
        late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn a_late_sample_delays_no_other() {
        let mut grid = Grid::starting(ms(0), Duration::from_millis(10));
        let late: [u64; 4] = [3, 12, 20, 31].map(|now| grid.taken(ms(now)).as_millis());
        assert_eq!((late, grid.due()), ([3, 2, 0, 1], ms(40)));
    }

    #[test]
    fn moments_that_passed_are_skipped_without_a_burst() {
        let mut grid = Grid::starting(ms(0), Duration::from_millis(10));
        grid.taken(ms(0));
        // At 10 nobody came, nor at 20 and 30.
        assert_eq!(grid.taken(ms(35)).as_millis(), 25);
        assert_eq!(grid.due(), ms(40));
        // Exactly one interval late: the moment that is now is gone as well.
        assert_eq!(grid.taken(ms(50)).as_millis(), 10);
        assert_eq!(grid.due(), ms(60));
    }

    #[test]
    fn too_early_is_not_late() {
        let mut grid = Grid::starting(ms(10), Duration::from_millis(10));
        assert_eq!(grid.taken(ms(9)), Duration::from_ticks(0));
        assert_eq!(grid.due(), ms(20));
    }
}
