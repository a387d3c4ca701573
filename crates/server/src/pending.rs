//! Handshakes whose first frame was read and whose device did not prove itself yet: what strangers can make a server spend.
//!
//! A first message that does not open costs a few thousand instructions and is forgotten. One that opens is of a device, or a replay of one: the
//! server multiplies twice on the curve, asks the store, and keeps the attempt until it is proved. So this is what is counted.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use sensock::seal::KeyId;
use tokio_util::sync::CancellationToken;

use crate::inbox::lock;
use crate::limits::network;

/// Attempts that there is room for when there are none.
const ROOM: usize = 64;

/// Attempts under way, by address.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    addresses: HashMap<IpAddr, usize>,
    /// One of each key and address: the newest.
    keys: HashMap<(KeyId, IpAddr), (u64, CancellationToken)>,
    next: u64,
}

impl Pending {
    /// Begins an attempt; `None` if the address has `max` already. One of the same key from the same address is given up for it: a device
    /// that dials again has lost the connection that it dialled before, whatever the server still sees of it.
    pub(crate) fn begin(
        &self,
        ip: IpAddr,
        key: Option<KeyId>,
        max: usize,
        superseded: &CancellationToken,
    ) -> Option<Turn<'_>> {
        let (ip, mut table) = (network(ip), lock(&self.table));
        let count = table.addresses.entry(ip).or_insert(0);
        if *count >= max {
            return None;
        }
        *count += 1;
        table.next += 1;
        let number = table.next;
        if let Some(key) = key
            && let Some((_, older)) = table.keys.insert((key, ip), (number, superseded.clone()))
        {
            older.cancel();
        }
        Some(Turn { pending: self, ip, key, number })
    }

    #[cfg(test)]
    fn len(&self) -> (usize, usize) {
        let table = lock(&self.table);
        (table.addresses.len(), table.keys.len())
    }
}

/// One attempt, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pending: &'a Pending,
    ip: IpAddr,
    key: Option<KeyId>,
    number: u64,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut table = lock(&self.pending.table);
        if let Some(count) = table.addresses.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                table.addresses.remove(&self.ip);
            }
        }
        if let Some(key) = self.key
            && table.keys.get(&(key, self.ip)).is_some_and(|(number, _)| *number == self.number)
        {
            table.keys.remove(&(key, self.ip));
            if table.keys.is_empty() {
                // A crowd has left room for all of it.
                table.keys.shrink_to(ROOM);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_a_key_and_address_goes_on_and_nothing_is_kept_of_what_is_over() {
        let pending = Pending::default();
        let (here, there) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let key = Some(KeyId([1; 8]));
        let tokens: Vec<_> = (0..4).map(|_| CancellationToken::new()).collect();
        let first = pending.begin(here, key, 9, &tokens[0]).unwrap();
        let elsewhere = pending.begin(there, key, 9, &tokens[1]).unwrap();
        let other = pending.begin(here, Some(KeyId([2; 8])), 9, &tokens[2]).unwrap();
        assert!(tokens.iter().all(|t| !t.is_cancelled()));
        let second = pending.begin(here, key, 9, &tokens[3]).unwrap();
        let cancelled: Vec<_> = tokens.iter().map(CancellationToken::is_cancelled).collect();
        assert_eq!(cancelled, [true, false, false, false], "of another address or key it says nothing");
        drop(first);
        assert_eq!(pending.len(), (2, 3), "the older one takes nothing of the newer one's away");
        drop((elsewhere, other, second));
        assert_eq!(pending.len(), (0, 0));
    }

    #[test]
    fn an_address_has_so_many_and_no_more() {
        let pending = Pending::default();
        let (ip, token) = ("2001:db8::1".parse().unwrap(), CancellationToken::new());
        let turns: Vec<_> = (0..3).filter_map(|_| pending.begin(ip, None, 3, &token)).collect();
        let neighbour = "2001:db8::2".parse().unwrap();
        assert!(turns.len() == 3 && pending.begin(neighbour, None, 3, &token).is_none());
        assert!(pending.begin("2001:db8:1::1".parse().unwrap(), None, 3, &token).is_some());
        drop(turns);
        assert!(pending.begin(neighbour, None, 3, &token).is_some());
    }
}
