//! One connection: drives the core's session, turns frames into works and what became of them into acknowledgements.
//!
//! ```text
//!   frames ──▶ session ──▶ intake (rows with times) ──▶ committer ──▶ store
//!   frames ◀── session ◀── inbox (committed, commands, settings, answers, takeover)
//! ```
//! A connection is one task. While nothing happens it holds no buffer, only its session.

mod downlink;
mod due;
mod frames;
mod handshake;
mod intake;
mod life;
mod messages;
mod parked;
mod sheet;
mod sheets;
mod times;
mod works;

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use sensock::link::Bounds;
use sensock::server::Session;
use sensock::wire::hello::{Account, End};
use sensock::{Lane, Micros, Tick};
use sensock_store::work::{Meeting, Work};
use sensock_store::{Batch, BootRow, ConnectionRow};
use tokio::time::Sleep;

pub(crate) use handshake::Peername;
pub(crate) use life::run;
pub(crate) use sheets::Sheets;

use crate::events::Event;
use crate::inbox::Inbox;
use crate::pipe::{Lost, Pipe};
use crate::queue::{Entry, Origin};
use crate::random;
use crate::registry::{Away, Connected};
use crate::shared::Shared;
use downlink::Downlink;
use handshake::Met;
use intake::{Facts, Intake};
use parked::Parked;
use sheet::{Pieces, Sheet};
use times::Times;
use works::boot_row;

/// How old a sealed connection's keys grow: the next handshake makes new ones (SPEC 14.10). Up to a 24th less, so that a fleet that came at once does
/// not do so every day.
const RENEW_MS: u64 = 24 * 3_600_000;

/// How it ends once all that was received is committed.
#[derive(Clone, Debug)]
struct Leaving {
    end: End,
    retry_ms: u32,
    text: &'static str,
}

/// How it ended.
#[derive(Debug)]
struct Ending {
    end: End,
    reason: Cow<'static, str>,
}

/// A connection whose device proved itself live.
pub(crate) struct Live {
    shared: Arc<Shared>,
    session: Session,
    /// This connection as others see it.
    own: Arc<Connected>,
    /// When a sealed connection ends for new keys; the end of time without keys.
    renew_at: Micros,
    /// What the device said of the time before, and what came since.
    account: Account,
    records: u64,
    bytes: u64,
    times: Times,
    sheet: Option<Arc<Sheet>>,
    older: Box<[Arc<Sheet>]>,
    /// The catalogue on its way, and what it must be equal to.
    catalog: Option<Box<Awaited>>,
    intake: Intake,
    down: Downlink,
    meeting: Meeting,
    confirmed: bool,
    /// Most connections have nothing that waits, and then no room for it.
    waiting: Option<Box<Waiting>>,
    /// Works that the committer has not answered yet.
    outstanding: u32,
    /// Rewinds per lane: works from before one are not rewound again.
    epochs: [u32; Lane::COUNT],
    /// The last anchor that was stored.
    anchored: Option<Bounds>,
    timer: Option<Pin<Box<Sleep>>>,
    // Boxed, as they are for the end only.
    leaving: Option<Box<Leaving>>,
    ending: Option<Box<Ending>>,
    asleep: Option<Box<Away>>,
    /// Sleep was the last that came.
    sleep_said: bool,
    /// A Bye was written, or is worth writing out.
    goodbye: bool,
}

/// Works that the committer does not get yet.
#[derive(Default)]
struct Waiting {
    /// Behind the Hello transaction.
    held: Vec<Entry>,
    /// Beyond the device's quota.
    parked: Vec<Parked>,
}

/// A catalogue that was asked for.
struct Awaited {
    hash: u64,
    pieces: Pieces,
    /// The stored one, if it is only looked at again.
    stored: Option<Vec<u8>>,
    /// The boot's row, to be completed with the firmware's name.
    boot: BootRow,
}

