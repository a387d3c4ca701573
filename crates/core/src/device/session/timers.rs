//! Deadlines.

use super::*;

impl Session<'_> {
    /// The next moment at which [`Session::handle_timeout`] and [`Session::poll_transmit`] have something to do.
    pub fn poll_timeout(&self) -> Option<Tick> {
        match self.state {
            State::Idle | State::Closed => None,
            State::Hello | State::AwaitWelcome => Some(self.hello.at.plus(HANDSHAKE_MS)),
            State::Leaving if !self.is_waiting() => Some(self.left_at()),
            State::Live | State::Leaving => {
                let idle = self.last_heard.plus(self.idle_limit());
                // Whether the settings are applied by then: looking once too often does no harm.
                let stays = self.out.sleep.and_then(|_| self.stays_until(0));
                [self.probe_at(), stays].into_iter().flatten().chain([idle]).min()
            }
        }
    }

    /// Time passed.
    ///
    /// # Errors
    /// [`Peer::Silent`]: nothing came for too long; close the transport. A server that does not answer Sleep with its Bye is no error: the
    /// session is closed, the device may sleep.
    pub fn handle_timeout(&mut self, now: Tick) -> Result<(), Peer> {
        let late = match self.state {
            State::Idle | State::Closed => false,
            State::Leaving if !self.is_waiting() => {
                if now >= self.left_at() {
                    self.state = State::Closed;
                }
                return Ok(());
            }
            State::Hello | State::AwaitWelcome => now.since(self.hello.at) >= HANDSHAKE_MS,
            State::Live | State::Leaving => {
                let unanswered = self.out.ping_pending.is_some_and(|at| now.since(at) >= self.probe_after());
                now.since(self.last_heard) >= self.idle_limit() || unanswered
            }
        };
        if late {
            self.state = State::Closed;
            return Err(Peer::Silent);
        }
        self.lose_patience(now);
        if self.probe_at().is_some_and(|t| now >= t) && self.out.ping_pending.is_none() {
            self.out.ping = true;
        }
        Ok(())
    }

    pub(super) fn idle_limit(&self) -> u64 {
        self.ping_interval * 5 / 2
    }

    pub(super) fn probe_after(&self) -> u64 {
        self.rtt.saturating_mul(2).saturating_add(2_000)
    }

    /// Unacknowledged data, and nothing heard: ask whether the server is there (it answers even while its store is away).
    pub(super) fn probe_at(&self) -> Option<Tick> {
        if let Some(at) = self.out.ping_pending {
            return Some(at.plus(self.probe_after()));
        }
        (self.is_live() && self.is_waiting())
            .then(|| self.last_sent_data.max(self.last_heard).plus(self.probe_after()))
    }
    /// Whether something was sent that is not acknowledged.
    pub(super) fn is_waiting(&self) -> bool {
        self.lanes.iter().any(LaneLink::is_waiting)
    }
}
