//! The handle that tasks share.

use core::future::{Future, poll_fn};
use core::task::Poll;
use core::time::Duration;

use sensock::catalog::{Setting, Shaped};
use sensock::device::{Carry, OutboxMut, Policy};
use sensock::error::Misuse;
use sensock::{Lane, Position, Reading, StoreId, Tick};

use crate::call::Call;
use crate::desk::{Desk, Sleep};
use crate::shared::{Shared, waiting};
use crate::status::Status;

/// A device, for any number of tasks: copy it freely.
///
/// Recording never waits and works offline. Everything that waits may be dropped at any await: nothing is lost by it.
#[derive(Clone, Copy, Debug)]
pub struct Device<'a> {
    pub(crate) shared: Shared<'a>,
}

impl<'a> Device<'a> {
    pub(crate) fn new(shared: Shared<'a>) -> Self {
        Self { shared }
    }

    /// Records readings of one instant, now. Never waits; returns the record's position as this device counts.
    ///
    /// # Errors
    /// Nothing was taken: [`Misuse::NotInCatalog`], [`Misuse::Readings`], [`Misuse::RecordTooLarge`]; [`Misuse::State`] after
    /// [`Device::deep_sleep`] ended the boot. A full outbox is no error: its policy decides what is lost, and the loss is accounted for.
    pub fn record(&self, readings: &[Reading]) -> Result<Position, Misuse> {
        self.put(Lane::Readings, None, readings)
    }

    /// Records readings of an instant that has passed: a tick of this device's clock, no earlier than the record before.
    ///
    /// # Errors
    /// As [`Device::record`], and [`Misuse::Backwards`], [`Misuse::Ahead`].
    pub fn record_at(&self, tick: Tick, readings: &[Reading]) -> Result<Position, Misuse> {
        self.put(Lane::Readings, Some(tick), readings)
    }

    /// Records what must overtake everything else.
    ///
    /// # Errors
    /// As [`Device::record`].
    pub fn alarm(&self, readings: &[Reading]) -> Result<Position, Misuse> {
        self.put(Lane::Alarm, None, readings)
    }

    /// Records a decision that the device took by itself. These are never dropped.
    ///
    /// # Errors
    /// As [`Device::record`], and [`Misuse::Full`].
    pub fn decision(&self, readings: &[Reading]) -> Result<Position, Misuse> {
        self.put(Lane::Control, None, readings)
    }

    fn put(&self, lane: Lane, tick: Option<Tick>, readings: &[Reading]) -> Result<Position, Misuse> {
        let catalog = self.shared.catalog;
        let listed = readings.iter().all(|r| catalog.quantity(r.quantity).is_some());
        self.shared.with(|outbox, desk| {
            // The clock is read inside of the lock: records of two tasks are in order of their ticks.
            let now = self.shared.now();
            let taken = match tick {
                _ if !listed => Err(Misuse::NotInCatalog),
                _ if desk.ended => Err(Misuse::State),
                Some(tick) if tick > now => Err(Misuse::Ahead),
                tick => outbox.record(lane, tick.unwrap_or(now), readings),
            };
            match taken {
                Ok(position) => {
                    desk.counters.accepted = desk.counters.accepted.saturating_add(1);
                    if lane == Lane::Readings {
                        desk.reading_made(outbox, position, now);
                    }
                    desk.wake_runner();
                }
                Err(_) => desk.counters.refused = desk.counters.refused.saturating_add(1),
            }
            taken
        })
    }

    /// What happens when a lane is full, and how long its records are worth keeping (`None`: for ever). Call it before the lane's first record.
    pub fn policy(&self, lane: Lane, policy: Policy, keep_for: Option<Duration>) {
        let ttl_ms = keep_for.map_or(0, |d| millis(d).clamp(1, u32::MAX.into()) as u32);
        self.shared.with(|outbox, desk| {
            outbox.policy(lane, policy, ttl_ms);
            desk.keep_latest |= lane == Lane::Readings && policy == Policy::KeepLatest;
        });
    }

    /// Pins one store: a server that keeps another is left at once ([`Ended::Protocol`](crate::Ended::Protocol) with
    /// [`Peer::OtherStore`](sensock::error::Peer::OtherStore)), and nothing is told to it or freed. Call it before the first connection.
    pub fn pin(&self, store: StoreId) {
        self.shared.with(|outbox, _| outbox.pin(store));
    }

    /// The next command of the server, in order.
    ///
    /// Cancel safe: a command that was not handed out waits for the next call.
    pub fn next_command(&self) -> impl Future<Output = Call<'a>> + Send + use<'a> {
        let shared = self.shared;
        poll_fn(move |cx| {
            shared.poll(cx, |outbox, desk| match desk.hand_out(outbox, shared.now()) {
                Some(handed) => Poll::Ready(Call::new(shared, handed)),
                None => Poll::Pending,
            })
        })
    }