impl Live {
    fn new(shared: Arc<Shared>, met: Met, peer: &Peername) -> Live {
        let Met { session, hello, hello_at, identity, resume, recheck, let_in } = met;
        let now_us = shared.wall.now_us();
        let own = Arc::new(Connected {
            id: random::number() >> 1,
            device: hello.device,
            boot: identity.boot,
            peer: peer.words.as_str().into(),
            since_us: now_us,
            inbox: Inbox::default(),
            let_in,
        });
        let renew_ms = RENEW_MS - random::below(RENEW_MS / 24);
        let renew_at = let_in.key.map_or(Micros(u64::MAX), |_| shared.wall.now().plus_ms(renew_ms));
        let stored = resume.catalogs.iter().find(|c| c.hash == hello.catalog);
        let sheet = stored.and_then(|c| shared.sheets.read(c.hash, &c.bytes));
        let wanted = sheet.is_none() || recheck;
        let times = Times::new(identity.boot, &resume).rebased(identity.meeting == Meeting::Rebased);
        let older = resume.catalogs.iter().filter(|c| c.hash != hello.catalog);
        let older = older.filter_map(|c| shared.sheets.read(c.hash, &c.bytes)).collect();
        let mut live = Live {
            session: *session,
            own,
            renew_at,
            account: hello.account,
            records: 0,
            bytes: 0,
            times,
            older,
            catalog: None,
            intake: Intake::default(),
            down: Downlink::new(&hello, hello_at),
            meeting: identity.meeting,
            confirmed: false,
            waiting: None,
            outstanding: 0,
            epochs: [0; Lane::COUNT],
            anchored: None,
            timer: None,
            leaving: None,
            ending: None,
            asleep: None,
            sleep_said: false,
            goodbye: true,
            sheet,
            shared,
        };
        let bounds = live.wall_bounds();
        if let Some(by_us) = live.times.contradiction(bounds) {
            tracing::warn!(
                by_us,
                "this server's clock contradicts the one that measured this boot before: set both by NTP"
            );
            live.shared.events.send(Event::ClocksDisagree { device: live.own.device, by_us });
        }
        let started = bounds.moment(Tick(0));
        let started = (Some(started.0), Some(started.1.min(now_us)));
        if wanted {
            let boot = boot_row(&hello, &identity, started, now_us);
            let stored = stored.map(|c| c.bytes.clone());
            live.catalog =
                Some(Box::new(Awaited { hash: hello.catalog, pieces: Pieces::default(), stored, boot }));
        }
        let firmware = live.sheet.as_ref().map(|s| s.firmware.to_string()).unwrap_or_default();
        live.propose(hello, identity, firmware, started, now_us);
        live
    }

