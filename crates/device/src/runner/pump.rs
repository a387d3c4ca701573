//! The session between two buffers: bytes in, bytes out, one deadline.

#[cfg(feature = "flash")]
mod fetch;

use sensock::Tick;
use sensock::deframe::{self, Length, PREFACE, PREFIX_MAX};
use sensock::device::{Event, Session, Transmit};
use sensock::error::Peer;
use sensock::limits::{FRAME_MIN_MAX, TEXT_MAX};
use sensock::seal::{Cover, Margins};
use sensock::wire::flow::Boots;
use sensock::wire::hello::{End, UNSEALED_BACKOFF_MAX_MS};
use sensock::wire::text::Text;

use super::Keep;
use crate::desk::{Asked, Link};
use crate::ended::Ended;
use crate::shared::Shared;

/// A connection that lasted so long was worth it, even if nothing was stored: the next failure is a first one.
const WORTH_MS: u64 = 10_000;

/// One connection. Dropped before [`Pump::finish`], the transport counts as lost.
pub(super) struct Pump<'p, 'a> {
    shared: Shared<'a>,
    session: &'p mut Session<'a>,
    cover: Cover,
    keep: Option<&'p mut (dyn Keep + Send + 'a)>,
    rx: &'p mut [u8],
    said: &'p mut [u8; TEXT_MAX],
    said_len: usize,
    deframer: Length,
    preface_due: bool,
    live_since: Option<Tick>,
    stored: bool,
    wait_ms: u32,
    #[cfg(feature = "flash")]
    boots: Boots,
    /// Dial again at once.
    again: bool,
    ended: Option<Ended>,
    told: bool,
}

/// What a connection leaves behind.
pub(super) struct Outcome {
    pub said: usize,
    pub was_live: bool,
    pub served: bool,
    pub wait_ms: u32,
    pub wake_at: Option<Tick>,
}

