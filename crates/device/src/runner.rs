//! What drives a connection.

mod cover;
mod pump;

use core::fmt;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;

use embedded_io_async::{Read, Write};
use sensock::backoff::Backoff;
use sensock::catalog::fnv1a;
use sensock::device::{Carry, Session};
use sensock::limits::TEXT_MAX;
use sensock::wire::hello::Account;
use sensock::wire::text::Text;
use sensock::{CommandId, Tick};

use crate::clock::Clock;
use crate::ended::Ended;
use crate::node::Key;
use crate::shared::Shared;
use cover::Covers;
use pump::Pump;

/// Memory that survives a reset and is written at once: RTC memory, FRAM, a file.
///
/// With it a command that runs at most once does so across resets too: it is noted here as begun before it is handed out. And a server can
/// tell when this memory was put back to an earlier state, since each tag is noted here before it is used. (With the `flash` feature flash
/// does this, and nothing else is needed.)
pub trait Keep {
    /// Keeps this, in the place of what was kept before. Must not fail silently: what cannot be kept is worse than nothing.
    fn keep(&mut self, carry: &Carry);
}

impl<F: FnMut(&Carry)> Keep for F {
    fn keep(&mut self, carry: &Carry) {
        self(carry);
    }
}

/// Drives connections, one after the other, from the one task that owns the network.
///
/// ```ignore
/// loop {
///     if let Ok((reader, writer)) = dial().await {
///         let why = runner.connection(reader, writer).await;
///     }
///     runner.backoff().await;
/// }
/// ```
pub struct Runner<'a, C> {
    shared: Shared<'a>,
    clock: &'a C,
    session: Session<'a>,
    covers: Covers<'a>,
    memory: Memory<'a>,
    said: usize,
    account: Account,
    keep: Option<&'a mut (dyn Keep + Send)>,
    backoff: Backoff,
    resume_at: Option<Tick>,
    entropy: u32,
    offline_since: Tick,
    dials: u16,
}

/// The buffers of a connection.
pub(crate) struct Memory<'a> {
    rx: &'a mut [u8],
    tx: &'a mut [u8],
    chunk: &'a mut [u8],
    said: &'a mut [u8; TEXT_MAX],
}

/// As they come from `Buffers`: rx, tx, chunk, said.
type Parts<'a> = (&'a mut [u8], &'a mut [u8], &'a mut [u8], &'a mut [u8; TEXT_MAX]);

impl<'a, C: Clock> Runner<'a, C> {
    pub(crate) fn new(
        shared: Shared<'a>,
        clock: &'a C,
        session: Session<'a>,
        key: Key<'a>,
        (rx, tx, chunk, said): Parts<'a>,
    ) -> Self {
        // Differs between devices; the tick of each use makes it differ between attempts.
        let entropy = fnv1a(session.node().id.as_bytes()) as u32;
        Runner {
            shared,
            clock,
            session,
            covers: Covers::new(key),
            memory: Memory { rx, tx, chunk, said },
            said: 0,
            account: Account::default(),
            keep: None,
            backoff: Backoff::new(500, 60_000),
            resume_at: None,
            entropy,
            offline_since: shared.now(),
            dials: 0,
        }
    }

    /// Waits at least half of `first_ms` and at most all of it after the first failure; each failure doubles that, up to `cap_ms`. 500 and 60,000
    /// unless told.
    pub fn backoff_between(&mut self, first_ms: u32, cap_ms: u32) {
        self.backoff = Backoff::new(first_ms, cap_ms);
    }

    /// Gives it memory that survives a reset, and keeps there at once that this boot began. Call it before the first record: a boot that ends
    /// without another word is then known to have lost what it made.
    pub fn keep(&mut self, keep: &'a mut (dyn Keep + Send)) {
        let carry = self.shared.with(|outbox, desk| {
            outbox.begun_persists(CommandId(0));
            outbox.tag_persists(outbox.last_tag());
            desk.keeps = true;
            outbox.carry()
        });
        keep.keep(&carry.unfinished().with_tag(carry.tag));
        self.keep = Some(keep);
    }

    /// What the operator shall know of this board: set its reset cause, signal and free memory. The rest is filled in at each connection.
    pub fn account(&mut self) -> &mut Account {
        &mut self.account
    }

