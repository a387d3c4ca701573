//! What others tell a connection: what became of its works, and what goes down.

use sensock::Lane;
use sensock::wire::hello::End;
use sensock_store::work::{Appended, Done, HelloDone, Meeting, Refuse};

use super::Live;
use crate::events::Event;
use crate::inbox::{Message, Token};
use crate::server::MOVING;

impl Live {
    pub(super) fn message(&mut self, message: Message) {
        match message {
            Message::Done(token, result) => {
                self.outstanding = self.outstanding.saturating_sub(1);
                self.done(token, result);
            }
            Message::Deliver(row) => self.down.deliver(*row, self.own.boot),
            Message::Setting(row) => self.down.set(*row),
            Message::Answer { id, result } => self.down.answer(id, result),
            Message::Takeover { peer } => {
                self.end(End::Takeover, format!("a newer connection from {peer} took over"));
            }
            Message::Leave { retry_ms, text } => self.leave(End::Closed, retry_ms, text),
            Message::Expel { retry_ms, text } => {
                // Whatever it was leaving for.
                self.leaving = None;
                self.leave(End::Refused, retry_ms, text);
            }
        }
    }

    fn done(&mut self, token: Token, result: Result<Done, Refuse>) {
        match (token, result) {
            (Token::Hello, Ok(Done::Hello(done))) => self.confirm(*done),
            (Token::Hello, Err(Refuse::Collision)) => {
                let connected = self
                    .shared
                    .registry
                    .connected(&self.own.device)
                    .map(|c| c.peer.to_string())
                    .unwrap_or_default();
                let refused = self.own.peer.to_string();
                self.shared.events.send(Event::Collision { device: self.own.device, connected, refused });
                self.waiting = None;
                self.outstanding = 0;
                self.leave(
                    End::Refused,
                    300_000,
                    "another board has this identity: give one of them another id",
                );
            }
            (Token::Hello, result) => {
                tracing::info!("the Hello came to nothing, the device comes back: {result:?}");
                self.waiting = None;
                self.outstanding = 0;
                self.leave(End::Refused, 5_000, "busy: what the store says has changed, come back");
            }
            (Token::Records { lane, records, bytes, epoch, replies, applied }, Ok(Done::Appended(done))) => {
                self.appended(lane, epoch, &done);
                self.session.window(lane, self.window(lane));
                self.session.release(lane, records, bytes as usize);
                replies.iter().for_each(|id| self.down.replied(&mut self.session, *id));
                self.down.applied(&applied);
            }
            (Token::Floor { lane, epoch }, Ok(Done::Appended(done))) => self.appended(lane, epoch, &done),
            (Token::Catalog, Ok(_)) => self.session.catalog_stored(),
            (Token::Sent(id), Ok(Done::Command(row, _))) => self.down.stored(id, Some(*row), self.own.boot),
            (Token::Sent(id), _) => self.down.stored(id, None, self.own.boot),
            (Token::Plain, _) => {}
            (token, result) => {
                tracing::error!("a work was refused that cannot be: {token:?}: {result:?}");
                self.leave(
                    End::Closed,
                    5_000,
                    "the store refuses what this device sends: see the server's log",
                );
            }
        }
    }

    /// The Hello transaction stands: this connection serves the device from here on.
    fn confirm(&mut self, mut done: HelloDone) {
        self.confirmed = true;
        let identity = done.identity;
        self.session.confirm(identity.marks);
        self.down.confirmed(&mut done);
        self.times.passed(&identity.marks);
        if let Some(waiting) = &mut self.waiting {
            let held = std::mem::take(&mut waiting.held);
            self.queue().push(held);
        }
        self.tidy();
        let (device, boot, peer) = (self.own.device, self.own.boot, self.own.peer.to_string());
        let old = self.shared.registry.insert(self.own.clone());
        self.shared.recheck_if_missed(self.own.clone());
        if let Some(old) = old {
            old.inbox.push(Message::Takeover { peer: peer.clone() });
            self.shared.events.send(Event::Takeover { device, from: old.peer.to_string(), to: peer.clone() });
        }
        if self.shared.closing.is_cancelled() {
            let retry_ms = self.shared.options.retry.as_millis() as u32;
            self.leave(End::Closed, retry_ms, MOVING);
        }
        if self.meeting == Meeting::Rebased {
            tracing::warn!(
                "the device's numbering was not what the store knows: it goes on above it, and up to a boot's records may be stored twice"
            );
        }
        tracing::info!(meeting = ?self.meeting, "connected");
        self.shared.events.send(match self.meeting {
            Meeting::Resumed => Event::Resumed { device, peer, boot, offline_ms: self.account.offline_ms },
            meeting => Event::Connected { device, peer, boot, meeting },
        });
    }

    fn appended(&mut self, lane: Lane, epoch: u32, done: &Appended) {
        for gap in &done.gaps {
            tracing::warn!(%lane, first = %gap.first, last = %gap.last, cause = %gap.cause, "a gap: {}", gap.detail);
            if !gap.detail.is_empty() && gap.cause == sensock::Cause::Rejected {
                let reason = gap.detail.clone();
                self.shared.events.send(Event::Quarantined { lane: gap.lane, reason });
            }
        }
        if !done.rewind {
            self.session.committed(lane, done.mark);
            return;
        }
        if done.mark < self.session.mark(lane) {
            // Marks never go back: it was restored from a backup. Only a Hello can say what it has lost; to ask for that again would go on for ever.
            tracing::warn!(%lane, stored = %done.mark, acknowledged = %self.session.mark(lane), "the store went back to an earlier state");
            self.leave(End::Closed, 1_000, "the store went back to an earlier state: come again");
            return;
        }
        let current = &mut self.epochs[lane.index()];
        if *current == epoch {
            *current = current.wrapping_add(1);
            // It stays for this, and says Sleep again.
            self.sleep_said = false;
            self.session.rewind(lane, done.mark.next());
        }
    }
}
