//! Looking devices up in the store, many at once: those that ask while others are being looked up go together next.
//!
//! A fleet that comes back after a restart asks for ten thousand devices within a second; one query each would make it wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use sensock::DeviceId;
use sensock_store::{Resume, Store};
use tokio::sync::oneshot;

use crate::inbox::lock;

/// What the store says of a device, or why it says nothing.
pub(crate) type Answer = Result<Resume, String>;

/// Groups that are looked up at the same time.
const READERS: usize = 2;
/// Devices in one group.
const GROUP: usize = 64;

/// Devices that wait to be looked up.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: Vec<(DeviceId, oneshot::Sender<Answer>)>,
    readers: usize,
}

impl Lookup {
    /// Looks a device up. Dropped, it is forgotten.
    pub(crate) async fn load<S: Store>(self: &Arc<Self>, store: &S, device: DeviceId) -> Answer {
        let (answer, receiver) = oneshot::channel();
        let begin = {
            let mut inner = lock(&self.inner);
            inner.waiting.push((device, answer));
            let begin = inner.readers < READERS;
            inner.readers += usize::from(begin);
            begin
        };
        if begin {
            // A task of its own: whoever began it may go away while others wait.
            tokio::spawn(Reader { lookup: self.clone(), left: false }.run(store.clone()));
        }
        receiver.await.unwrap_or_else(|_| Err("the lookup was given up".to_owned()))
    }
}

/// Looks up group after group until nobody waits.
struct Reader {
    lookup: Arc<Lookup>,
    left: bool,
}

impl Reader {
    async fn run<S: Store>(mut self, store: S) {
        loop {
            // Whoever is ready to ask gets its turn first.
            tokio::task::yield_now().await;
            let group: Vec<_> = {
                let mut inner = lock(&self.lookup.inner);
                let n = inner.waiting.len().min(GROUP);
                if n == 0 {
                    // Under the lock: nobody finds a reader that has just decided to leave.
                    inner.readers -= 1;
                    // A crowd has left room for all of it.
                    inner.waiting.shrink_to(GROUP);
                    self.left = true;
                    return;
                }
                inner.waiting.drain(..n).collect()
            };
            answer(&store, group).await;
        }
    }
}

impl Drop for Reader {
    /// A store that panics takes one reader with it, not the right to have one.
    fn drop(&mut self) {
        if !self.left {
            lock(&self.lookup.inner).readers -= 1;
        }
    }
}

/// Looks up a group; if that fails, each alone, so that a device whose rows cannot be read holds up nobody else.
async fn answer<S: Store>(store: &S, mut group: Vec<(DeviceId, oneshot::Sender<Answer>)>) {
    group.retain(|(_, answer)| !answer.is_closed());
    let mut devices: Vec<DeviceId> = group.iter().map(|(device, _)| *device).collect();
    devices.sort_unstable();
    devices.dedup();
    if devices.len() > 1
        && let Ok(found) = store.load_all(&devices).await
    {
        let found: HashMap<DeviceId, Resume> = devices.into_iter().zip(found).collect();
        for (device, answer) in group {
            // Whoever went away has dropped its end.
            _ = answer
                .send(found.get(&device).cloned().ok_or_else(|| "the store left a device out".to_owned()));
        }
        return;
    }
    for (device, answer) in group {
        _ = answer.send(store.load(&device).await.map_err(|e| e.to_string()));
    }
}
