//! What application and network leave for each other: commands, settings, questions, and who waits.

mod asks;
mod calls;
mod settings;

use core::task::Waker;

use sensock::device::OutboxMut;
use sensock::wire::flow::Boots;
use sensock::wire::hello::End;
use sensock::{Lane, Position, Tick};

use crate::status::Counters;
use crate::wakers::Wakers;

pub(crate) use asks::{AskSlot, Asked};
pub(crate) use calls::{CallSlot, Handed};
pub(crate) use settings::SettingSlot;

/// Commands that the application may hold at once.
pub(crate) const CALLS: usize = 4;
/// Questions under way at once; others wait for their turn.
pub(crate) const ASKS: usize = 4;

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Down,
    Handshake,
    Live,
}

/// A wish to sleep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sleep {
    pub for_ms: u32,
    pub ends_boot: bool,
    pub asked_at: Tick,
    /// The session knows.
    pub said: bool,
    /// The server knows.
    pub heard: bool,
}

impl Sleep {
    pub(crate) fn wish(for_ms: u32, ends_boot: bool, asked_at: Tick) -> Self {
        Self { for_ms, ends_boot, asked_at, said: false, heard: false }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Desk {
    pub started: bool,
    pub link: Link,
    /// Counts connections.
    pub generation: u32,
    /// The boot was ended: no more records.
    pub ended: bool,
    /// Begun commands are persisted before they run.
    pub keeps: bool,
    /// A keep-latest lane: its positions come late.
    pub keep_latest: bool,
    pub calls: [CallSlot; CALLS],
    pub settings: [SettingSlot; crate::MAX_SETTINGS],
    pub asks: [AskSlot; ASKS],
    /// Answers given on this connection that its session has not been told of.
    pub released: u8,
    pub sleep: Option<Sleep>,
    /// Each connection shall end with a sleep of so many milliseconds, and with it the boot; gone once one did.
    pub night: Option<u32>,
    /// The last connection ended with a sleep that the server knows of.
    pub slept: bool,
    /// The connection shall end.
    pub close: bool,
    pub counters: Counters,
    pub last_end: Option<End>,
    pub tasks: Wakers,
    pub runner: Option<Waker>,
    #[cfg(feature = "flash")]
    pub flash: crate::flash::Stand,
    wake_tasks: bool,
    wake_runner: bool,
    wake_flash: bool,
}

impl Desk {
    pub(crate) const fn new() -> Self {
        Self {
            started: false,
            link: Link::Down,
            generation: 0,
            ended: false,
            keeps: false,
            keep_latest: false,
            calls: [const { CallSlot::new() }; CALLS],
            settings: [const { SettingSlot::new() }; crate::MAX_SETTINGS],
            asks: [const { AskSlot::new() }; ASKS],
            released: 0,
            sleep: None,
            night: None,
            slept: false,
            close: false,
            counters: Counters::new(),
            last_end: None,
            tasks: Wakers::new(),
            runner: None,
            #[cfg(feature = "flash")]
            flash: crate::flash::Stand::new(),
            wake_tasks: false,
            wake_runner: false,
            wake_flash: false,
        }
    }

    /// Something changed that a task may wait for.
    pub(crate) fn wake_tasks(&mut self) {
        self.wake_tasks = true;
    }

    /// There is something to send, and perhaps to persist before.
    pub(crate) fn wake_runner(&mut self) {
        (self.wake_runner, self.wake_flash) = (true, true);
    }

    /// There is something to persist, or flash may let go of something.
    pub(crate) fn wake_flash(&mut self) {
        self.wake_flash = true;
    }

    /// Whom to wake, once the lock is open.
    pub(crate) fn woken(&mut self) -> Option<Woken> {
        let tasks = core::mem::take(&mut self.wake_tasks);
        let runner = core::mem::take(&mut self.wake_runner);
        let flash = core::mem::take(&mut self.wake_flash);
        if !tasks && !runner && !flash {
            return None;
        }
        Some(Woken {
            tasks: (tasks && !self.tasks.is_empty()).then(|| self.tasks.take()),
            runner: if runner { self.runner.take() } else { None },
            #[cfg(feature = "flash")]
            flash: if flash { self.flash.waker.take() } else { None },
        })
    }

    /// From here on a connection is there to end in a sleep.
    pub(crate) fn wish_for_night(&mut self, for_ms: u64, now: Tick) {
        self.night = Some(for_ms.min(u32::MAX.into()) as u32);
        if self.link != Link::Down {
            self.sleep = self.night.map(|for_ms| Sleep::wish(for_ms, true, now));
            self.wake_runner();
        }
    }

    /// A connection begins.
    pub(crate) fn connecting(&mut self, now: Tick) {
        // A sleep that the server knows of is over: it is not told again.
        let wished = self.sleep.filter(|s| !s.heard);
        self.sleep = self.night.map(|for_ms| Sleep::wish(for_ms, true, now)).or(wished);
        self.link = Link::Handshake;
        self.generation = self.generation.wrapping_add(1);
        self.released = 0;
        #[cfg(feature = "flash")]
        self.flash.forget_request();
        self.counters.dials = self.counters.dials.saturating_add(1);
    }

    /// The connection is over, however it ended.
    pub(crate) fn disconnected(&mut self, end: End) {
        self.link = Link::Down;
        self.last_end = Some(end);
        self.slept = self.sleep.take().is_some_and(|sleep| sleep.heard);
        self.night = self.night.filter(|_| end != End::Slept);
        self.fail_asks();
        self.wake_tasks();
    }

    /// Everything up to these positions is committed, or was when the lane was empty.
    pub(crate) fn is_committed(&self, outbox: &OutboxMut<'_>, lane: Lane, below: Position) -> bool {
        let acked = outbox.acked(lane);
        let counts = lane != Lane::Readings || !self.keep_latest;
        outbox.is_drained(lane) || (counts && acked != Position::NONE && acked.next() >= below)
    }

    /// Everything below this position survives a loss of power.
    pub(crate) fn is_safe(&self, outbox: &OutboxMut<'_>, lane: Lane, below: Position) -> bool {
        outbox.persisted_below(lane).is_some_and(|p| p >= below) || self.is_committed(outbox, lane, below)
    }

    /// Boots in flash whose records a connection will bring.
    #[cfg(feature = "flash")]
    pub(crate) fn old_boots(&self, outbox: &OutboxMut<'_>) -> Boots {
        let lowest = |lane| outbox.local_of(outbox.floor(lane).floor).boot();
        let lowest = Lane::ALL.into_iter().map(lowest).min().unwrap_or(0);
        self.flash.boots.announce(lowest, outbox.shift())
    }

    /// Without flash there are none.
    #[cfg(not(feature = "flash"))]
    pub(crate) fn old_boots(&self, _: &OutboxMut<'_>) -> Boots {
        Boots::default()
    }

    /// What was answered or applied while the control lane was full goes there now.
    pub(crate) fn report(&mut self, outbox: &mut OutboxMut<'_>) {
        self.report_answers(outbox);
        self.report_settings(outbox);
    }
}

/// Tasks to be woken.
pub(crate) struct Woken {
    tasks: Option<[Option<Waker>; crate::wakers::TASKS]>,
    runner: Option<Waker>,
    #[cfg(feature = "flash")]
    flash: Option<Waker>,
}

impl Woken {
    pub(crate) fn wake(self) {
        #[cfg(feature = "flash")]
        self.flash.into_iter().for_each(Waker::wake);
        self.runner.into_iter().for_each(Waker::wake);
        self.tasks.into_iter().flatten().flatten().for_each(Waker::wake);
    }
}
