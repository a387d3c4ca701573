//! Liveness: once faults stop, everything comes to rest, and at rest everything is stored.
//!
//! A check for "eventually" along paths would miss runs that join others. So the claim is split into two that hold for each state alone:
//! a state in which nothing goes on by itself is settled ([`State::is_settled`]), and from every state *every* order of the steps that go
//! on by themselves ends after a bounded number of them. The second is computed here: the length of the longest such run, remembered per
//! state; a run that comes back to a state of its own is one that never ends.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::scope::Bug;
use crate::state::State;

const SHARDS: usize = 64;
type Shard = HashMap<u64, u16, BuildHasherDefault<Same>>;

/// The longest way to rest of every state that was asked for.
#[derive(Debug)]
pub struct Calm {
    shards: Vec<Mutex<Shard>>,
}

impl Default for Calm {
    fn default() -> Self {
        Calm { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl Calm {
    /// How many steps it takes at most until nothing goes on by itself; `None` if it may never come to that.
    pub fn longest(&self, state: &State, bug: Option<Bug>) -> Option<u16> {
        self.walk(state, bug, &mut Vec::new())
    }

    fn walk(&self, state: &State, bug: Option<Bug>, way: &mut Vec<u64>) -> Option<u16> {
        let key = BuildHasherDefault::<DefaultHasher>::default().hash_one(state);
        if let Some(known) = self.shard(key).get(&key) {
            return Some(*known);
        }
        if way.contains(&key) {
            return None;
        }
        way.push(key);
        let mut actions = Vec::new();
        state.progress(bug, &mut actions);
        let mut longest = 0;
        for action in actions {
            longest = longest.max(self.walk(&state.then(action, bug), bug, way)? + 1);
        }
        way.pop();
        self.shard(key).insert(key, longest);
        Some(longest)
    }

    /// The longest of all.
    pub fn height(&self) -> u16 {
        self.shards.iter().filter_map(|s| locked(s).values().max().copied()).max().unwrap_or(0)
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, Shard> {
        locked(&self.shards[key as usize % SHARDS])
    }
}

/// What a panic elsewhere leaves behind is whole: one insertion.
fn locked(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keys are hashes already.
#[derive(Debug, Default)]
struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {}
    fn write_u64(&mut self, key: u64) {
        self.0 = key.rotate_left(20);
    }
}

/// The fingerprint of a state, for those who keep sets of them.
pub fn fingerprint(state: &impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(state)
}
