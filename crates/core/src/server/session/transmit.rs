//! Deadlines, and what is due to be written.

use super::*;

impl Session {
    /// The next moment at which [`Session::handle_timeout`] or [`Session::poll_transmit`] has something to do.
    pub fn poll_timeout(&self) -> Option<Micros> {
        match self.state {
            State::AwaitHello | State::Judging | State::AwaitProof => Some(self.due),
            State::Live => Some(self.due.min(self.silent_at())),
            State::Closed => None,
        }
    }

    /// Time passed.
    ///
    /// # Errors
    /// [`Peer::Silent`]: the handshake took too long, or nothing came for two and a half ping intervals.
    pub fn handle_timeout(&mut self, now: Micros) -> Result<(), Peer> {
        let late = match self.state {
            State::AwaitHello | State::Judging | State::AwaitProof => now >= self.due,
            State::Live => now >= self.silent_at(),
            State::Closed => false,
        };
        if late {
            self.state = State::Closed;
            return Err(Peer::Silent);
        }
        Ok(())
    }

    pub(super) fn silent_at(&self) -> Micros {
        self.last_heard.plus_ms(u64::from(self.ping_interval_ms) * 5 / 2)
    }

    /// Writes the next frame that is due; 0 if none is. Acks are coalesced: poll after a burst of commits, not after each.
    ///
    /// # Errors
    /// [`Misuse::Buffer`] if `out` is below 256 bytes.
    pub fn poll_transmit(&mut self, now: Micros, out: &mut [u8]) -> Result<usize, Misuse> {
        if out.len() < FRAME_MIN_MAX {
            return Err(Misuse::Buffer);
        }
        Ok(self.next_frame(now, out)?)
    }

    pub(super) fn next_frame(&mut self, now: Micros, out: &mut [u8]) -> Result<usize, NoRoom> {
        if let (State::AwaitProof, true, Phase::Proposed(p)) = (self.state, self.welcome_due, self.phase) {
            let welcome = Welcome {
                version: VERSION,
                features: 0,
                boot_shift: p.boot_shift,
                tag: p.tag,
                marks: self.lanes.map(|l| l.acked),
                credit: self.lanes.map(|l| l.told()),
                want_catalog: p.want_catalog,
                max_frame: self.own_max_frame,
                ping_interval_ms: self.ping_interval_ms,
                pending: p.pending,
                store: p.store,
                nonce: p.nonce,
            };
            self.welcome_due = false;
            self.pinged_at = now;
            return welcome.encode(out);
        }
        if self.state != State::Live {
            return Ok(0);
        }
        if let Some(id) = self.pong.take() {
            return alive::pong(id.into(), crate::Tick(0), out);
        }
        if core::mem::take(&mut self.announce) {
            // Whatever it grants: this frame tells the device that its session is confirmed.
            let link = &mut self.lanes[Lane::Alarm.index()];
            if self.has_catalog {
                link.untold = Amount::NONE;
            }
            return flow::credit(Lane::Alarm, link.told(), out);
        }
        if self.confirmed {
            for (lane, link) in Lane::ALL.into_iter().zip(&mut self.lanes) {
                if link.mark > link.acked {
                    let len = flow::ack(lane, link.acked, link.mark, out)?;
                    link.acked = link.mark;
                    self.put_ping_off(now);
                    return Ok(len);
                }
                if core::mem::take(&mut link.rewind_due) {
                    return flow::rewind(lane, link.expected, out);
                }
                if self.has_catalog && link.credit_due() {
                    link.untold = Amount::NONE;
                    return flow::credit(lane, link.limit, out);
                }
            }
        }
        if now >= self.due {
            self.due = now.plus_ms(self.ping_interval_ms.into());
            if !self.unanswered {
                self.pings = self.pings.wrapping_add(1).max(1);
                (self.pinged_at, self.unanswered) = (now, true);
                return alive::ping(self.pings, out);
            }
        }
        Ok(0)
    }

    /// An ack leaves, which tells the device as much as a ping would. So the next ping can wait; but clocks are compared every fourth interval, and
    /// a ping that is nearly due for that goes with the ack, so that nobody is woken for it alone.
    fn put_ping_off(&mut self, now: Micros) {
        let interval_us = u64::from(self.ping_interval_ms) * 1_000;
        let latest = self.pinged_at.plus(interval_us * 4);
        let nearly = latest.since(now) <= interval_us / 4;
        self.due = if nearly { now } else { latest.min(now.plus(interval_us * 5 / 4)) };
    }
}
