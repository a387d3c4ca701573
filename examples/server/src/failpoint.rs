//! Where a crash test kills the server: nothing of this happens unless the environment asks for it.
//!
//! `SENSOCK_FAILPOINT` names the place, `SENSOCK_FAIL_AFTER` (1 unless said) the how-manieth time; the process then aborts, as if its
//! power had been cut. Only transactions that carry readings count.
//!
//! | name             | where                                                                     |
//! |------------------|---------------------------------------------------------------------------|
//! | `before-begin`   | records have arrived, no transaction has begun                            |
//! | `in-transaction` | rows are written, nothing is committed                                    |
//! | `after-commit`   | the commit has returned, no acknowledgement has left                      |
//! | `after-ack`      | the bytes of an acknowledgement were handed to the system                 |

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};

use anyhow::{Result, bail};
use sensock::deframe::{PREFACE, read_prefix};
use sensock::limits::FRAME_HARD_MAX;
use sensock::wire::header::{Header, Kind};
use sensock::{DeviceId, Lane, Position};
use sensock_store::{Batch, Failure, LaneId, Resume, Store, StoreInfo, Transaction};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::show::words::nearest;

/// A place to die, and how often it is still passed.
#[derive(Clone, Debug, Default)]
pub(crate) struct FailPoint {
    armed: Option<(Place, Arc<AtomicI64>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    BeforeBegin,
    InTransaction,
    AfterCommit,
    AfterAck,
}

const PLACES: [(&str, Place); 4] = [
    ("before-begin", Place::BeforeBegin),
    ("in-transaction", Place::InTransaction),
    ("after-commit", Place::AfterCommit),
    ("after-ack", Place::AfterAck),
];

impl FailPoint {
    /// What the environment asks for.
    pub(crate) fn from_env() -> Result<Self> {
        let var = |name| std::env::var(name).ok();
        Self::named(var("SENSOCK_FAILPOINT").as_deref(), var("SENSOCK_FAIL_AFTER").as_deref())
    }

    fn named(name: Option<&str>, after: Option<&str>) -> Result<Self> {
        let Some(name) = name else { return Ok(Self::default()) };
        let Some((_, place)) = PLACES.iter().find(|(n, _)| *n == name) else {
            let names = PLACES.map(|(n, _)| n);
            let meant = nearest(name, names).map_or_else(|| names.join(", "), str::to_owned);
            bail!("SENSOCK_FAILPOINT is \"{name}\": expected {meant}");
        };
        let Ok(after @ 1..) = after.unwrap_or("1").parse::<i64>() else {
            bail!("SENSOCK_FAIL_AFTER is {after:?}: expected a whole number above 0");
        };
        Ok(Self { armed: Some((*place, Arc::new(AtomicI64::new(after)))) })
    }

    /// Whether there is one.
    pub(crate) fn is_armed(&self) -> bool {
        self.armed.is_some()
    }

    /// Dies here if this is the place and the time.
    fn pass(&self, place: Place) {
        if self.hits(place) {
            std::process::abort();
        }
    }

    fn hits(&self, place: Place) -> bool {
        match &self.armed {
            Some((armed, left)) if *armed == place => left.fetch_sub(1, Ordering::SeqCst) == 1,
            _ => false,
        }
    }
}

/// A store that may die in a transaction.
#[derive(Clone)]
pub(crate) struct FailStore<S> {
    pub(crate) store: S,
    pub(crate) point: FailPoint,
}

/// A transaction of it.
pub(crate) struct FailTx<T> {
    tx: T,
    point: FailPoint,
    has_readings: bool,
}

impl<S: Store> Store for FailStore<S> {
    type Error = S::Error;
    type Tx = FailTx<S::Tx>;

    async fn info(&self) -> Result<StoreInfo, S::Error> {
        self.store.info().await
    }

    async fn load(&self, device: &DeviceId) -> Result<Resume, S::Error> {
        self.store.load(device).await
    }

    async fn load_all(&self, devices: &[DeviceId]) -> Result<Vec<Resume>, S::Error> {
        self.store.load_all(devices).await
    }

    async fn begin(&self, lanes: &[LaneId]) -> Result<(Self::Tx, Vec<Position>), S::Error> {
        // A Hello locks all lanes of its device; readings that come lock theirs alone.
        let alarm_too = |device| lanes.contains(&LaneId { device, lane: Lane::Alarm });
        if lanes.iter().any(|l| l.lane == Lane::Readings && !alarm_too(l.device)) {
            self.point.pass(Place::BeforeBegin);
        }
        let (tx, marks) = self.store.begin(lanes).await?;
        Ok((FailTx { tx, point: self.point.clone(), has_readings: false }, marks))
    }

    fn writers(&self) -> usize {
        self.store.writers()
    }

    fn failure(&self, error: &S::Error) -> Failure {
        self.store.failure(error)
    }
}

impl<T: Transaction> Transaction for FailTx<T> {
    type Error = T::Error;

    async fn load(&mut self, device: &DeviceId) -> Result<Resume, T::Error> {
        self.tx.load(device).await
    }

    async fn load_all(&mut self, devices: &[DeviceId]) -> Result<Vec<Resume>, T::Error> {
        self.tx.load_all(devices).await
    }

    async fn write(&mut self, batch: &Batch) -> Result<(), T::Error> {
        self.tx.write(batch).await?;
        if !batch.readings.is_empty() {
            self.has_readings = true;
            self.point.pass(Place::InTransaction);
        }
        Ok(())
    }

