//! Deadlines.

use super::*;

impl Session<'_> {
    /// The next moment at which [`Session::handle_timeout`] and [`Session::poll_transmit`] have something to do.
    pub fn poll_timeout(&self) -> Option<Tick> {
        match self.state {
            State::Idle | State::Closed => None,
            State::Hello | State::AwaitWelcome => Some(self.hello.at.plus(HANDSHAKE_MS)),
            State::Leaving => Some(self.left_at()),
            State::Live => {
                let idle = self.last_heard.plus(self.idle_limit());
                let probe = self.probe_at();
                Some(probe.map_or(idle, |p| p.min(idle)))
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
            State::Leaving => {
                if now >= self.left_at() {
                    self.state = State::Closed;
                }
                return Ok(());
            }
            State::Hello | State::AwaitWelcome => now.since(self.hello.at) >= HANDSHAKE_MS,
            State::Live => {
                let unanswered = self.out.ping_pending.is_some_and(|at| now.since(at) >= self.probe_after());
                now.since(self.last_heard) >= self.idle_limit() || unanswered
            }
        };
        if late {
            self.state = State::Closed;
            return Err(Peer::Silent);
        }
        if self.probe_at().is_some_and(|t| now >= t) && self.out.ping_pending.is_none() {
            self.out.ping = true;
        }
        Ok(())
    }

    /// A device that said Sleep waits for the Bye this long.
    pub(super) fn left_at(&self) -> Tick {
        self.leaving.plus(self.rtt.saturating_mul(2).saturating_add(200))
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
        let waiting = self.lanes.iter().any(LaneLink::is_waiting);
        (self.state == State::Live && waiting)
            .then(|| self.last_sent_data.max(self.last_heard).plus(self.probe_after()))
    }
}
