//! Clocks: what "now" is, and how to wait for a moment.

use core::future::Future;

use sensock::Tick;

/// A device's own clock: milliseconds that never step back and never wrap.
///
/// Its zero is free to choose, the moment of boot is usual. A clock that stood still or jumped (a deep sleep) belongs to a new boot.
pub trait Clock: Sync {
    /// Now. Called inside of a critical section: it must not wait.
    fn now(&self) -> Tick;

    /// Resolves at `tick` or a little later, at once if that has passed. May be dropped at any time.
    fn wait_until(&self, tick: Tick) -> impl Future<Output = ()> + Send;
}

impl<C: Clock> Clock for &C {
    fn now(&self) -> Tick {
        C::now(self)
    }

    fn wait_until(&self, tick: Tick) -> impl Future<Output = ()> + Send {
        C::wait_until(self, tick)
    }
}

/// What [`Outbox::start`](crate::Outbox::start) takes: a reference to any [`Clock`], or `EmbassyClock` itself, which needs no memory.
pub trait ClockFor<'a> {
    /// The clock behind it.
    type Clock: Clock + 'a;

    /// Reaches it for as long as the device lives.
    fn clock(self) -> &'a Self::Clock;
}

impl<'a, C: Clock> ClockFor<'a> for &'a C {
    type Clock = C;

    fn clock(self) -> &'a C {
        self
    }
}

/// The part of a clock that needs no type.
pub(crate) trait Ticks: Sync {
    fn now(&self) -> Tick;
}

impl<C: Clock> Ticks for C {
    fn now(&self) -> Tick {
        Clock::now(self)
    }
}

/// Embassy's clock: its zero is the boot.
#[cfg(feature = "embassy-time")]
#[derive(Clone, Copy, Debug, Default)]
pub struct EmbassyClock;

#[cfg(feature = "embassy-time")]
impl Clock for EmbassyClock {
    fn now(&self) -> Tick {
        Tick(embassy_time::Instant::now().as_millis())
    }

    fn wait_until(&self, tick: Tick) -> impl Future<Output = ()> + Send {
        // A tick beyond 2^64 timer ticks never comes; nor does anyone wait for it.
        let at = embassy_time::Instant::try_from_millis(tick.0).unwrap_or(embassy_time::Instant::MAX);
        embassy_time::Timer::at(at)
    }
}

#[cfg(feature = "embassy-time")]
impl<'a> ClockFor<'a> for EmbassyClock {
    type Clock = EmbassyClock;

    fn clock(self) -> &'a EmbassyClock {
        &EmbassyClock
    }
}

/// Tokio's clock: its zero is the moment at which it was made. Follows paused time in tests.
#[cfg(feature = "tokio")]
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    zero: tokio::time::Instant,
}

#[cfg(feature = "tokio")]
impl TokioClock {
    /// A clock that starts now.
    pub fn new() -> Self {
        Self { zero: tokio::time::Instant::now() }
    }
}

#[cfg(feature = "tokio")]
impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "tokio")]
impl Clock for TokioClock {
    fn now(&self) -> Tick {
        Tick(self.zero.elapsed().as_millis() as u64)
    }

    fn wait_until(&self, tick: Tick) -> impl Future<Output = ()> + Send {
        tokio::time::sleep_until(self.zero + core::time::Duration::from_millis(tick.0))
    }
}
