//! Samples on their way from the interrupt that takes them to the task that records them.

use core::cell::Cell;

use embassy_futures::select::{Either3, select3};
use embassy_sync::blocking_mutex::Mutex;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::channel::Channel;
use embassy_sync::signal::Signal;
use embassy_time::{Duration, Instant, Timer};

use crate::{Grid, Sample, Sensor};

/// How many samples wait at most: 1.3 s at a hundred a second. A handshake or an erase of flash holds the recording task up for half a second.
const ROOM: usize = 128;

/// What the sensor gave, and when it was asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Taken {
    /// The values.
    pub sample: Sample,
    /// The moment.
    pub at: Instant,
}

/// The worst of some time, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worst {
    /// How long after its moment of the grid a sample was taken.
    pub late_us: u32,
    /// How long a sample that was taken waited until it was recorded.
    pub waited_us: u32,
}

/// Samples between two executors: [`take`](Samples::take) fills it, in an interrupt; who records empties it, when its turn comes.
pub struct Samples {
    ring: Channel<CriticalSectionRawMutex, Taken, ROOM>,
    pace: Signal<CriticalSectionRawMutex, Duration>,
    wanted: Signal<CriticalSectionRawMutex, ()>,
    worst: Mutex<CriticalSectionRawMutex, Cell<Worst>>,
    missed: Mutex<CriticalSectionRawMutex, Cell<Missed>>,
}

/// Samples that found no room since the start, and how many of these were told.
#[derive(Clone, Copy)]
struct Missed {
    all: u32,
    told: u32,
}

impl Samples {
    /// None yet.
    #[allow(clippy::new_without_default, reason = "it is for statics")]
    pub const fn new() -> Self {
        Self {
            ring: Channel::new(),
            pace: Signal::new(),
            wanted: Signal::new(),
            worst: Mutex::new(Cell::new(Worst { late_us: 0, waited_us: 0 })),
            missed: Mutex::new(Cell::new(Missed { all: 0, told: 0 })),
        }
    }

    /// Takes a sample each `interval`, from now on, and when [`take_now`](Samples::take_now) wants one.
    ///
    /// Spawn it on an executor that runs in an interrupt: then nothing that a task of the program computes makes a sample late. For the same
    /// reason a sensor must not hold that executor up: what takes its time is awaited.
    pub async fn take(&self, interval: Duration, mut sensor: impl Sensor) -> ! {
        let mut grid = Grid::starting(Instant::now(), interval);
        loop {
            let woken = select3(Timer::at(grid.due()), self.wanted.wait(), self.pace.wait()).await;
            let at = Instant::now();
            match woken {
                Either3::First(()) => {
                    let late_us = micros(grid.taken(at));
                    self.note(|worst| worst.late_us = worst.late_us.max(late_us));
                }
                // Off the grid, which goes on as it was.
                Either3::Second(()) => {}
                Either3::Third(interval) => {
                    grid = Grid::starting(at + interval, interval);
                    continue;
                }
            }
            let sample = sensor.read().await;
            if self.ring.try_send(Taken { sample, at }).is_err() {
                self.missed.lock(|missed| {
                    let Missed { all, told } = missed.get();
                    missed.set(Missed { all: all.saturating_add(1), told });
                });
            }
        }
    }

    /// From now on a sample each `interval`: the first when one has passed.
    pub fn pace(&self, interval: Duration) {
        self.pace.signal(interval);
    }

    /// Has one taken at once, besides those of the grid.
    pub fn take_now(&self) {
        self.wanted.signal(());
    }

    /// The next one, in the order in which they were taken. Cancel safe.
    pub async fn next(&self) -> Taken {
        self.ring.receive().await
    }

    /// Says that what was taken at this moment is recorded, and told besides how many were [`missed`](Samples::missed).
    pub fn recorded(&self, at: Instant, missed: Option<u32>) {
        if let Some(told) = missed {
            self.missed.lock(|missed| missed.set(Missed { told, ..missed.get() }));
        }
        let waited_us = micros(at.elapsed());
        self.note(|worst| worst.waited_us = worst.waited_us.max(waited_us));
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.ring.len()
    }

    /// How many found no room since the start, and are lost; `None` if that was told, or there are none.
    pub fn missed(&self) -> Option<u32> {
        let Missed { all, told } = self.missed.lock(Cell::get);
        (all != told).then_some(all)
    }

    /// The worst since this was last called.
    pub fn worst(&self) -> Worst {
        self.worst.lock(Cell::take)
    }

    fn note(&self, change: impl FnOnce(&mut Worst)) {
        self.worst.lock(|worst| {
            let mut now = worst.get();
            change(&mut now);
            worst.set(now);
        });
    }
}

fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}
