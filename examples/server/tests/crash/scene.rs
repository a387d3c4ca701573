//! Everything that a crash test moves: crews of devices, what they said, a store, and chance.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use sensock::DeviceId;
use sensock_testkit::require::announce;
use sensock_testkit::rng::Rng;

use crate::check::{Kept, Promise, check};
use crate::crew::{Crew, Duties, Memory};
use crate::ledger::{Ledger, Watch};
use crate::said::{Fleet, Said};

/// Devices in each of the four crews.
const CREW: u32 = 5;
/// Pause between two records of a device.
const INTERVAL_MS: u32 = 30;
/// The longest pause between two dials of a device.
const REDIAL_MS: u32 = 200;
/// A device has started, and something of it is stored, within this.
const PATIENCE: Duration = Duration::from_secs(60);

/// Twenty devices: ten keep their records in memory, ten in a file.
pub(crate) struct Scene {
    /// Where chance comes from; it printed its seed.
    pub(crate) rng: Rng,
    /// What the devices said.
    pub(crate) fleet: Fleet,
    crews: Vec<Crew>,
    ledger: Ledger,
    watch: Option<Watch>,
    began: Instant,
    killed: u64,
}

impl Scene {
    /// Starts all devices, which dial these servers in turn, and watches the store's marks.
    pub(crate) fn start(store: &str, servers: &[SocketAddr], directory: &Path) -> Result<Self> {
        let rng = Rng::from_env_or_random("SENSOCK_SEED");
        let ledger = Ledger::open(store)?;
        let mut crews = Vec::new();
        for (n, (name, memory)) in (0..).zip([
            ("ram-a", Memory::Ram),
            ("ram-b", Memory::Ram),
            ("flash-a", Memory::Flash),
            ("flash-b", Memory::Flash),
        ]) {
            let duties = Duties {
                servers,
                devices: CREW,
                interval_ms: INTERVAL_MS,
                redial_ms: REDIAL_MS,
                seed: rng.seed() ^ (n << 32),
                insecure: false,
            };
            let mut crew = Crew::new(name, memory, &duties, directory)?;
            crew.start()?;
            crews.push(crew);
        }
        let devices = crews.iter().flat_map(|crew| crew.devices.clone()).collect();
        let watch = Some(ledger.watch(devices));
        Ok(Self { rng, fleet: Fleet::default(), crews, ledger, watch, began: Instant::now(), killed: 0 })
    }

    /// Hears what the devices said since.
    pub(crate) fn listen(&mut self) {
        self.crews.iter_mut().for_each(|crew| crew.listen(&mut self.fleet));
    }

    /// Lets time pass, a random number of milliseconds, and listens.
    pub(crate) fn pass(&mut self, ms: std::ops::Range<u64>) {
        let until = Instant::now() + Duration::from_millis(self.rng.within(ms));
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            std::thread::sleep(left.min(Duration::from_millis(20)));
            self.listen();
        }
    }

    /// How many crews there are.
    pub(crate) fn crews(&self) -> u64 {
        self.crews.len() as u64
    }

    /// Kills the devices of the n-th crew (they go round), and starts them again soon.
    pub(crate) fn kill_a_crew(&mut self, n: u64) -> Result<()> {
        let n = (n % self.crews()) as usize;
        self.crews[n].kill(&mut self.fleet)?;
        self.killed += 1;
        self.pass(0..300);
        self.crews[n].start()
    }

    /// While only servers were killed, there is no gap at all.
    pub(crate) fn no_gap_so_far(&self) -> Result<()> {
        let gaps: Vec<String> =
            self.ledger.gaps()?.iter().map(|(device, gap)| format!("{device}: {gap}")).collect();
        ensure!(gaps.is_empty(), "only servers were killed, but there are gaps:\n{}", gaps.join("\n"));
        Ok(())
    }

    /// Lets the devices record no more and waits until they say that everything is stored. A server must be running.
    pub(crate) fn drain(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.all_are_served() {
            ensure!(Instant::now() < deadline, "a device was not served within {PATIENCE:?}");
            self.pass(5..20);
        }
        self.crews.iter_mut().try_for_each(Crew::rest)?;
        self.crews.iter_mut().try_for_each(|crew| crew.drained(&mut self.fleet))
    }

    /// Whether a server has stored something of every device's newest boot.
    fn all_are_served(&self) -> bool {
        let mut devices = self.crews.iter().flat_map(|crew| &crew.devices);
        devices.all(|device| self.fleet.devices.get(device).is_some_and(Said::is_served))
    }

    /// Compares what was said with what is stored, and prints the figures.
    pub(crate) fn verdict(mut self, name: &str, story: &str) -> Result<Figures> {
        let looks = self.watch.take().map_or(Ok(0), |watch| self.ledger.end(watch))?;
        let kept = self.ledger.kept()?;
        let none = Kept::default();
        let mut faults = std::mem::take(&mut self.fleet.wrong);
        for crew in &self.crews {
            let promise = match crew.memory {
                Memory::Flash => Promise::Everything,
                Memory::Ram => Promise::AllButKilledTails,
            };
            for device in &crew.devices {
                let Some(said) = self.fleet.devices.get(device) else {
                    faults.push(format!("{device} said nothing"));
                    continue;
                };
                let kept = kept.get(device).unwrap_or(&none);
                let found = check(promise, said, kept);
                if !found.is_empty() {
                    faults.push(format!("{device}: it said {said}; the store holds {kept}"));
                }
                faults.extend(found.into_iter().map(|fault| format!("{device}: {fault}")));
            }
        }
        let figures = self.figures(&kept);
        announce(&format!(
            "{name}: {} devices, {story}, {} kills of {CREW} devices; {figures}; {looks} looks at marks, none went back; {:.0} s",
            self.fleet.devices.len(),
            self.killed,
            self.began.elapsed().as_secs_f64(),
        ));
        let seed = self.rng.seed();
        ensure!(
            faults.is_empty(),
            "{name}, SENSOCK_SEED={seed}: {} faults\n{}",
            faults.len(),
            faults.join("\n")
        );
        Ok(figures)
    }

    fn figures(&self, kept: &BTreeMap<DeviceId, Kept>) -> Figures {
        let missing = self.fleet.devices.iter().map(|(device, said)| {
            let gaps = kept.get(device).map_or(&[][..], |kept| &kept.gaps);
            said.accepted.keys().filter(|at| gaps.iter().any(|gap| gap.holds(**at))).count()
        });
        Figures {
            accepted: self.fleet.accepted(),
            stored: kept.values().map(|kept| kept.records.len()).sum(),
            missing: missing.sum(),
            gaps: kept.values().map(|kept| kept.gaps.len()).sum(),
        }
    }
}

/// How much a test moved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// Records that devices said they accepted.
    pub(crate) accepted: usize,
    /// Records in the store.
    pub(crate) stored: usize,
    /// Accepted records that lie in gaps.
    pub(crate) missing: usize,
    /// Gaps in the store.
    pub(crate) gaps: usize,
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { accepted, stored, missing, gaps } = self;
        write!(
            f,
            "{accepted} records accepted, {stored} stored, {missing} in {gaps} gaps of boots that died in memory"
        )
    }
}
