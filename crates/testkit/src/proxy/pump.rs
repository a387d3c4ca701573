//! One direction of one connection: reads at the line's rate, writes after its delay.

use super::line::{Flow, Line, Way};
use super::relay::{Ending, State};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::{OwnedWriteHalf, ReadHalf, WriteHalf};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// How late a timer may be without slowing the line down: bytes that waited for their turn have it from when the line was free.
const LATE: Duration = Duration::from_millis(5);

/// How a direction came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// The sender closed in good order, and the receiver has been told.
    End,
    /// The proxy closes both ends in good order.
    Close,
    /// One of the two went away.
    Reset,
}

enum Parcel {
    Bytes(Vec<u8>),
    End,
    Close,
    Reset,
}

/// The bytes between the reading and the writing half.
#[derive(Default)]
struct Inside {
    bytes: AtomicUsize,
    left: Notify,
}

/// One direction of the connection with this number.
#[derive(Clone, Copy)]
pub(super) struct Connection<'a> {
    pub(super) way: Way,
    pub(super) number: u64,
    pub(super) state: &'a watch::Sender<State>,
    /// Directions whose end was swallowed.
    pub(super) held: &'a watch::Sender<usize>,
}

impl Connection<'_> {
    fn line(&self, state: &State) -> Line {
        state.line(self.way, self.number)
    }
}

/// What `twin` is given it may refuse, and is then left alone.
pub(super) async fn pump(
    connection: Connection<'_>,
    from: ReadHalf<'_>,
    to: WriteHalf<'_>,
    twin: Option<OwnedWriteHalf>,
) -> Arrived {
    let inside = Inside::default();
    let (sender, parcels) = mpsc::unbounded_channel();
    let reading =
        Reading { from, changes: connection.state.subscribe(), connection, inside: &inside, sender };
    let writing = write(connection, to, twin, parcels, &inside);
    // The reading half ends before the last parcel is delivered; only the writing half knows the outcome.
    let (mut reading, mut writing) = (std::pin::pin!(reading.run()), std::pin::pin!(writing));
    tokio::select! {
        () = &mut reading => writing.await,
        arrived = &mut writing => arrived,
    }
}

struct Reading<'a> {
    from: ReadHalf<'a>,
    changes: watch::Receiver<State>,
    connection: Connection<'a>,
    inside: &'a Inside,
    sender: mpsc::UnboundedSender<(Instant, Parcel)>,
}

impl Reading<'_> {
    async fn run(mut self) {
        let mut free_at = Instant::now();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let line = self.unless(|line| line.flow == Flow::Stall).await;
            let (piece, room) = {
                let state = self.connection.state.borrow();
                (line.piece(state.buffer), line.room(state.buffer))
            };
            let got = tokio::select! {
                biased;
                _ = self.line_differs_from(line) => continue,
                got = self.take(&mut buffer[..piece], room, free_at) => got,
            };
            // The line may have changed while the bytes came in.
            let line = self.unless(|line| line.flow == Flow::Stall).await;
            let parcel = match got {
                Ok((n, waited)) if n > 0 => {
                    if line.flow == Flow::Swallow {
                        continue;
                    }
                    let now = Instant::now();
                    let in_turn = waited && now < free_at + LATE;
                    let begun = if in_turn { free_at } else { free_at.max(now) };
                    free_at = begun + line.occupied_by(n);
                    self.inside.bytes.fetch_add(n, Ordering::Relaxed);
                    Parcel::Bytes(buffer[..n].to_vec())
                }
                Ok(_) => Parcel::End,
                Err(_) => Parcel::Reset,
            };
            let last = !matches!(parcel, Parcel::Bytes(_));
            if last && line.flow == Flow::Swallow {
                self.connection.held.send_modify(|held| *held += 1);
            }
            let line = if last { self.unless(|line| line.flow != Flow::Pass).await } else { line };
            let at = free_at.max(Instant::now()) + line.delay;
            let (parcel, burnt) = self.burn(parcel);
            if self.sender.send((at, parcel)).is_err() {
                return;
            }
            if let Some(ending) = burnt {
                let end = if ending == Ending::Reset { Parcel::Reset } else { Parcel::Close };
                // The writing half has gone, or goes on receipt.
                let _gone = self.sender.send((at, end));
            }
            if last || burnt.is_some() {
                return;
            }
        }
    }

    /// Waits until the line is not `excluded`.
    async fn unless(&mut self, excluded: impl Fn(&Line) -> bool) -> Line {
        let connection = self.connection;
        let line = self.changes.wait_for(|state| !excluded(&connection.line(state))).await;
        let line = line.map(|state| connection.line(&state));
        // An error cannot occur: the connection has the sender, and it lives.
        line.unwrap_or_default()
    }

    async fn line_differs_from(&self, line: Line) {
        let mut changes = self.changes.clone();
        let _differs = changes.wait_for(|state| self.connection.line(state) != line).await;
    }

    /// Takes bytes once the line is free, and says whether they waited for that. Cancel safe: only its last step takes bytes, and that step is.
    async fn take(&self, buffer: &mut [u8], room: usize, free_at: Instant) -> std::io::Result<(usize, bool)> {
        sleep_until(free_at).await;
        while self.inside.bytes.load(Ordering::Relaxed) + buffer.len() > room.max(buffer.len()) {
            self.inside.left.notified().await;
        }
        let mut waited = true;
        loop {
            match self.from.try_read(buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => self.from.readable().await?,
                got => return got.map(|n| (n, waited)),
            }
            waited = false;
        }
    }

    /// Cuts the parcel where the fuse ends.
    fn burn(&self, parcel: Parcel) -> (Parcel, Option<Ending>) {
        let Parcel::Bytes(mut bytes) = parcel else { return (parcel, None) };
        let mut passing = None;
        self.connection.state.send_if_modified(|state| {
            passing = state.burn(self.connection.way, bytes.len());
            passing.is_some()
        });
        match passing {
            Some((n, ending)) => {
                bytes.truncate(n);
                (Parcel::Bytes(bytes), Some(ending))
            }
            None => (Parcel::Bytes(bytes), None),
        }
    }
}

async fn write(
    connection: Connection<'_>,
    mut to: WriteHalf<'_>,
    mut twin: Option<OwnedWriteHalf>,
    mut parcels: mpsc::UnboundedReceiver<(Instant, Parcel)>,
    inside: &Inside,
) -> Arrived {
    while let Some((at, parcel)) = parcels.recv().await {
        sleep_until(at).await;
        match parcel {
            Parcel::Bytes(bytes) => {
                if to.write_all(&bytes).await.is_err() {
                    return Arrived::Reset;
                }
                if let Some(copy) = &mut twin
                    && copy.write_all(&bytes).await.is_err()
                {
                    twin = None;
                }
                inside.bytes.fetch_sub(bytes.len(), Ordering::Relaxed);
                inside.left.notify_one();
                let carried = bytes.len() as u64;
                connection.state.send_modify(|state| state.carried[connection.way as usize] += carried);
            }
            Parcel::End => {
                return if to.shutdown().await.is_ok() { Arrived::End } else { Arrived::Reset };
            }
            Parcel::Reset => return Arrived::Reset,
            Parcel::Close => return Arrived::Close,
        }
    }
    Arrived::Reset
}
