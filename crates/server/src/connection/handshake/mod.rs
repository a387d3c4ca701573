//! From the first byte to the proof of life: nothing is written anywhere until the device has answered Welcome.
//!
//! Until then it is anybody, and this is all that anybody gets: 10 s; one frame of at most 1,082 bytes (a longer one is refused by its length,
//! before its bytes are taken), then one of 256; about 8 KiB of memory; for a first message that does not open, less work than a
//! lookup; for one that opens, two multiplications on the curve and one look into the store, for `Limits::handshakes` at once and
//! `Limits::bad_handshakes` failures a minute of one address, and one at a time of one key and address.

mod admit;
mod refuse;
mod uncover;

use std::future::poll_fn;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sensock::error::Peer;
use sensock::limits::{FRAME_HARD_MAX, FRAME_MIN_MAX, HANDSHAKE_MS, HELLO_MAX};
use sensock::seal::{FIRST_OVERHEAD, TAG};
use sensock::server::{Config, Event as Heard, Proposal, Session};
use sensock::wire::header::{Kind, plain};
use sensock::wire::hello::Hello;
use sensock::{DeviceId, Lane, Micros, Tag};
use sensock_store::work::{Identity, Verdict};
use sensock_store::{Resume, judge};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::limits::PATIENCE;
use crate::pending::Turn;
use crate::pipe::{CoveredPipe, Lost, Pipe};
use crate::random;
use crate::recheck::{LOOKUP, LetIn};
use crate::shared::Shared;
use crate::wall::Wall;
use crate::why::Why;

/// Where a transport comes from.
#[derive(Clone, Debug)]
pub(crate) struct Peername {
    pub(crate) words: String,
    pub(crate) ip: Option<IpAddr>,
}

/// What the handshake found out.
pub(crate) struct Met {
    pub(crate) session: Box<Session>,
    pub(crate) hello: Hello,
    pub(crate) hello_at: Micros,
    pub(crate) identity: Identity,
    pub(crate) resume: Resume,
    /// The catalogue was asked for although the store has it: it must be the same.
    pub(crate) recheck: bool,
    pub(crate) let_in: LetIn,
}

/// How a handshake ended that came to nothing.
enum Failed {
    /// Told, logged, and of no one's fault.
    Refused,
    /// Counts against the address.
    Bad,
}

/// Meets a device; `None` if it came to nothing (everyone has been told then).
///
/// This future's memory is given back before the long quiet part; what a connection keeps of it is in what it returns.
pub(crate) async fn shake(shared: &Arc<Shared>, pipe: &mut CoveredPipe, peer: &Peername) -> Option<Box<Met>> {
    let mut meeting = std::pin::pin!(meet(shared, pipe, peer));
    let met = match timeout(PATIENCE, &mut meeting).await {
        Ok(met) => met,
        Err(_) => {
            let _hanging = peer.ip.map(|ip| Hanging::new(shared, ip));
            meeting.await
        }
    };
    match met {
        Ok(met) => {
            if let Some(ip) = peer.ip {
                shared.offenders.proved(ip);
            }
            Some(met)
        }
        Err(Failed::Bad) => {
            if let Some(ip) = peer.ip {
                shared.offenders.failed(ip);
            }
            None
        }
        Err(Failed::Refused) => None,
    }
}

/// An address has a handshake that hangs, for as long as this lives.
struct Hanging<'a>(&'a Shared, IpAddr);

impl<'a> Hanging<'a> {
    fn new(shared: &'a Shared, ip: IpAddr) -> Self {
        shared.offenders.hangs(ip);
        Hanging(shared, ip)
    }
}

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        self.0.offenders.hangs_no_more(self.1);
    }
}

struct Meeting<'a> {
    shared: &'a Shared,
    pipe: &'a mut CoveredPipe,
    peer: &'a Peername,
    session: Box<Session>,
    /// The device whose key opened the first message, which was sealed.
    owner: Option<DeviceId>,
    let_in: LetIn,
    /// Nothing came yet.
    silent: bool,
    until: Instant,
    /// Counts this attempt.
    turn: Option<Turn<'a>>,
    superseded: CancellationToken,
}

