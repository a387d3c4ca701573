//! From the first byte to the proof of life: nothing is written anywhere until the device has answered Welcome.

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
use sensock::limits::{FRAME_HARD_MAX, HANDSHAKE_MS};
use sensock::seal::{FIRST_OVERHEAD, TAG};
use sensock::server::{Config, Event as Heard, Proposal, Session};
use sensock::wire::header::{Kind, plain};
use sensock::wire::hello::{Hello, Refusal};
use sensock::{DeviceId, Lane, Micros, Tag};
use sensock_store::work::{Identity, Verdict};
use sensock_store::{Resume, judge};
use tokio::time::{Instant, timeout, timeout_at};

use super::Live;
use crate::limits::PATIENCE;
use crate::pipe::{CoveredPipe, Lost, Pipe};
use crate::random;
use crate::recheck::{LOOKUP, LetIn};
use crate::shared::Shared;
use crate::wall::Wall;

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
/// What a connection keeps is boxed from the start: this future's memory is given back before the long quiet part.
pub(crate) async fn shake(
    shared: &Arc<Shared>,
    pipe: &mut CoveredPipe,
    peer: &Peername,
) -> Option<Box<Live>> {
    let mut meeting = std::pin::pin!(meet(shared, pipe, peer));
    let met = match timeout(PATIENCE, &mut meeting).await {
        Ok(met) => met,
        Err(_) => {
            let _hanging = peer.ip.map(|ip| Hanging::new(shared, ip));
            meeting.await
        }
    };
    match met {
        Ok(met) => Some(Live::new(shared.clone(), *met, peer)),
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
    let meeting = Meeting { shared, pipe, peer, session, owner: None, let_in, silent: true, until };
    tokio::select! {
        biased;
        met = meeting.run() => met,
        () = shared.closing.cancelled() => Err(Failed::Refused),
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
                    Refusal::Busy,
                    5_000,
                    "this server is full",
                    "the limit of connections is reached: raise it, or add a server",
                )
                .await;
        }
        let (hello, hello_at) = self.hello().await?;
        let who = hello.device;
        if let Some(why) = self.shared.wall.hold() {
            return self.refuse(Some(&hello), Refusal::Busy, 30_000, why, why).await;
        }
        self.admit(&hello).await?;
        let resume = match timeout(LOOKUP, self.shared.backend.load(who)).await {
            Ok(Ok(resume)) => resume,
            failed => {
                let why = match failed {
                    Ok(Err(error)) => format!("the store does not answer: {error}"),
                    _ => "the store takes too long to answer".to_owned(),
                };
                return self
                    .refuse(Some(&hello), Refusal::Busy, 5_000, "the store does not answer", &why)
                    .await;
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
                Err(lost) => return Err(self.gone(Some(hello), lost)),
            }
        }
    }

    /// One frame, or why none comes; `None`: in time.
    async fn frame(&mut self) -> Result<Came, Option<Lost>> {
        let (session, wall) = (&mut self.session, &self.shared.wall);
        // Hello alone has more around it than other frames.
        let may_be_sealed = std::mem::take(&mut self.silent);
        let max =
            usize::from(self.shared.options.limits.frame) + if may_be_sealed { FIRST_OVERHEAD } else { 0 };
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
            Ok(Ok(())) => Ok(came.unwrap_or(Came::Nothing)),
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