impl<'p, 'a> Pump<'p, 'a> {
    pub(super) fn new(
        shared: Shared<'a>,
        session: &'p mut Session<'a>,
        cover: Cover,
        keep: Option<&'p mut (dyn Keep + Send + 'a)>,
        rx: &'p mut [u8],
        said: &'p mut [u8; TEXT_MAX],
        boots: Boots,
    ) -> Self {
        #[cfg(not(feature = "flash"))]
        let _ = boots;
        Pump {
            shared,
            session,
            cover,
            keep,
            rx,
            said,
            said_len: 0,
            deframer: Length::new(),
            preface_due: true,
            live_since: None,
            stored: false,
            wait_ms: 0,
            #[cfg(feature = "flash")]
            boots,
            again: false,
            ended: None,
            told: false,
        }
    }

    /// The connection is over. The first reason counts.
    pub(super) fn end(&mut self, ended: Ended) {
        self.ended = self.ended.or(Some(ended));
    }

    pub(super) fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// Bytes came.
    pub(super) fn receive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.ended.is_none() {
            match self.deframer.feed(bytes, self.rx) {
                Ok((used, frame)) => {
                    bytes = bytes.get(used..).unwrap_or_default();
                    if let Some(len) = frame {
                        self.frame(len);
                    }
                }
                Err(peer) => self.end(Ended::Protocol(peer)),
            }
        }
    }

    fn frame(&mut self, len: usize) {
        let now = self.shared.now();
        let message = self.rx.get_mut(..len).unwrap_or_default();
        let Ok(opened) = self.cover.open(message) else { return self.end(Ended::Forged) };
        let frame = message.get_mut(opened.frame).unwrap_or_default();
        // What nobody proved to have said may not keep the device away for long.
        let longest_ms = if opened.proved { u32::MAX } else { UNSEALED_BACKOFF_MAX_MS };
        let event = match self.session.handle_frame(&self.shared, now, frame) {
            Ok(Some(event)) => event,
            Ok(None) => return,
            Err(peer) => return self.end(Ended::Protocol(peer)),
        };
        let catalog = self.shared.catalog;
        let mut keep = false;
        let ended = self.shared.with(|outbox, desk| {
            match event {
                Event::Connected { welcomed, .. } => {
                    desk.link = Link::Live;
                    desk.counters.sessions = desk.counters.sessions.saturating_add(1);
                    self.live_since = Some(now);
                    keep = welcomed.shifted_by > 0 || outbox.has_tag_to_keep();
                    desk.wake_flash();
                    desk.report(outbox);
                }
                Event::Committed { .. } => {
                    self.stored = true;
                    desk.report(outbox);
                    desk.wake_flash();
                }
                Event::Command(call) => {
                    desk.take_call(outbox, catalog, &call);
                    keep = self.keep.is_some() && desk.begin_arrived(outbox);
                }
                Event::Setting(setting) => desk.take_setting(outbox, catalog, &setting),
                Event::Answer(answer) => desk.take_answer(&answer),
                Event::Refused(refused) => {
                    self.said_len = copy_text(refused.text, self.said);
                    self.wait_ms = refused.backoff_ms.min(longest_ms);
                    return Some(Ended::Refused(refused.code));
                }
                Event::Bye(bye) => {
                    self.said_len = copy_text(bye.text, self.said);
                    self.wait_ms = bye.retry_ms.min(longest_ms);
                    let slept = desk.sleep.as_mut().filter(|s| s.said);
                    return Some(match slept {
                        Some(sleep) if bye.reason == End::Slept => {
                            sleep.heard = true;
                            Ended::Slept
                        }
                        _ => Ended::Bye(bye.reason),
                    });
                }
                // What a later version of the core reports is not for this one.
                _ => {}
            }
            desk.wake_tasks();
            None
        });
        if keep {
            self.keep_now();
        }
        if let Some(ended) = ended {
            self.end(ended);
        }
    }

    /// Notes commands as begun, and the server's tag, in memory that survives: outside of the lock, before they may run and the session is
    /// proved.
    fn keep_now(&mut self) {
        let Some(keep) = self.keep.as_deref_mut() else { return };
        let carry = self.shared.with(|outbox, _| outbox.carry());
        keep.keep(&carry.unfinished().with_tag(carry.tag));
        self.shared.with(|outbox, desk| {
            outbox.tag_kept(carry.tag);
            desk.begun_is_kept(carry.begun);
        });
    }

    /// Time passed, or a task wants something.
    pub(super) fn tick(&mut self) {
        let now = self.shared.now();
        let live = self.session.is_live();
        if let Err(peer) = self.session.handle_timeout(now) {
            self.end(match peer {
                Peer::Silent if live => Ended::Silent,
                Peer::Silent => Ended::Handshake,
                peer => Ended::Protocol(peer),
            });
        }
        #[cfg(feature = "flash")]
        self.take_supply();
        let session = &mut *self.session;
        self.shared.with(|_, desk| {
            desk.expire_asks(now);
            for _ in 0..core::mem::take(&mut desk.released) {
                session.released();
            }
            if let Some(sleep) = desk.sleep.as_mut().filter(|s| !s.said && session.is_live()) {
                sleep.said = true;
                session.sleep(sleep.for_ms, sleep.ends_boot);
            }
            if core::mem::take(&mut desk.close) {
                session.close(End::Closed, desk.ended);
            }
        });
    }

    /// Adds what is due to `tx`, of which `end` bytes are filled; returns how many are then. One frame at most: to encode one takes a small
    /// processor some milliseconds.
    pub(super) fn fill(&mut self, tx: &mut [u8], mut end: usize) -> usize {
        if core::mem::take(&mut self.preface_due) {
            tx[..PREFACE.len()].copy_from_slice(&PREFACE);
            end = PREFACE.len();
        }
        let Margins { front, back } = self.cover.margins();
        let least = PREFIX_MAX + front + FRAME_MIN_MAX + back;
        if tx.len() - end >= least && self.ended.is_none() {
            let room = &mut tx[end..];
            let behind = room.len() - back;
            if let Some(len) = self.next_frame(&mut room[PREFIX_MAX + front..behind]) {
                let Ok(len) = self.cover.close(&mut room[PREFIX_MAX..], len) else {
                    self.end(Ended::Forged);
                    return end;
                };
                let skipped = deframe::prefixed(room, len);
                room.copy_within(skipped..PREFIX_MAX + len, 0);
                end += PREFIX_MAX + len - skipped;
            }
        }
        #[cfg(feature = "flash")]
        self.wake_flash();
        end
    }

    fn next_frame(&mut self, out: &mut [u8]) -> Option<usize> {
        if let Some(len) = self.next_ask(out) {
            return Some(len);
        }
        loop {
            let now = self.shared.now();
            match self.session.poll_transmit(&self.shared, now, out) {
                Transmit::Frame(len) => return Some(len),
                Transmit::Idle => return None,
                #[cfg(feature = "flash")]
                Transmit::Fetch { lane, from } => self.fetch(lane, from),
                // Only flash is fetched from.
                #[cfg(not(feature = "flash"))]
                Transmit::Fetch { lane, .. } => self.session.supply_none(&self.shared, lane),
            }
        }
    }

    fn next_ask(&mut self, out: &mut [u8]) -> Option<usize> {
        if !self.session.is_live() || self.session.is_leaving() {
            return None;
        }
        let session = &mut *self.session;
        self.shared.with(|_, desk| {
            let slot = desk.asks.iter_mut().find(|s| s.state == Asked::Queued)?;
            match session.ask(slot.key, slot.body(), out) {
                Ok((len, id)) => {
                    slot.state = Asked::Sent(id);
                    Some(len)
                }
                Err(_) => {
                    slot.state = Asked::Offline;
                    desk.wake_tasks();
                    None
                }
            }
        })
    }

    /// Nothing is left to write.
    pub(super) fn written_all(&mut self) {
        if self.session.is_closed() {
            let slept = self.shared.with(|_, desk| desk.sleep.is_some_and(|s| s.said));
            self.end(if slept { Ended::Slept } else { Ended::Closed });
        }
    }

    /// When something is due though nothing comes.
    pub(super) fn deadline(&self) -> Option<Tick> {
        let ask = self.shared.with(|_, desk| desk.ask_deadline());
        [self.session.poll_timeout(), ask].into_iter().flatten().min()
    }

    /// The connection ended.
    pub(super) fn finish(mut self, ended: Ended) -> Outcome {
        self.told = true;
        let now = self.shared.now();
        let wake_at = self.leave(ended.end());
        let worth = self.live_since.is_some_and(|at| now.since(at) >= WORTH_MS);
        Outcome {
            said: self.said_len,
            was_live: self.live_since.is_some(),
            served: self.stored || worth,
            wait_ms: self.wait_ms,
            wake_at: if self.again { Some(now) } else { wake_at },
        }
    }

    /// Leaves the desk as it has to be without a connection; when to dial again, if the device sleeps.
    fn leave(&mut self, end: End) -> Option<Tick> {
        self.session.lost();
        self.shared.with(|_, desk| {
            let slept = desk.sleep.filter(|_| end == End::Slept);
            desk.disconnected(end);
            slept.map(|s| s.asked_at.plus(s.for_ms.into()))
        })
    }
}

impl Drop for Pump<'_, '_> {
    fn drop(&mut self) {
        if !self.told {
            self.leave(End::Transport);
        }
    }
}

/// Copies what fits; a server's sentence is at most this long.
fn copy_text(text: Text<'_>, to: &mut [u8; TEXT_MAX]) -> usize {
    let bytes = text.as_bytes();
    let len = bytes.len().min(to.len());
    to[..len].copy_from_slice(&bytes[..len]);
    len
}