    /// Waits until the server wants a reading now: take one and `record` it. That record is the answer, as any next record is.
    ///
    /// Cancel safe.
    pub fn read_now(&self) -> impl Future<Output = ()> + Send + use<'a> {
        until(self.shared, |outbox, desk, now| desk.wants_reading(outbox, now))
    }

    /// The next new value of a setting. Taking it is what the server is told as "applied".
    ///
    /// One task per setting: each value is given once. Never resolves for a setting that the catalogue does not list. Cancel safe.
    pub fn setting<T: Shaped>(&self, setting: &Setting<T>) -> impl Future<Output = T> + Send + use<'a, T> {
        let (shared, key) = (self.shared, setting.key());
        poll_fn(move |cx| {
            shared.poll(cx, |outbox, desk| match desk.apply(outbox, key) {
                Some(value) => Poll::Ready(value),
                None => Poll::Pending,
            })
        })
    }

    /// Waits until everything that was accepted up to now is stored, or explained by a gap. Cancel safe.
    pub fn drain(&self) -> impl Future<Output = ()> + Send + use<'a> {
        let targets = self.shared.with(|outbox, _| Lane::ALL.map(|lane| outbox.next(lane)));
        until(self.shared, move |outbox, desk, _| {
            Lane::ALL.iter().all(|lane| desk.is_committed(outbox, *lane, targets[lane.index()]))
        })
    }

    /// Waits until everything that was accepted up to now survives a loss of power: in flash, or stored by the server. Cancel safe.
    pub fn flush(&self) -> impl Future<Output = ()> + Send + use<'a> {
        let targets = self.shared.with(|outbox, _| Lane::ALL.map(|lane| outbox.next(lane)));
        until(self.shared, move |outbox, desk, _| {
            Lane::ALL.iter().all(|lane| desk.is_safe(outbox, *lane, targets[lane.index()]))
        })
    }

    /// Waits until the record at `position` of `lane` survives a loss of power: in flash, or stored by the server. Cancel safe.
    pub fn persisted(&self, lane: Lane, position: Position) -> impl Future<Output = ()> + Send + use<'a> {
        until(self.shared, move |outbox, desk, _| desk.is_safe(outbox, lane, position.next()))
    }

    /// Tells the server that this device will be silent for `duration`, once all is stored, and ends the connection. `true` if the server
    /// knows. Without a connection it is `false` at once. The clock goes on, the boot too: [`Runner::backoff`](crate::Runner::backoff) waits it out.
    ///
    /// Cancel safe, but a wish that was told to the server stands.
    pub async fn sleep(&self, duration: impl Into<Duration>) -> bool {
        self.leave(duration.into(), false).await
    }

    /// As [`Device::sleep`], and ends the boot: no record is taken any more. Keep what it returns in memory that survives, power down,
    /// and start the next boot with [`Boot::Woke`](crate::Boot::Woke). Records that are not stored by then are lost, and accounted for.
    ///
    /// Cancel safe as [`Device::sleep`]; the boot has ended from the first poll on.
    pub async fn deep_sleep(&self, duration: impl Into<Duration>) -> Carry {
        self.shared.with(|_, desk| desk.ended = true);
        self.leave(duration.into(), true).await;
        self.carry()
    }

    async fn leave(&self, duration: Duration, ends_boot: bool) -> bool {
        let wish = Sleep::wish(millis(duration).min(u32::MAX.into()) as u32, ends_boot, self.shared.now());
        let live = self.shared.with(|_, desk| {
            if desk.is_live() {
                desk.sleep = Some(wish);
                desk.wake_runner();
            }
            desk.is_live()
        });
        if !live {
            return false;
        }
        let _wish = Wish(self.shared);
        poll_fn(|cx| {
            self.shared.poll(cx, |_, desk| match desk.sleep {
                Some(_) => Poll::Pending,
                // The connection ended, with or without it.
                None => Poll::Ready(desk.slept),
            })
        })
        .await
    }

    /// Ends the connection in order, now.
    pub fn close(&self) {
        self.shared.with(|_, desk| {
            desk.close = desk.is_live();
            desk.wake_runner();
        });
    }

    /// What a deep sleep has to keep, as of now.
    pub fn carry(&self) -> Carry {
        self.shared.with(|outbox, _| outbox.carry())
    }

    /// Whether a session is live.
    pub fn is_connected(&self) -> bool {
        self.shared.with(|_, desk| desk.is_live())
    }

    /// The last position of a lane that the server has stored or explained by a gap, as this device counts; [`Position::NONE`] before that.
    pub fn stored(&self, lane: Lane) -> Position {
        self.shared.with(|outbox, _| outbox.acked(lane))
    }

    /// How the device is doing.
    pub fn status(&self) -> Status {
        self.shared.with(|outbox, desk| {
            let waiting = Lane::ALL.iter().map(|lane| waiting(outbox, *lane)).sum();
            let made: u32 = Lane::ALL.iter().map(|lane| outbox.next(*lane).n()).sum();
            let fills = Lane::ALL.map(|lane| outbox.fill(lane).0);
            Status {
                accepted: desk.counters.accepted,
                refused: desk.counters.refused,
                stored: made.saturating_sub(waiting),
                waiting,
                connected: desk.is_live(),
                sessions: desk.counters.sessions,
                dials: desk.counters.dials,
                last_end: desk.last_end,
                fill: fills.into_iter().max().unwrap_or(0),
                high_water: outbox.high_water(),
                shifted_by: outbox.shift(),
            }
        })
    }

    /// Now, on the device's clock.
    pub fn now(&self) -> Tick {
        self.shared.now()
    }
}

pub(crate) fn until<'a, D>(shared: Shared<'a>, mut done: D) -> impl Future<Output = ()> + Send + use<'a, D>
where
    D: FnMut(&mut OutboxMut<'_>, &mut Desk, Tick) -> bool + Send,
{
    poll_fn(move |cx| {
        shared.poll(cx, |outbox, desk| match done(outbox, desk, shared.now()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
    })
}

/// A wish to sleep that nobody waits for is taken back.
struct Wish<'a>(Shared<'a>);

impl Drop for Wish<'_> {
    fn drop(&mut self) {
        self.0.with(|_, desk| desk.sleep = desk.sleep.filter(|s| s.said));
    }
}

pub(crate) fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}
