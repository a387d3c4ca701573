//! A device: what the application does with it. The connection's side is in `link`, what it reports in `news`.

use core::cell::RefCell;

use sensock::backoff::Backoff;
use sensock::batch::Cell;
use sensock::catalog::{Catalog, Measure, QuantityEntry};
use sensock::deframe::{Length, crc32};
use sensock::device::{Durable, Node, OutboxMut, Policy, Session, Share};
use sensock::error::Misuse;
use sensock::limits::{READINGS_PER_RECORD, TEXT_MAX};
use sensock::seal::Cover;
use sensock::wire::hello::{self, End};
use sensock::{CommandId, Fault, Lane, Position, Reading, Tick};

use crate::calls::Calls;
use crate::clock::Clock;
use crate::news::News;
use crate::seal::Covers;
use crate::setup::{Parts, Setup};
use crate::types::{Account, Error, Kind, ReadingIn, Status};

/// A device. C holds a pointer to it and knows nothing else of it.
#[derive(Debug)]
pub struct Device {
    /// Says that this is one, and not some other memory.
    pub(crate) mark: u32,
    pub(crate) held: Held,
    pub(crate) session: Session<'static>,
    pub(crate) catalog: &'static Catalog<'static>,
    pub(crate) clock: Clock,
    pub(crate) rx: &'static mut [u8],
    pub(crate) tx: &'static mut [u8],
    /// What of `tx` is still to be written.
    pub(crate) unsent: core::ops::Range<usize>,
    pub(crate) covers: Covers,
    pub(crate) cover: Cover,
    pub(crate) deframer: Length,
    pub(crate) preface_due: bool,
    pub(crate) link: Link,
    pub(crate) news: News,
    pub(crate) calls: Calls,
    pub(crate) ask: Option<Ask>,
    pub(crate) sleep: Option<Sleep>,
    /// The boot was ended: no more records.
    pub(crate) ended: bool,
    pub(crate) woke: bool,
    pub(crate) account: Account,
    pub(crate) backoff: Backoff,
    pub(crate) last_end: Option<End>,
    /// A NUL-terminated sentence.
    pub(crate) said: [u8; TEXT_MAX + 1],
    pub(crate) accepted: u32,
    pub(crate) refused: u32,
    pub(crate) sessions: u32,
    pub(crate) dials: u32,
    pub(crate) dials_since: u16,
    pub(crate) offline_since: Tick,
}

/// What a device's memory begins with.
pub(crate) const MARK: u32 = 0x4b43_4e53;

/// The outbox, as the session reaches it.
#[derive(Debug)]
pub(crate) struct Held(RefCell<(Durable, &'static mut [u8])>);

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Down,
    Handshake,
    /// Since when.
    Live(Tick),
}

/// A question under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    pub id: u16,
    pub key: u16,
    pub deadline: Tick,
}

/// A wish to sleep that the session knows of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sleep {
    pub until: Tick,
    pub ends_boot: bool,
}