    /// Everything that can be done now; ready once it is over.
    fn poll(&mut self, cx: &mut Context<'_>, pipe: &mut dyn Pipe) -> Poll<()> {
        loop {
            for message in self.own.inbox.take(cx.waker()) {
                self.message(message);
            }
            let mut read = self.poll_read(cx, pipe);
            // Mostly all was read at once, and only this look says so. If not, others get their turn between.
            if read.is_ready() {
                read = self.poll_read(cx, pipe);
            }
            let now = self.shared.wall.now();
            self.unpark();
            self.submit_all(now);
            self.overdue(now);
            self.let_sleep();
            self.transmit(now, pipe);
            if let Poll::Ready(Err(error)) = pipe.poll_flush(cx) {
                self.end(End::Transport, format!("writing failed: {error}"));
                self.goodbye = false;
            }
            if self.ending.is_some() {
                return Poll::Ready(());
            }
            if read.is_pending() && self.poll_timer(now, cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Reads what is there; pending if nothing is.
    fn poll_read(&mut self, cx: &mut Context<'_>, pipe: &mut dyn Pipe) -> Poll<()> {
        if self.leaving.is_some() || self.ending.is_some() {
            return Poll::Pending;
        }
        let max = self.shared.options.limits.frame.into();
        // One look at the clock for all that was read at once: it was there by then.
        let mut heard = None;
        let read = pipe.poll_frames(cx, max, &mut |frame| {
            let now = *heard.get_or_insert_with(|| self.shared.wall.now());
            self.frame(now, frame)
        });
        match ready!(read) {
            Ok(()) => {}
            Err(Lost::Closed) => {
                self.end(End::Transport, "the device closed the transport");
                self.goodbye = false;
            }
            Err(Lost::Io(error)) => {
                self.end(End::Transport, format!("reading failed: {error}"));
                self.goodbye = false;
            }
            Err(Lost::Peer(error)) => self.broken(error),
            Err(Lost::Forged) => {
                tracing::warn!("a sealed frame cannot be opened: somebody changed it on the way");
                self.end(End::Protocol, "a sealed frame could not be opened: somebody changed it on the way");
                self.goodbye = false;
            }
            Err(Lost::Foreign(_)) => self.broken(sensock::error::Peer::Preface),
        }
        Poll::Ready(())
    }

    /// Its row in the store, while it lasts.
    fn row(&self) -> ConnectionRow {
        let own = &self.own;
        ConnectionRow {
            id: own.id,
            device: own.device,
            boot: own.boot,
            server: self.shared.id,
            peer: own.peer.to_string(),
            from_us: own.since_us,
            to_us: None,
            reason: String::new(),
            asleep_until_us: self.asleep_until_us(),
            account: self.account,
            records: self.records,
            bytes: self.bytes,
        }
    }

    fn asleep_until_us(&self) -> Option<i64> {
        self.asleep.as_ref().and_then(|away| away.asleep_until_us)
    }

    fn facts(&self, now: Micros) -> Facts<'_> {
        Facts {
            device: self.own.device,
            boot: self.own.boot,
            times: &self.times,
            sheet: self.sheet.as_deref(),
            older: &self.older,
            now: (self.wall_bounds(), now.0 as i64 + self.shared.wall.offset()),
        }
    }

    /// It is over; the first reason counts.
    fn end(&mut self, end: End, reason: impl Into<Cow<'static, str>>) {
        if self.ending.is_none() {
            self.ending = Some(Box::new(Ending { end, reason: reason.into() }));
        }
    }

    fn broken(&mut self, error: sensock::error::Peer) {
        tracing::warn!("the device broke the protocol: {error}");
        self.end(End::Protocol, error.to_string());
    }
}

impl Drop for Live {
    /// Also if its future was dropped: whoever looks sees that it is gone, and its row says how it ended.
    fn drop(&mut self) {
        let ending = self.ending.take();
        let (end, reason) = match ending.map(|ending| *ending) {
            Some(Ending { end, reason }) => (end, reason.into_owned()),
            None => (End::Unknown, "the server dropped the connection".to_owned()),
        };
        tracing::info!(?end, records = self.records, "connection ended: {reason}");
        let wall = &self.shared.wall;
        let lost_after = self.shared.options.lost_after.as_micros() as u64;
        let lost = || Away { asleep_until_us: None, lost_at: Some(wall.now().plus(lost_after)) };
        let away = self.asleep.as_deref().copied().unwrap_or_else(lost);
        let device = self.own.device;
        let current = self.shared.registry.remove(&device, self.own.id, away);
        let row = ConnectionRow { to_us: Some(wall.now_us()), reason: reason.clone(), ..self.row() };
        let batch = Batch { connections: vec![row], ..Batch::default() };
        self.queue().push([Entry { work: Work::Rows(Box::new(batch)), origin: Origin::Nobody }]);
        if current {
            self.shared.events.send(Event::Disconnected { device, end, reason });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Server;

    /// Bytes that the server itself keeps for a quiet connection, whose parts are allocations of their own.
    const QUIET: usize = 1_360;

    #[tokio::test]
    async fn a_quiet_connection_is_small() {
        let store = sensock_store::memory::MemoryStore::default();
        let (server, _events) = Server::builder(store, sensock_store::AnyDevice).start().await.unwrap();
        let pipe = crate::pipe::StreamPipe::new(tokio::io::duplex(64).0);
        let open = server.shared().registry.open(1);
        let peer = Peername { words: String::new(), ip: None };
        let task = size_of_val(&run(server.clone(), Box::new(pipe), peer, open));
        let parts = [
            ("the future of its task", task),
            ("its state", size_of::<life::Served>()),
            ("what others see of it", size_of::<Connected>()),
            ("its timer", size_of::<Sleep>()),
            ("its transport", size_of::<crate::pipe::StreamPipe<tokio::net::TcpStream>>()),
            ("its keys, sealed", size_of::<sensock::seal::Transport>()),
        ];
        let sum: usize = parts.iter().map(|(_, bytes)| bytes).sum();
        println!("a quiet connection takes {sum} B: {parts:?}");
        assert!(task <= 24, "a task's own head and tail must fit beside it into 128 B");
        assert!(size_of::<life::Served>() <= 896, "allocators have a class of that size");
        assert!(sum <= QUIET, "{sum}");
    }
}
