//! Reading the store without loss, as it grows.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use sensock::{DeviceId, Lane, Position};
use sensock_store::{Cursor, FeedItem, History};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::shared::Shared;
use crate::tail::{Group, Part, Reader};

/// Records and gaps after a cursor, and then what comes: nothing is missed and nothing comes twice.
///
/// Order holds within a lane of a device. Keep [`Feed::cursor`] with what you made of the items, and begin there after a restart.
///
/// What this server commits while the feed keeps up is handed over in memory, alarms first; what is older, what other servers commit and
/// what a slow reader missed is read from the store.
#[derive(Debug)]
pub struct Feed<'h, H> {
    history: &'h H,
    /// `None`: all there are.
    devices: Option<Vec<DeviceId>>,
    wanted: BTreeSet<DeviceId>,
    cursor: Cursor,
    commits: watch::Receiver<u64>,
    reader: Reader,
    /// Groups whose alarms were returned, and the rest was not.
    unread: VecDeque<Group>,
    /// Something has to be read from the store.
    behind: bool,
    /// What was returned last was committed here: the store has its turn.
    was_live: bool,
    looks_at: Instant,
    poll: Duration,
}

/// Items that one call returns, about.
const LIMIT: usize = 1_000;
/// The same of what is handed over in memory.
const LIVE: usize = 4_096;

impl<'h, H: History> Feed<'h, H> {
    pub(crate) fn new(history: &'h H, devices: Option<&[DeviceId]>, cursor: Cursor, shared: &Shared) -> Self {
        Feed {
            history,
            devices: devices.map(<[DeviceId]>::to_vec),
            wanted: devices.unwrap_or_default().iter().copied().collect(),
            cursor,
            commits: shared.commits.subscribe(),
            reader: Reader::new(Arc::clone(&shared.tail)),
            unread: VecDeque::new(),
            behind: true,
            was_live: false,
            looks_at: Instant::now(),
            poll: shared.options.poll,
        }
    }

    /// The next items, at least one; waits until there are some. Items of other servers on the same store are seen within the polling interval
    /// (a second unless said).
    ///
    /// Cancel safe: if the future is dropped, the same items come again.
    ///
    /// # Errors
    /// The store's own; call it again when you like.
    pub async fn next(&mut self) -> Result<Vec<FeedItem>, H::Error> {
        loop {
            let items = self.now().await?;
            if !items.is_empty() {
                return Ok(items);
            }
            self.changed().await;
        }
    }

    /// The next items that are there already; none if all were returned. For readers that also have to do something when nothing comes.
    ///
    /// Cancel safe, as [`Feed::next`].
    ///
    /// # Errors
    /// As there.
    pub async fn now(&mut self) -> Result<Vec<FeedItem>, H::Error> {
        self.commits.mark_unchanged();
        let due = self.behind || Instant::now() >= self.looks_at;
        // What is live does not wait for more than one page of the past, nor the past for what is live.
        if !(due && self.was_live) {
            let items = self.live();
            if !items.is_empty() {
                self.was_live = true;
                return Ok(items);
            }
        }
        self.was_live = false;
        if !due && !self.behind {
            return Ok(Vec::new());
        }
        let looks_at = Instant::now() + self.poll;
        let (items, cursor, more) = match &self.devices {
            None => {
                let (items, cursor) = self.history.feed(&self.cursor, LIMIT).await?;
                let more = !items.is_empty();
                (items, cursor, more)
            }
            Some(devices) => {
                let page = self.history.feed_of(devices, &self.cursor, LIMIT).await?;
                (page.items, page.cursor, page.more)
            }
        };
        (self.cursor, self.behind, self.looks_at) = (cursor, more, looks_at);
        Ok(items)
    }

    /// Waits until this server has committed something since the last look, or until it is time to look for what others have. Cancel safe.
    pub async fn changed(&mut self) {
        if self.behind || !self.unread.is_empty() {
            return;
        }
        // An error means that the server has ended: others may still write.
        if let Ok(Err(_)) = timeout_at(self.looks_at, self.commits.changed()).await {
            tokio::time::sleep_until(self.looks_at).await;
        }
    }

    /// Everything up to here was returned.
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// Whether everything was returned that was stored at the last look.
    pub fn is_current(&self) -> bool {
        !self.behind && self.unread.is_empty()
    }

    /// What was committed here and joins on to the cursor: alarms of all of it, then the rest in order.
    fn live(&mut self) -> Vec<FeedItem> {
        let (groups, missed) = self.reader.unread();
        self.behind |= missed;
        let mut items = Vec::new();
        for part in groups.iter().flat_map(|group| group.iter()).filter(|p| p.lane.lane == Lane::Alarm) {
            self.take(part, &mut items);
        }
        self.unread.extend(groups);
        while items.len() < LIVE
            && let Some(group) = self.unread.pop_front()
        {
            group.iter().for_each(|part| self.take(part, &mut items));
        }
        items
    }

    fn take(&mut self, part: &Part, items: &mut Vec<FeedItem>) {
        if self.devices.is_some() && !self.wanted.contains(&part.lane.device) {
            return;
        }
        let after = self.cursor.lanes.get(&part.lane).copied().unwrap_or(Position::NONE);
        if after < part.before {
            self.behind = true;
        } else if after < part.mark {
            items.extend(part.items(after));
            self.cursor.lanes.insert(part.lane, part.mark);
        }
    }
}