    async fn commit(self) -> Result<(), T::Error> {
        self.tx.commit().await?;
        if self.has_readings {
            self.point.pass(Place::AfterCommit);
        }
        Ok(())
    }
}

/// A connection that may die behind an acknowledgement.
pub(crate) struct FailIo<I> {
    io: I,
    point: FailPoint,
    sent: Watch,
}

impl<I> FailIo<I> {
    /// Watches what goes out.
    pub(crate) fn new(io: I, point: FailPoint) -> Self {
        Self { io, point, sent: Watch { skip: PREFACE.len(), prefix: Vec::new() } }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for FailIo<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for FailIo<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        if let Poll::Ready(Ok(n)) = &written {
            for _ in 0..self.sent.acks(&buf[..*n]) {
                self.point.pass(Place::AfterAck);
            }
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Finds frames in what is sent.
struct Watch {
    skip: usize,
    prefix: Vec<u8>,
}

impl Watch {
    /// How many acknowledgements begin in these bytes.
    fn acks(&mut self, bytes: &[u8]) -> usize {
        let mut acks = 0;
        for byte in bytes {
            if self.skip > 0 {
                self.skip -= 1;
                continue;
            }
            self.prefix.push(*byte);
            // The length, then the header byte: the rest of the frame is passed over.
            if let Ok(Some((used, len))) = read_prefix(&self.prefix, FRAME_HARD_MAX)
                && self.prefix.len() > used
            {
                acks += usize::from(Header::parse(*byte).is_ok_and(|h| h.kind == Some(Kind::Ack)));
                self.skip = len - 1;
                self.prefix.clear();
            }
        }
        acks
    }
}

#[cfg(test)]
mod tests {
    use sensock_store::MemoryStore;

    use super::*;

    #[test]
    fn a_place_is_hit_once_and_at_its_time() {
        let point = FailPoint::named(Some("after-commit"), Some("2")).unwrap();
        let hits = [Place::AfterCommit, Place::BeforeBegin, Place::AfterCommit, Place::AfterCommit];
        assert_eq!(hits.map(|p| point.hits(p)), [false, false, true, false]);
        assert!(!FailPoint::named(None, None).unwrap().is_armed());
        let wrong = FailPoint::named(Some("after-comit"), None).unwrap_err().to_string();
        assert_eq!(wrong, "SENSOCK_FAILPOINT is \"after-comit\": expected after-commit");
        assert!(FailPoint::named(Some("after-ack"), Some("0")).is_err());
    }

    /// A store that does more than it must: it looks devices up together, and takes several transactions.
    #[derive(Clone)]
    struct Able(MemoryStore);

    struct AbleTx(<MemoryStore as Store>::Tx);

    type Failed = <MemoryStore as Store>::Error;

    impl Store for Able {
        type Error = Failed;
        type Tx = AbleTx;

        async fn info(&self) -> Result<StoreInfo, Failed> {
            self.0.info().await
        }

        async fn load(&self, _: &DeviceId) -> Result<Resume, Failed> {
            panic!("one at a time")
        }

        async fn load_all(&self, devices: &[DeviceId]) -> Result<Vec<Resume>, Failed> {
            self.0.load_all(devices).await
        }

        async fn begin(&self, lanes: &[LaneId]) -> Result<(AbleTx, Vec<Position>), Failed> {
            self.0.begin(lanes).await.map(|(tx, marks)| (AbleTx(tx), marks))
        }

        fn writers(&self) -> usize {
            7
        }

        fn failure(&self, error: &Failed) -> Failure {
            self.0.failure(error)
        }
    }

    impl Transaction for AbleTx {
        type Error = Failed;

        async fn load(&mut self, _: &DeviceId) -> Result<Resume, Failed> {
            panic!("one at a time")
        }

        async fn load_all(&mut self, devices: &[DeviceId]) -> Result<Vec<Resume>, Failed> {
            self.0.load_all(devices).await
        }

        async fn write(&mut self, batch: &Batch) -> Result<(), Failed> {
            self.0.write(batch).await
        }

        async fn commit(self) -> Result<(), Failed> {
            self.0.commit().await
        }
    }

    #[tokio::test]
    async fn what_the_store_does_better_than_it_must_is_passed_on() {
        let store = FailStore { store: Able(MemoryStore::default()), point: FailPoint::default() };
        let devices = ["a", "b"].map(|name| DeviceId::new(name).unwrap());
        assert_eq!(store.load_all(&devices).await.unwrap().len(), 2);
        let (mut tx, _) = store.begin(&[]).await.unwrap();
        assert_eq!(tx.load_all(&devices).await.unwrap().len(), 2);
        assert_eq!(store.writers(), 7);
    }

    #[test]
    fn acknowledgements_are_found_however_the_bytes_are_cut() {
        let ack = Kind::Ack as u8;
        let mut sent = PREFACE.to_vec();
        sent.extend([3, ack, ack, ack, 1, Kind::Ping as u8, 1, ack]);
        sent.extend([0x80 | 0x48, 1]);
        sent.push(Kind::Call as u8);
        sent.extend([ack; 199]);
        sent.extend([2, ack, 0]);
        for chunk in 1..sent.len() {
            let mut watch = Watch { skip: PREFACE.len(), prefix: Vec::new() };
            assert_eq!(sent.chunks(chunk).map(|c| watch.acks(c)).sum::<usize>(), 3, "chunks of {chunk}");
        }
    }
}
