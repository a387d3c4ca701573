//! Times without a connection, and the reason for each.

use sensock::wire::hello::End;
use sensock_store::ConnectionRow;

use super::Facts;

/// A time without a connection.
#[derive(Clone, Debug)]
pub(crate) struct Away<'a> {
    /// The connection before; none if there was none.
    pub(crate) before: Option<&'a ConnectionRow>,
    /// The connection after; none if the device is not back.
    pub(crate) after: Option<&'a ConnectionRow>,
    pub(crate) from_us: i64,
    /// When it was back, or now.
    pub(crate) to_us: i64,
    pub(crate) reason: Reason,
}

/// Why there was no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// It was never there before.
    First,
    /// It slept, as it had announced.
    Asleep,
    /// It was to wake and did not.
    Overslept,
    /// Another boot came back.
    Power,
    /// No device reached the server, or the server ended it.
    Server,
    /// The server turned it away.
    Refused,
    /// The same boot came back: its way to the server was broken.
    Network,
    /// It has not come back.
    NotBack,
}

impl Away<'_> {
    /// Dials that led to nothing, as the device counted.
    pub(crate) fn failed_dials(&self) -> u64 {
        self.after.map_or(0, |c| u64::from(c.account.dial_attempts).saturating_sub(1))
    }
}

impl Facts {
    /// Times without a connection that touch the span, in order.
    pub(crate) fn aways(&self) -> Vec<Away<'_>> {
        let mut aways = Vec::new();
        let end = self.span.to_us.min(self.now_us);
        match self.connections.first() {
            None => return aways,
            Some(first) if first.from_us > self.span.from_us => {
                aways.push(self.away(None, Some(first), self.span.from_us, first.from_us));
            }
            Some(_) => {}
        }
        for (before, after) in self.connections.iter().zip(self.connections.iter().skip(1)) {
            let from = left_us(before, Some(after));
            if from < after.from_us && from <= end && after.from_us >= self.span.from_us {
                aways.push(self.away(Some(before), Some(after), from, after.from_us));
            }
        }
        if let Some(last) = self.connections.last().filter(|c| c.to_us.is_some_and(|to| to < end)) {
            aways.push(self.away(Some(last), None, left_us(last, None), self.now_us));
        }
        aways
    }

    fn away<'a>(
        &self,
        before: Option<&'a ConnectionRow>,
        after: Option<&'a ConnectionRow>,
        from_us: i64,
        to_us: i64,
    ) -> Away<'a> {
        let reason = match (before, after) {
            (None, _) => Reason::First,
            (Some(b), None) => match b.asleep_until_us {
                Some(until) if until >= self.now_us => Reason::Asleep,
                Some(_) => Reason::Overslept,
                None => Reason::NotBack,
            },
            (Some(b), Some(a))
                if b.asleep_until_us.is_some_and(|until| a.from_us <= late_us(from_us, until)) =>
            {
                Reason::Asleep
            }
            (Some(b), Some(a)) if a.boot != b.boot => Reason::Power,
            (Some(b), Some(a)) if self.was_the_server(b, a, from_us) => Reason::Server,
            (_, Some(a)) if End::from_number(a.account.last_end) == End::Refused => Reason::Refused,
            (Some(b), _) if b.asleep_until_us.is_some() => Reason::Overslept,
            _ => Reason::Network,
        };
        Away { before, after, from_us, to_us, reason }
    }

    /// Whether the server was the one who was away: it said so, or another run of it came back and nobody reached it meanwhile.
    fn was_the_server(&self, before: &ConnectionRow, after: &ConnectionRow, from_us: i64) -> bool {
        if End::from_number(after.account.last_end) == End::Bye {
            return true;
        }
        let middle = from_us + (after.from_us - from_us) / 2;
        let mut others = self.others.iter().filter(|c| c.server == before.server || c.server == after.server);
        let reached = others.any(|c| c.from_us <= middle && c.to_us.is_some_and(|to| to >= middle));
        before.server != after.server && !reached
    }

    /// How many other devices were connected before, and how many of them were away too, in the middle of this time.
    pub(crate) fn others_away(&self, away: &Away<'_>) -> (u64, u64) {
        let middle = away.from_us + (away.to_us - away.from_us) / 2;
        let mut devices: Vec<_> =
            self.others.iter().filter(|c| c.from_us < away.from_us).map(|c| c.device).collect();
        devices.sort_unstable();
        devices.dedup();
        let on = |device| {
            let theirs = self.others.iter().filter(|c| c.device == device);
            let mut ends: Vec<_> = theirs.collect();
            ends.sort_by_key(|c| c.from_us);
            let next = |i: usize| ends.get(i + 1).copied();
            ends.iter()
                .enumerate()
                .any(|(i, c)| c.from_us <= middle && left_at(c, next(i)).is_none_or(|t| t > middle))
        };
        let total = devices.len() as u64;
        (total, devices.into_iter().filter(|d| !on(*d)).count() as u64)
    }
}

/// When a connection was last of use. The server may have learned it late (nothing came for too long), and a server that died
/// learned nothing: the device's account at its next Hello says for how long it had none.
fn left_us(c: &ConnectionRow, next: Option<&ConnectionRow>) -> i64 {
    left_at(c, next).unwrap_or(i64::MAX)
}

fn left_at(c: &ConnectionRow, next: Option<&ConnectionRow>) -> Option<i64> {
    let told = next.filter(|n| n.boot == c.boot && n.account.offline_ms > 0);
    let told = told.map(|n| n.from_us - i64::from(n.account.offline_ms) * 1_000);
    let left = match (c.to_us, told) {
        (Some(to), Some(told)) => Some(to.min(told)),
        (Some(to), None) => Some(to),
        (None, told) => told.or(next.map(|n| n.from_us)),
    };
    left.map(|at| at.max(c.from_us))
}

/// A sleeper may wake a tenth of its time and half a minute late before it is missed.
fn late_us(from_us: i64, until_us: i64) -> i64 {
    until_us + (until_us - from_us).max(0) / 10 + 30_000_000
}