async fn meet(shared: &Shared, pipe: &mut CoveredPipe, peer: &Peername) -> Result<Box<Met>, Failed> {
    let options = &shared.options;
    let window = Lane::ALL.map(|lane| shared.window(lane));
    // A frame and what a cover adds have to fit a frame's length.
    let max_frame = options.limits.frame.min((FRAME_HARD_MAX - TAG) as u16);
    let config = Config { max_frame, ping_interval_ms: options.ping_interval_ms, window };
    // The builder has checked the configuration.
    let session = Session::new(config, shared.wall.now()).map_err(|_| Failed::Refused)?;
    let until = Instant::now() + Duration::from_millis(HANDSHAKE_MS);
    let let_in = LetIn { key: None, asked: shared.asked.load(Ordering::Acquire) };
    let session = Box::new(session);
    let superseded = CancellationToken::new();
    let newer = superseded.clone();
    let meeting = Meeting {
        shared,
        pipe,
        peer,
        session,
        owner: None,
        let_in,
        silent: true,
        until,
        turn: None,
        superseded,
    };
    tokio::select! {
        biased;
        met = meeting.run() => met,
        () = shared.closing.cancelled() => Err(Failed::Refused),
        () = newer.cancelled() => {
            tracing::debug!(peer = peer.words, "handshake given up: the device dialled again");
            Err(Failed::Refused)
        }
    }
}

/// What a frame came to, without its bytes.
enum Came {
    /// A first message, sealed.
    Sealed(Vec<u8>),
    Hello(Box<Hello>),
    Proved,
    Nothing,
    Broken(Peer, Option<(u8, u8)>),
}

/// What a frame says to a session.
fn read(session: &mut Session, wall: &Wall, frame: &mut [u8]) -> Came {
    let versions = (frame.len() > 2).then(|| (frame[1], frame[2]));
    match session.handle_frame(wall.now(), frame) {
        Ok(Some(Heard::Hello(hello))) => Came::Hello(Box::new(hello)),
        Ok(Some(Heard::Proved)) => Came::Proved,
        Ok(_) => Came::Nothing,
        Err(error) => Came::Broken(error, versions),
    }
}