    /// The sentence of the server that refused, or said goodbye, last. Empty if there was none.
    pub fn said(&self) -> Text<'_> {
        Text::new(&self.memory.said[..self.said])
    }

    /// Takes the session up over a transport, and keeps it until that ends. The two halves are independent: it reads while a write is pending.
    ///
    /// Returns how it ended; close the transport then. Nothing that was accepted is lost by any end.
    ///
    /// Cancel safe: dropped at any await, the transport counts as lost, and what was under way is sent again on the next one.
    pub async fn connection<R: Read, W: Write>(&mut self, reader: R, writer: W) -> Ended {
        let now = self.shared.now();
        self.resume_at = None;
        self.dials = self.dials.saturating_add(1);
        let boot = self.shared.with(|outbox, _| outbox.boot());
        let Some(cover) = self.covers.next(boot, now) else { return Ended::NoRandom };
        let (last_end, boots) = self.shared.with(|outbox, desk| {
            desk.connecting(now);
            (desk.last_end, desk.old_boots(outbox))
        });
        self.account.dial_attempts = self.dials;
        self.account.last_end = last_end.map_or(0, |end| end as u8);
        self.account.offline_ms = u32::try_from(now.since(self.offline_since)).unwrap_or(u32::MAX);
        self.session.start(now, self.account, boots);
        let (shared, clock) = (self.shared, self.clock);
        let Memory { rx, tx, chunk, said } = &mut self.memory;
        let mut pump = Pump::new(shared, &mut self.session, cover, self.keep.as_deref_mut(), rx, said, boots);

        let mut reading = pin!(read_some(reader, &mut chunk[..]));
        let len = pump.fill(tx, 0);
        let mut writing = pin!(Some(write_whole(writer, &mut tx[..], len)));
        let mut idle = None;
        // So many bytes of an idle `tx` wait for more.
        let mut filled = 0;
        let mut timer = pin!(None);
        let mut armed = None;
        let ended = poll_fn(|cx| {
            shared.with(|_, desk| desk.runner = Some(cx.waker().clone()));
            let mut spent = false;
            // Enough for a burst; then others of this task have their turn.
            for _ in 0..16 {
                let mut moved = false;
                if let Poll::Ready((reader, chunk, count)) = reading.as_mut().poll(cx) {
                    let bytes = count.and_then(|n| chunk.get(..n)).unwrap_or_default();
                    if bytes.is_empty() {
                        pump.end(Ended::Transport);
                    } else {
                        pump.receive(bytes);
                    }
                    reading.set(read_some(reader, chunk));
                    moved = true;
                }
                pump.tick();
                if let Some(write) = writing.as_mut().as_pin_mut()
                    && let Poll::Ready((writer, tx, written)) = write.poll(cx)
                {
                    if !written {
                        pump.end(Ended::Transport);
                    }
                    writing.set(None);
                    idle = Some((writer, tx));
                    moved = true;
                }
                if let Some((writer, tx)) = idle.take() {
                    // Whoever samples in this task comes between two frames.
                    if spent {
                        idle = Some((writer, tx));
                        break;
                    }
                    let before = filled;
                    filled = pump.fill(tx, before);
                    if filled > before {
                        (idle, spent, moved) = (Some((writer, tx)), true, true);
                    } else if filled > 0 {
                        writing.set(Some(write_whole(writer, tx, core::mem::take(&mut filled))));
                        moved = true;
                    } else {
                        idle = Some((writer, tx));
                        pump.written_all();
                    }
                }
                if let Some(ended) = pump.ended() {
                    return Poll::Ready(ended);
                }
                let deadline = pump.deadline();
                if deadline != armed {
                    armed = deadline;
                    timer.set(deadline.map(|tick| clock.wait_until(tick)));
                }
                if let Some(wait) = timer.as_mut().as_pin_mut()
                    && wait.poll(cx).is_ready()
                {
                    armed = None;
                    timer.set(None);
                    moved = true;
                }
                if !moved {
                    return Poll::Pending;
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;

        let outcome = pump.finish(ended);
        self.said = outcome.said;
        if outcome.was_live {
            self.offline_since = shared.now();
            self.dials = 0;
        }
        if outcome.served {
            self.backoff.succeeded();
        }
        self.backoff.at_least(outcome.wait_ms);
        if let Some(wake) = outcome.wake_at {
            self.resume_at = Some(wake);
        }
        ended
    }

    /// Waits before the next dial: longer after each failure, never shorter than the server asked, and while the device sleeps until it wakes.
    ///
    /// Cancel safe: called again it waits for the rest.
    pub async fn backoff(&mut self) {
        let now = self.shared.now();
        let until = *self.resume_at.get_or_insert_with(|| {
            let mixed = (self.entropy ^ now.0 as u32).wrapping_mul(0x9e37_79b9).rotate_left(13);
            self.entropy = mixed.wrapping_mul(0x85eb_ca6b) ^ mixed >> 15;
            now.plus(self.backoff.next_delay(self.entropy).into())
        });
        if !self.covers.is_ready() {
            let boot = self.shared.with(|outbox, _| outbox.boot());
            self.covers.prepare(boot, now);
        }
        self.clock.wait_until(until).await;
        self.resume_at = None;
    }
}

impl<C> fmt::Debug for Runner<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("id", &self.session.node().id).finish_non_exhaustive()
    }
}

/// One read that owns what it reads with, so that it can go on while other things happen. `None` if the transport failed.
async fn read_some<R: Read>(mut reader: R, chunk: &mut [u8]) -> (R, &mut [u8], Option<usize>) {
    let count = reader.read(chunk).await.ok();
    (reader, chunk, count)
}

/// One write that owns what it writes with. `false` if the transport failed.
async fn write_whole<W: Write>(mut writer: W, tx: &mut [u8], len: usize) -> (W, &mut [u8], bool) {
    let bytes = tx.get(..len).unwrap_or_default();
    let written = writer.write_all(bytes).await.is_ok() && writer.flush().await.is_ok();
    (writer, tx, written)
}
