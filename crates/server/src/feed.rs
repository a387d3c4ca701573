//! Reading the store without loss, as it grows.

use std::time::Duration;

use sensock_store::{Cursor, FeedItem, History};
use tokio::sync::watch;

/// Records and gaps after a cursor, and then what comes: nothing is missed and nothing comes twice.
///
/// Order holds within a lane of a device. Keep [`Feed::cursor`] with what you made of the items, and begin there after a restart.
#[derive(Debug)]
pub struct Feed<'h, H> {
    history: &'h H,
    cursor: Cursor,
    commits: watch::Receiver<u64>,
    poll: Duration,
}

/// Items that one call returns, about.
const LIMIT: usize = 1_000;

impl<'h, H: History> Feed<'h, H> {
    pub(crate) fn new(history: &'h H, cursor: Cursor, commits: watch::Receiver<u64>, poll: Duration) -> Self {
        Feed { history, cursor, commits, poll }
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
        let (items, cursor) = self.history.feed(&self.cursor, LIMIT).await?;
        self.cursor = cursor;
        Ok(items)
    }

    /// Waits until this server has committed something since the last look, or until it is time to look for what others have. Cancel safe.
    pub async fn changed(&mut self) {
        // An error means that the server has ended: others may still write.
        if let Ok(Err(_)) = tokio::time::timeout(self.poll, self.commits.changed()).await {
            tokio::time::sleep(self.poll).await;
        }
    }

    /// Everything up to here was returned.
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }
}