impl Meeting<'_> {
    async fn run(mut self) -> Result<Box<Met>, Failed> {
        if self.shared.registry.count() > self.shared.options.limits.connections {
            return self
                .refuse(
                    None,
                    Why::Busy,
                    5_000,
                    "this server is full",
                    "the limit of connections is reached: raise it, or add a server",
                )
                .await;
        }
        let (hello, hello_at) = self.hello().await?;
        let who = hello.device;
        if self.owner.is_none() {
            self.begin(None).await?;
        }
        if let Some(why) = self.shared.wall.hold() {
            return self.refuse(Some(&hello), Why::Busy, 30_000, why, why).await;
        }
        self.admit(&hello).await?;
        let resume = match timeout(LOOKUP, self.shared.backend.load(who)).await {
            Ok(Ok(resume)) => resume,
            failed => {
                let why = match failed {
                    Ok(Err(error)) => format!("the store does not answer: {error}"),
                    _ => "the store takes too long to answer".to_owned(),
                };
                return self.refuse(Some(&hello), Why::Busy, 5_000, "the store does not answer", &why).await;
            }
        };
        let Verdict::Welcome(identity) = judge(&resume, &hello, Tag(random::number())) else {
            return self.collision(&hello).await;
        };
        let known = resume.catalogs.iter().any(|c| c.hash == hello.catalog);
        let recheck =
            known && (random::number() >> 11) as f64 / ((1u64 << 53) as f64) < self.shared.options.recheck;
        let nonce = random::number();
        let pending = resume.commands.iter().filter(|c| !c.state.is_settled()).count()
            + resume.settings.iter().filter(|s| s.revision > hello.settings).count();
        let proposal = Proposal {
            boot_shift: identity.shift,
            tag: identity.tag,
            marks: identity.marks,
            want_catalog: !known || recheck,
            pending: pending.min(u16::MAX.into()) as u16,
            store: self.shared.store,
            nonce,
        };
        self.session.welcome(proposal).map_err(|_| Failed::Bad)?;
        self.transmit().await?;
        self.proof(&hello).await?;
        let let_in = self.let_in;
        Ok(Box::new(Met { session: self.session, hello, hello_at, identity, resume, recheck, let_in }))
    }

    /// The device echoes Welcome's nonce: it is live.
    async fn proof(&mut self, hello: &Hello) -> Result<(), Failed> {
        loop {
            match self.frame().await {
                Ok(Came::Proved) => return Ok(()),
                Ok(Came::Nothing) => {}
                Ok(_) => {
                    tracing::info!(peer = self.peer.words, device = %hello.device, "the device did not prove itself live");
                    return Err(Failed::Bad);
                }
                Err(lost) => {
                    // Whoever made the server look and answer, and went: links break, but not that often.
                    self.gone(Some(hello), lost);
                    return Err(Failed::Bad);
                }
            }
        }
    }

    /// One frame, or why none comes; `None`: in time.
    async fn frame(&mut self) -> Result<Came, Option<Lost>> {
        let (session, wall) = (&mut self.session, &self.shared.wall);
        // What is longer is refused by its length, before it is there.
        let may_be_sealed = self.silent;
        let max = if may_be_sealed { HELLO_MAX + FIRST_OVERHEAD } else { FRAME_MIN_MAX };
        let pipe = &mut *self.pipe;
        let mut came = None;
        let read = poll_fn(|cx| {
            pipe.poll_frames(cx, max, &mut |frame| {
                let sealed = may_be_sealed && frame.first() == Some(&plain(Kind::Seal));
                came = Some(if sealed { Came::Sealed(frame.to_vec()) } else { read(session, wall, frame) });
                ControlFlow::Break(())
            })
        });
        match timeout_at(self.until, read).await {
            Ok(Ok(())) => {
                // Bytes that make no frame yet are none.
                self.silent &= came.is_none();
                Ok(came.unwrap_or(Came::Nothing))
            }
            Ok(Err(lost)) => Err(Some(lost)),
            Err(_) => Err(None),
        }
    }

    async fn transmit(&mut self) -> Result<(), Failed> {
        {
            let mut out = [0; 256];
            let len =
                self.session.poll_transmit(self.shared.wall.now(), &mut out).map_err(|_| Failed::Bad)?;
            self.pipe.send(&out[..len]);
        }
        let pipe = &mut *self.pipe;
        match timeout_at(self.until, poll_fn(|cx| pipe.poll_flush(cx))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Failed::Bad),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipe::StreamPipe;

    #[tokio::test]
    async fn a_stranger_takes_8_kib_at_most() {
        let store = sensock_store::memory::MemoryStore::default();
        let (server, _events) =
            crate::Server::builder(store, sensock_store::AnyDevice).start().await.unwrap();
        let mut pipe = CoveredPipe::new(Box::new(StreamPipe::new(tokio::io::duplex(64).0)));
        let peer = Peername { words: String::new(), ip: None };
        let future = size_of_val(&shake(server.shared(), &mut pipe, &peer));
        // A frame that was cut, the copy of a first message, the session, the cover, and the two boxes of a Hello.
        let first = HELLO_MAX + FIRST_OVERHEAD;
        let kept =
            2 * first + size_of::<Session>() + size_of::<sensock::seal::Cover>() + 2 * size_of::<Hello>();
        println!("a handshake takes {future} B of future and {kept} B besides, at most");
        assert!(future + kept <= 8 << 10, "{future} + {kept}");
    }
}
