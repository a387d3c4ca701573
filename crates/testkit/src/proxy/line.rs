use std::time::Duration;

/// A direction of travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the end that dialled (a device) to the target (a server).
    Up = 0,
    /// From the target to the end that dialled.
    Down = 1,
}

/// What becomes of the bytes of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// They are delivered.
    #[default]
    Pass,
    /// They are not read: the sender's buffers fill up and its writes wait.
    Stall,
    /// They are read and thrown away; closes and resets are held back too.
    Swallow,
}

/// One direction of the line. Bytes first wait for their turn at the rate, then travel for the delay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// What becomes of the bytes.
    pub flow: Flow,
    /// How long a byte travels.
    pub delay: Duration,
    /// How many bytes pass in a second; `None` is no limit. A rate below 100 drips single bytes.
    pub bytes_per_second: Option<u32>,
}

impl Line {
    /// Delivers all bytes at once.
    pub fn perfect() -> Self {
        Self::default()
    }

    /// This line with another fate for its bytes.
    pub fn flowing(self, flow: Flow) -> Self {
        Self { flow, ..self }
    }

    /// This line with another delay.
    pub fn delayed(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// This line with a limited rate; 0 counts as 1.
    pub fn dripping(self, bytes_per_second: u32) -> Self {
        Self { bytes_per_second: Some(bytes_per_second.max(1)), ..self }
    }

    /// A narrow line: so many bits in a second, and half of this round trip as its delay. Set for both directions it is one like those of
    /// field buses and of radio: `Line::narrow(250_000, Duration::from_millis(100))`.
    pub fn narrow(bits_per_second: u32, round_trip: Duration) -> Self {
        Self::perfect().dripping(bits_per_second / 8).delayed(round_trip / 2)
    }

    /// How long `bytes` occupy the line.
    pub(super) fn occupied_by(&self, bytes: usize) -> Duration {
        match self.bytes_per_second {
            Some(rate) => Duration::from_secs_f64(bytes as f64 / f64::from(rate)),
            None => Duration::ZERO,
        }
    }

    /// The largest piece to take at once: 20 ms worth of a slow line.
    pub(super) fn piece(&self, buffer: usize) -> usize {
        let largest = buffer.min(16 * 1024);
        self.bytes_per_second.map_or(largest, |rate| (rate as usize / 50).clamp(1, largest))
    }

    /// How many bytes may be inside the proxy: those that wait, and those that travel.
    pub(super) fn room(&self, buffer: usize) -> usize {
        let rate = self.bytes_per_second.map_or(0.0, f64::from);
        buffer + (rate * self.delay.as_secs_f64()) as usize
    }
}