impl Share for Held {
    fn with<R>(&self, f: impl FnOnce(&mut OutboxMut<'_>) -> R) -> R {
        let mut held = self.0.borrow_mut();
        f(&mut opened(&mut held))
    }
}

/// The outbox over its bytes. Not inlined: it is asked for in some fifty places.
#[inline(never)]
fn opened<'a>((durable, bytes): &'a mut (Durable, &'static mut [u8])) -> OutboxMut<'a> {
    match durable.over(bytes) {
        Ok(outbox) => outbox,
        // The same bytes each time, and `setup` looked at how many there are.
        Err(_) => unreachable!(),
    }
}

impl Device {
    /// Begins a boot.
    pub(crate) fn start(setup: &Setup<'_>, parts: Parts, now: u32) -> Result<Device, Error> {
        let Parts { catalog, outbox, rx, tx, scratch } = parts;
        let node = Node { id: setup.id, catalog, max_frame: setup.frame_bytes as u16 };
        let session = Session::new(node, scratch).map_err(|_| Error::Size)?;
        let held = Held(RefCell::new((Durable::new(), outbox)));
        let mut woke = false;
        held.with(|o| {
            o.limit_commands(crate::calls::CALLS as u8);
            match setup.carry {
                Some(mut carry) => {
                    if setup.settings_again {
                        carry.settings = 0;
                    }
                    woke = true;
                    o.woke(&carry);
                }
                None => o.start((setup.boot > 0).then_some(setup.boot)),
            }
            if setup.keeps {
                o.begun_persists(CommandId(0));
            }
        });
        let mut clock = Clock::new(now);
        let offline_since = clock.tick(now);
        Ok(Device {
            mark: MARK,
            held,
            session,
            catalog,
            clock,
            rx,
            tx,
            unsent: 0..0,
            covers: Covers::new(setup.proof.clone()),
            cover: Cover::insecure(),
            deframer: Length::new(),
            preface_due: false,
            link: Link::Down,
            news: News::new(),
            calls: Calls::new(setup.keeps),
            ask: None,
            sleep: None,
            ended: false,
            woke,
            account: Account::default(),
            backoff: Backoff::new(500, 60_000),
            last_end: None,
            said: [0; TEXT_MAX + 1],
            accepted: 0,
            refused: 0,
            sessions: 0,
            dials: 0,
            dials_since: 0,
            offline_since,
        })
    }

    /// Accepts a record of one instant. Returns its position as this device counts.
    pub(crate) fn record(&mut self, lane: Lane, now: u32, given: &[ReadingIn]) -> Result<Position, Error> {
        let now = self.clock.tick(now);
        let taken = self.take(lane, now, given);
        match taken {
            Ok(_) => self.accepted = self.accepted.saturating_add(1),
            Err(_) => self.refused = self.refused.saturating_add(1),
        }
        taken
    }

    fn take(&mut self, lane: Lane, now: Tick, given: &[ReadingIn]) -> Result<Position, Error> {
        if self.ended {
            return Err(Error::State);
        }
        let mut readings = [Reading { quantity: 0, cell: Cell::Value(0) }; READINGS_PER_RECORD];
        let readings = readings.get_mut(..given.len()).ok_or(Error::Readings)?;
        for (reading, given) in readings.iter_mut().zip(given) {
            let entry = self.catalog.quantity(given.quantity).ok_or(Error::Unlisted)?;
            *reading = Reading { quantity: entry.id, cell: cell(entry, given)? };
        }
        let position = self.held.with(|o| o.record(lane, now, readings)).map_err(misuse)?;
        if lane == Lane::Readings {
            self.calls.reading_made(&self.held, &mut self.session, position);
        }
        Ok(position)
    }

    /// What happens when a lane is full.
    pub(crate) fn policy(&mut self, lane: Lane, policy: u8, keep_for_ms: u32) -> Result<(), Error> {
        let policy = match policy {
            0 => Policy::DropOldest,
            1 => Policy::DropNewest,
            2 if lane == Lane::Readings => Policy::KeepLatest,
            3 => Policy::Refuse,
            _ => return Err(Error::Number),
        };
        self.held.with(|o| {
            if o.next(lane).n() > 0 {
                return Err(Error::State);
            }
            o.policy(lane, policy, keep_for_ms);
            Ok(())
        })
    }

    /// How the device is doing.
    pub(crate) fn status(&self) -> Status {
        let (made, waiting, fill, high_water) = self.held.with(|o| {
            let made: u32 = Lane::ALL.iter().map(|lane| o.next(*lane).n()).sum();
            let waiting = Lane::ALL.iter().map(|lane| waiting(o, *lane)).sum();
            (
                made,
                waiting,
                Lane::ALL.map(|lane| o.fill(lane).0).into_iter().max().unwrap_or(0),
                o.high_water(),
            )
        });
        Status {
            accepted: self.accepted,
            refused: self.refused,
            stored: made.saturating_sub(waiting),
            waiting,
            sessions: self.sessions,
            dials: self.dials,
            connected: self.is_live(),
            woke: self.woke,
            fill,
            high_water,
        }
    }

    /// Why there is no link, in words; empty if there never was one.
    pub(crate) fn why_down(&self) -> &'static str {
        self.last_end.map_or("", End::words)
    }

    /// The bytes that memory which survives has to keep. The boot ends with that, or else it goes on: then its last positions are not known yet.
    pub(crate) fn carry(&mut self, ends_boot: bool) -> [u8; sensock::device::Carry::LEN] {
        self.ended |= ends_boot;
        let carry = self.held.with(|o| o.carry());
        if self.ended { carry.to_bytes() } else { carry.unfinished().to_bytes() }
    }

    /// The number of this boot; 0 as long as it has none.
    pub(crate) fn boot(&self) -> u32 {
        self.held.with(|o| o.boot())
    }

    /// Whether everything that was accepted is stored or explained.
    pub(crate) fn is_drained(&self) -> bool {
        self.held.with(|o| Lane::ALL.into_iter().all(|lane| o.is_drained(lane)))
    }

    /// Whether a session is live.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.link, Link::Live(_))
    }

