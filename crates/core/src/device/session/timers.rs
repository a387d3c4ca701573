//! Deadlines.

use super::*;

impl Session<'_> {
    /// The next moment at which [`Session::handle_timeout`] and [`Session::poll_transmit`] have something to do.
    pub fn poll_timeout(&self) -> Option<Tick> {
        if matches!(self.state, State::Idle | State::Closed) {
            return None;
        }
        let mut next = self.over_at();
        if self.out.proof {
            next = next.min(self.proof_by());
        }
        if self.is_live() && !self.has_left() {
            next = next.min(self.probe_at());
            // Whether the settings are applied by then: looking once too often does no harm.
            if self.out.sleep.is_some() {
                next = next.min(self.stays_until(0));
            }
        }
        next.or_never()
    }

    /// Time passed.
    ///
    /// # Errors
    /// [`Peer::Silent`]: nothing came for too long; close the transport. A server that does not answer Sleep with its Bye is no error: the
    /// session is closed, the device may sleep.
    pub fn handle_timeout(&mut self, now: Tick) -> Result<(), Peer> {
        if matches!(self.state, State::Idle | State::Closed) {
            return Ok(());
        }
        let (left, over) = (self.has_left(), self.over_at());
        // What lies beyond the end of time is never due.
        if now >= over && over < Tick::NEVER {
            self.state = State::Closed;
            return if left { Ok(()) } else { Err(Peer::Silent) };
        }
        if !left {
            self.lose_patience(now);
            self.out.ping |= self.out.ping_pending.is_none() && now >= self.probe_at();
        }
        Ok(())
    }

    /// Sleep was said and all is acknowledged: only the server's Bye is missing.
    fn has_left(&self) -> bool {
        self.state == State::Leaving && !self.is_waiting()
    }

    /// When the connection is over if nothing comes.
    fn over_at(&self) -> Tick {
        match self.state {
            State::Hello | State::AwaitWelcome => self.hello.at.plus(HANDSHAKE_MS),
            // A device that said Sleep waits for the Bye this long once all is acknowledged.
            _ if self.has_left() => self.leaving.max(self.last_heard).plus(2 * u64::from(self.rtt) + 200),
            _ => {
                let unanswered = self.out.ping_pending.map_or(Tick::NEVER, |at| self.probed(at));
                // 2.5 intervals; Welcome's are short enough for 32 bits.
                self.last_heard.plus((self.ping_interval * 5 / 2).into()).min(unanswered)
            }
        }
    }

    /// When the session is proved even if the tag is not kept yet: memory that fails must not keep the device from its server. At worst
    /// the next boot is taken for one whose memory was rolled back.
    pub(super) fn proof_by(&self) -> Tick {
        self.last_heard.plus(KEEP_MS)
    }

    /// Unacknowledged data, and nothing heard: when to ask whether the server is there (it answers even while its store is away).
    fn probe_at(&self) -> Tick {
        match self.out.ping_pending {
            None if self.is_waiting() => self.probed(self.last_sent_data.max(self.last_heard)),
            _ => Tick::NEVER,
        }
    }

    /// When an answer to what was sent at this tick is overdue.
    fn probed(&self, at: Tick) -> Tick {
        at.plus(2 * u64::from(self.rtt) + 2_000)
    }

    /// Whether something was sent that is not acknowledged.
    pub(super) fn is_waiting(&self) -> bool {
        self.lanes.iter().any(LaneLink::is_waiting)
    }
}
