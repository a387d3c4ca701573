//! Devices of one process behind one line: faults, and how long it takes until everything is stored again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sensock::{DeviceId, Lane, Position};
use sensock_testkit::rng::Rng;

use crate::check::{Kept, LANES, Promise, check};
use crate::crew::{Crew, Duties, Memory};
use crate::fault::{Kind, Wire, pass};
use crate::said::Fleet;

/// Devices of a line.
pub(crate) const DEVICES: u32 = 2;
/// Pause between two records of a device.
const INTERVAL_MS: u32 = 40;
/// The longest pause between two dials.
const REDIAL_MS: u32 = 1_000;
/// Everything is stored again within this, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

/// The last position of each lane.
type Marks = BTreeMap<(DeviceId, Lane), Position>;

/// A line and its devices, which run.
pub(crate) struct Line {
    /// Every fault that counted.
    pub(crate) struck: Vec<Struck>,
    /// What the devices said.
    pub(crate) fleet: Fleet,
    /// The devices.
    pub(crate) crew: Crew,
    wire: Wire,
    rng: Rng,
}

/// One fault.
#[derive(Clone, Debug)]
pub(crate) struct Struck {
    /// Which.
    pub(crate) kind: Kind,
    /// From the moment in which nothing interfered any more until all that was accepted by then, and the next record of each
    /// device, was known to be stored.
    pub(crate) recovery: Duration,
    /// Up to where all was recorded when everything was stored again.
    until: Marks,
}

impl Line {
    /// Starts the devices of line `number`, whose names begin with `name`.
    pub(crate) fn start(
        name: &str,
        number: u8,
        server: SocketAddr,
        rng: Rng,
        directory: &Path,
    ) -> Result<Self> {
        Self::start_as(&format!("{name}-{number}"), number, server, rng, (directory, false))
    }

    /// As [`Line::start`], with devices that have no keys.
    pub(crate) fn start_insecure(
        name: &str,
        number: u8,
        server: SocketAddr,
        rng: Rng,
        directory: &Path,
    ) -> Result<Self> {
        Self::start_as(&format!("{name}-{number}"), number, server, rng, (directory, true))
    }

    fn start_as(
        crew: &str,
        number: u8,
        server: SocketAddr,
        rng: Rng,
        (directory, insecure): (&Path, bool),
    ) -> Result<Self> {
        let wire = Wire::new(server, number)?;
        let duties = Duties {
            servers: &[wire.addr()],
            devices: DEVICES,
            interval_ms: INTERVAL_MS,
            redial_ms: REDIAL_MS,
            seed: rng.seed(),
            insecure,
        };
        let mut crew = Crew::new(crew, Memory::Ram, &duties, directory)?;
        crew.start()?;
        let mut line = Self { struck: vec![], fleet: Fleet::default(), crew, wire, rng };
        line.until("it started", |line| {
            line.crew.devices.iter().all(|id| line.fleet.devices.get(id).is_some_and(|said| said.is_served()))
        })?;
        Ok(line)
    }

    /// One fault of this kind after a random pause, and the recovery from it.
    pub(crate) fn suffer(&mut self, kind: Kind, pause_ms: std::ops::Range<u64>) -> Result<()> {
        loop {
            pass(&mut self.rng, pause_ms.clone());
            if self.wire.strike(kind, &mut self.rng) {
                break;
            }
        }
        let recovery = self.recovers(&format!("fault {} ({kind})", self.struck.len() + 1))?;
        let until = self.accepted();
        self.struck.push(Struck { kind, recovery, until });
        Ok(())
    }

    /// How long it takes until everything is stored that is accepted by now, and the next record of each device.
    pub(crate) fn recovers(&mut self, what: &str) -> Result<Duration> {
        let healed = Instant::now();
        self.crew.listen(&mut self.fleet);
        let owed = self.accepted();
        self.until(what, |line| {
            owed.iter().all(|((id, lane), at)| match lane {
                Lane::Readings => line.stored(*id, *lane) > *at,
                _ => line.stored(*id, *lane) >= *at,
            })
        })?;
        Ok(healed.elapsed())
    }

    /// Lets time pass and hears what the devices say.
    pub(crate) fn listen_for(&mut self, time: Duration) {
        std::thread::sleep(time);
        self.crew.listen(&mut self.fleet);
    }

    /// A random kind.
    pub(crate) fn any_kind(&mut self) -> Kind {
        *self.rng.pick(&Kind::ALL)
    }

    /// Ends the devices once everything is stored.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.crew.rest()?;
        self.crew.drained(&mut self.fleet)
    }

    /// Everything that is not as promised: no kill, so nothing may be missing.
    pub(crate) fn faults(&self, kept: &BTreeMap<DeviceId, Kept>) -> Vec<String> {
        let mut faults = self.fleet.wrong.clone();
        let none = Kept::default();
        for (device, said) in &self.fleet.devices {
            let found = check(Promise::Everything, said, kept.get(device).unwrap_or(&none));
            faults.extend(found.into_iter().map(|fault| format!("{device}: {fault}")));
        }
        faults
    }

    /// How many records each fault lost and doubled, by the one in whose time they were recorded; `None` is after the last.
    pub(crate) fn wrongs(&self, kept: &BTreeMap<DeviceId, Kept>) -> Vec<(Option<Kind>, bool)> {
        let mut wrongs = vec![];
        for (device, said) in &self.fleet.devices {
            let mut stored = BTreeMap::<(Lane, Position), usize>::new();
            for (at, _) in kept.get(device).into_iter().flat_map(|kept| &kept.records) {
                *stored.entry(*at).or_default() += 1;
            }
            for at in said.accepted.keys() {
                let times = stored.get(at).copied().unwrap_or(0);
                if times != 1 {
                    let within = |struck: &&Struck| {
                        struck.until.get(&(*device, at.0)).is_some_and(|until| *until >= at.1)
                    };
                    wrongs.push((self.struck.iter().find(within).map(|struck| struck.kind), times == 0));
                }
            }
        }
        wrongs
    }

    fn accepted(&self) -> Marks {
        let mut marks = Marks::new();
        for (device, said) in &self.fleet.devices {
            for (lane, position) in said.accepted.keys() {
                marks.insert((*device, *lane), *position);
            }
        }
        marks
    }

    fn stored(&self, device: DeviceId, lane: Lane) -> Position {
        debug_assert!(LANES.contains(&lane));
        self.fleet.devices.get(&device).map_or(Position::NONE, |said| said.acked_up_to(lane))
    }

    fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.crew.listen(&mut self.fleet);
            if is_so(self) {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "{:?}: not everything was stored {PATIENCE:?} after {what}",
                self.crew.devices
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Runs `work` on each line, each on a thread of its own; the first error.
pub(crate) fn at_once(
    lines: &mut [Line],
    work: impl Fn(usize, &mut Line) -> Result<()> + Sync,
) -> Result<()> {
    std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> =
            lines.iter_mut().enumerate().map(|(n, line)| scope.spawn(move || work(n, line))).collect();
        running.into_iter().try_for_each(|line| line.join().ok().context("a line panicked")?)
    })
}

/// The q-quantile of these, 0 if there are none.
pub(crate) fn quantile(sorted: &[Duration], q: f64) -> Duration {
    let at = (sorted.len() as f64 * q).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or_default()
}