    /// A delay before the next dial. What tells devices apart is their id, unless the caller has something better.
    pub(crate) fn backoff_ms(&mut self, now: u32, entropy: u32) -> u32 {
        let now = self.clock.tick(now);
        self.covers.prepare(self.boot(), now.0);
        if let Some(sleep) = self.sleep.take() {
            return u32::try_from(sleep.until.since(now)).unwrap_or(u32::MAX);
        }
        let own = crc32(self.session.node().id.as_bytes());
        let mixed = (entropy ^ own ^ now.0 as u32).wrapping_mul(0x9e37_79b9);
        self.backoff.next_delay(mixed ^ mixed >> 15)
    }

    /// What the operator is told at the next Hello.
    pub(crate) fn hello_account(&self, now: Tick) -> hello::Account {
        hello::Account {
            reset_cause: self.account.reset_cause,
            dial_attempts: self.dials_since,
            last_end: self.last_end.map_or(0, |end| end as u8),
            offline_ms: u32::try_from(now.since(self.offline_since)).unwrap_or(u32::MAX),
            signal: self.account.signal_dbm.checked_neg().unwrap_or(i8::MAX).max(0) as u8,
            free_kib: self.account.free_kib,
            ..hello::Account::default()
        }
    }
}

/// What the core calls misuse, as a code.
pub(crate) fn misuse(misuse: Misuse) -> Error {
    match misuse {
        Misuse::Readings | Misuse::RecordTooLarge => Error::Readings,
        Misuse::NotInCatalog => Error::Unlisted,
        Misuse::Buffer => Error::Size,
        Misuse::Body => Error::Values,
        Misuse::Busy | Misuse::Full => Error::Full,
        Misuse::Exhausted => Error::Exhausted,
        _ => Error::State,
    }
}

fn cell(entry: &QuantityEntry<'_>, given: &ReadingIn) -> Result<Cell, Error> {
    let cell = match given.kind {
        k if k == Kind::Real as u8 => given.real.to_cell(entry.scale),
        k if k == Kind::Integer as u8 => given.integer.to_cell(entry.scale),
        k if k == Kind::Scaled as u8 => Cell::Value(given.integer),
        k if k == Kind::Fault as u8 => Cell::Fault(u8::try_from(given.integer).map_err(|_| Error::Number)?),
        _ => return Err(Error::Number),
    };
    Ok(match cell {
        Cell::Value(v) if v < entry.low => Cell::Fault(Fault::TOO_LOW.0),
        Cell::Value(v) if v > entry.high => Cell::Fault(Fault::TOO_HIGH.0),
        cell => cell,
    })
}

/// How many positions of this boot wait in a lane.
fn waiting(outbox: &OutboxMut<'_>, lane: Lane) -> u32 {
    let (next, acked) = (outbox.next(lane), outbox.acked(lane));
    let stored = if acked.boot() == next.boot() && acked != Position::NONE { acked.n() + 1 } else { 0 };
    next.n().saturating_sub(stored)
}
