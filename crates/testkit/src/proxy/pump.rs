//! One direction of one connection: reads at the line's rate, writes after its delay.

use super::line::{Flow, Line, Way};
use super::relay::State;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// How a direction came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// The sender closed in good order, and the receiver has been told.
    End,
    /// One of the two went away.
    Reset,
}

enum Parcel {
    Bytes(Vec<u8>),
    End,
    Reset,
}

/// The bytes between the reading and the writing half.
#[derive(Default)]
struct Inside {
    bytes: AtomicUsize,
    left: Notify,
}

pub(super) async fn pump(
    way: Way,
    from: ReadHalf<'_>,
    to: WriteHalf<'_>,
    state: &watch::Sender<State>,
) -> Arrived {
    let inside = Inside::default();
    let (sender, parcels) = mpsc::unbounded_channel();
    let reading = Reading { way, from, changes: state.subscribe(), state, inside: &inside, sender };
    let writing = write(way, to, parcels, &inside, state);
    // The reading half ends before the last parcel is delivered; only the writing half knows the outcome.
    let (mut reading, mut writing) = (std::pin::pin!(reading.run()), std::pin::pin!(writing));
    tokio::select! {
        () = &mut reading => writing.await,
        arrived = &mut writing => arrived,
    }
}

struct Reading<'a> {
    way: Way,
    from: ReadHalf<'a>,
    changes: watch::Receiver<State>,
    state: &'a watch::Sender<State>,
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
                let state = self.state.borrow();
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
                Ok(n) if n > 0 => {
                    if line.flow == Flow::Swallow {
                        continue;
                    }
                    free_at = free_at.max(Instant::now()) + line.occupied_by(n);
                    self.inside.bytes.fetch_add(n, Ordering::Relaxed);
                    Parcel::Bytes(buffer[..n].to_vec())
                }
                Ok(_) => Parcel::End,
                Err(_) => Parcel::Reset,
            };
            let last = !matches!(parcel, Parcel::Bytes(_));
            let line = if last { self.unless(|line| line.flow != Flow::Pass).await } else { line };
            let at = free_at.max(Instant::now()) + line.delay;
            let (parcel, burnt) = self.burn(parcel);
            if self.sender.send((at, parcel)).is_err() {
                return;
            }
            if burnt {
                // The writing half has gone, or goes on receipt.
                let _gone = self.sender.send((at, Parcel::Reset));
            }
            if last || burnt {
                return;
            }
        }
    }

    /// Waits until the line is not `excluded`.
    async fn unless(&mut self, excluded: impl Fn(&Line) -> bool) -> Line {
        let way = self.way;
        let line =
            self.changes.wait_for(|state| !excluded(&state.line(way))).await.map(|state| state.line(way));
        // An error cannot occur: `self.state` is the sender, and it lives.
        line.unwrap_or_default()
    }

    async fn line_differs_from(&self, line: Line) {
        let way = self.way;
        let mut changes = self.changes.clone();
        let _differs = changes.wait_for(|state| state.line(way) != line).await;
    }

    /// Cancel safe: only its last step takes bytes, and that step is.
    async fn take(&self, buffer: &mut [u8], room: usize, free_at: Instant) -> std::io::Result<usize> {
        sleep_until(free_at).await;
        while self.inside.bytes.load(Ordering::Relaxed) + buffer.len() > room.max(buffer.len()) {
            self.inside.left.notified().await;
        }
        self.from.readable().await?;
        loop {
            match self.from.try_read(buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => self.from.readable().await?,
                other => return other,
            }
        }
    }

    /// Cuts the parcel where the fuse ends.
    fn burn(&self, parcel: Parcel) -> (Parcel, bool) {
        let Parcel::Bytes(mut bytes) = parcel else { return (parcel, false) };
        let mut passing = None;
        self.state.send_if_modified(|state| {
            passing = state.burn(self.way, bytes.len());
            false
        });
        match passing {
            Some(n) => {
                bytes.truncate(n);
                (Parcel::Bytes(bytes), true)
            }
            None => (Parcel::Bytes(bytes), false),
        }
    }
}

async fn write(
    way: Way,
    mut to: WriteHalf<'_>,
    mut parcels: mpsc::UnboundedReceiver<(Instant, Parcel)>,
    inside: &Inside,
    state: &watch::Sender<State>,
) -> Arrived {
    while let Some((at, parcel)) = parcels.recv().await {
        sleep_until(at).await;
        match parcel {
            Parcel::Bytes(bytes) => {
                if to.write_all(&bytes).await.is_err() {
                    return Arrived::Reset;
                }
                inside.bytes.fetch_sub(bytes.len(), Ordering::Relaxed);
                inside.left.notify_one();
                state.send_modify(|state| state.carried[way as usize] += bytes.len() as u64);
            }
            Parcel::End => {
                return if to.shutdown().await.is_ok() { Arrived::End } else { Arrived::Reset };
            }
            Parcel::Reset => return Arrived::Reset,
        }
    }
    Arrived::Reset
}
