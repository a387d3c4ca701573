//! What a server bounds, and how badly an address behaves.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::inbox::lock;

/// Limits of a server; each acts by refusing with a reason or by withholding credit, never by dropping what was accepted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Connections at once. More are refused as busy. 16,384 unless said.
    pub connections: usize,
    /// Handshakes of one address (IPv6: one /64) that failed within the last minute or hang for more than 5 s. One that succeeds makes up for
    /// eight that failed: devices on a bad line are no strangers. 64 unless said.
    pub bad_handshakes: usize,
    /// Connections at once that are still agreeing on their transport (TLS, WebSocket: [`Server::serve_through`](crate::Server::serve_through)).
    /// More are closed. 1,024 unless said.
    pub agreeing: usize,
    /// Handshakes of one address (IPv6: one /64) under way at once, from their first frame to the proof that the device is live. More are refused
    /// as busy. 1,024 unless said.
    pub handshakes: usize,
    /// Bytes of records that one device may have stored in a day (UTC), as its frames count them. Beyond them neither credit nor
    /// acknowledgement goes out until midnight, so the device keeps its records; [`Event::Quota`](crate::Event::Quota) says so. Alarms, replies and
    /// decisions have a quarter more. 0, which is what holds unless said, is no quota: a device that was away for weeks delivers all that it kept.
    /// Each server counts alone, from its start on.
    pub daily_bytes: u64,
    /// The largest frame that is taken, in bytes: 256 to 16,383. 4,096 unless said.
    pub frame: u16,
    /// Events that a reader may be behind before it misses some. 1,024 unless said.
    pub events: usize,
    /// Memory for records that wait for the store, in bytes; credit is granted accordingly. 64 MiB unless said.
    pub memory: usize,
    /// Rows in one transaction, about. 8,192 unless said.
    pub group_rows: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 16_384,
            bad_handshakes: 64,
            agreeing: 1_024,
            handshakes: 1_024,
            daily_bytes: 0,
            frame: sensock::limits::FRAME_DEFAULT as u16,
            events: 1_024,
            memory: 64 << 20,
            group_rows: 8_192,
        }
    }
}

/// After so long an unfinished handshake counts against its address.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
const WINDOW: Duration = Duration::from_secs(60);
const ADDRESSES_MAX: usize = 4_096;
/// So many failed handshakes are forgotten for one that succeeds: what breaks the connections of a bad line breaks handshakes too, and whoever can
/// prove who it is may connect as often as it likes anyway.
const FORGIVEN: usize = 8;

/// Handshakes that went wrong, by address.
#[derive(Debug, Default)]
pub(crate) struct Offenders {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    addresses: HashMap<IpAddr, Record>,
    /// When room was last made: a crowd of addresses does not have the whole table looked through for each of them.
    tidied: Option<Instant>,
}

#[derive(Debug)]
struct Record {
    failed: usize,
    hanging: usize,
    since: Instant,
    /// Somebody was told that it is turned away.
    told: bool,
}

/// Whether an address may begin another handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It may.
    In,
    /// Too many of its handshakes failed; `news` the first time within a minute.
    Away { news: bool },
}

impl Offenders {
    /// Whether this address may begin another handshake.
    pub(crate) fn turn(&self, ip: IpAddr, max: usize) -> Turn {
        let mut table = lock(&self.table);
        let Some(record) = table.addresses.get_mut(&network(ip)) else { return Turn::In };
        if record.since.elapsed() > WINDOW {
            (record.failed, record.since, record.told) = (0, Instant::now(), false);
        }
        match record.failed + record.hanging < max {
            true => Turn::In,
            false => Turn::Away { news: !std::mem::replace(&mut record.told, true) },
        }
    }

    pub(crate) fn failed(&self, ip: IpAddr) {
        self.change(ip, |r| r.failed += 1);
    }

    pub(crate) fn proved(&self, ip: IpAddr) {
        if let Some(record) = lock(&self.table).addresses.get_mut(&network(ip)) {
            record.failed = record.failed.saturating_sub(FORGIVEN);
        }
    }

    pub(crate) fn hangs(&self, ip: IpAddr) {
        self.change(ip, |r| r.hanging += 1);
    }

    pub(crate) fn hangs_no_more(&self, ip: IpAddr) {
        self.change(ip, |r| r.hanging = r.hanging.saturating_sub(1));
    }

    fn change(&self, ip: IpAddr, f: impl FnOnce(&mut Record)) {
        let Table { addresses, tidied } = &mut *lock(&self.table);
        if addresses.len() >= ADDRESSES_MAX && tidied.is_none_or(|at| at.elapsed() >= Duration::from_secs(1))
        {
            *tidied = Some(Instant::now());
            addresses.retain(|_, r| r.hanging > 0 || r.since.elapsed() <= WINDOW);
        }
        if addresses.len() < ADDRESSES_MAX || addresses.contains_key(&network(ip)) {
            f(addresses.entry(network(ip)).or_insert(Record {
                failed: 0,
                hanging: 0,
                since: Instant::now(),
                told: false,
            }));
        }
    }
}

/// An IPv6 /64 is one customer.
pub(crate) fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        },
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_what_went_wrong_counts_and_it_is_forgotten() {
        let (offenders, ip) = (Offenders::default(), "2001:db8::1".parse().unwrap());
        let neighbour = "2001:db8::ffff".parse().unwrap();
        for _ in 0..3 {
            offenders.failed(neighbour);
        }
        assert_eq!(offenders.turn("2001:db8:0:1::1".parse().unwrap(), 3), Turn::In);
        assert_eq!(offenders.turn(ip, 3), Turn::Away { news: true });
        assert_eq!(offenders.turn(ip, 3), Turn::Away { news: false }, "once a minute is enough");
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(offenders.turn(ip, 3), Turn::In);
        offenders.hangs(ip);
        assert_eq!(offenders.turn(ip, 1), Turn::Away { news: true });
        offenders.hangs_no_more(ip);
        assert_eq!(offenders.turn(ip, 1), Turn::In);
    }

    #[test]
    fn a_bad_line_with_a_device_on_it_stays_welcome_and_a_stranger_does_not() {
        let (offenders, line, stranger) =
            (Offenders::default(), "192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for n in 0..1_000 {
            assert_eq!(offenders.turn(line, 64), Turn::In);
            assert_eq!(offenders.turn(stranger, 64) == Turn::In, n < 64, "{n}");
            [line, stranger].iter().for_each(|ip| offenders.failed(*ip));
            if n % 8 == 7 {
                offenders.proved(line);
            }
        }
    }
}
