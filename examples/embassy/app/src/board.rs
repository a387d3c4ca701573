//! What a board brings.

use core::future::Future;

use embassy_net::{Ipv4Address, Stack};
use sensock_device::{Boot, Outbox, Random};

/// A board that is up: what [`run`](crate::run) needs, samples apart.
pub struct Board<L, const N: usize> {
    /// The device's name: 1 to 32 of `A-Z a-z 0-9 . _ -`.
    pub id: &'static str,
    /// Random bytes that nobody can guess, for the keys of each connection: the chip's generator, where it has a good one.
    pub random: Random,
    /// The network. It need not be up yet.
    pub stack: Stack<'static>,
    /// Where the server listens.
    pub server: (Ipv4Address, u16),
    /// What the board remembers of earlier boots.
    pub boot: Boot,
    /// Where records wait for the server.
    pub outbox: &'static Outbox<N>,
    /// What the server may switch.
    pub led: L,
}

/// What one instant gave. A value that could not be measured is NaN: it is stored as a fault, not as a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Degrees Celsius.
    pub temperature: f32,
    /// Percent relative humidity.
    pub humidity: f32,
}

/// A sensor for temperature and humidity.
pub trait Sensor {
    /// Measures now. [`sample`](crate::sample) calls it in an interrupt: what takes its time is awaited, and meanwhile everything else runs.
    fn read(&mut self) -> impl Future<Output = Sample>;
}

/// A light, a relay, anything that is on or off.
pub trait Led {
    /// Switches it.
    fn set(&mut self, on: bool);
}

impl<F: FnMut(bool)> Led for F {
    fn set(&mut self, on: bool) {
        self(on);
    }
}
