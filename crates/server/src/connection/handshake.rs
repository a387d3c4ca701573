//! From the first byte to the proof of life: nothing is written anywhere until the device has answered Welcome.

use std::future::poll_fn;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use sensock::deframe::Foreign;
use sensock::error::Peer;
use sensock::limits::HANDSHAKE_MS;
use sensock::server::{Config, Event as Heard, Proposal, Session};
use sensock::wire::hello::{Hello, Refusal, VERSION};
use sensock::{Lane, Micros, Tag};
use sensock_store::work::{Identity, Verdict};
use sensock_store::{Admission, Resume, judge};
use tokio::time::{Instant, timeout, timeout_at};

use super::{Live, finish};
use crate::events::Event;
use crate::limits::PATIENCE;
use crate::pipe::{Lost, Pipe};
use crate::random;
use crate::shared::Shared;

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
}

/// How a handshake ended that came to nothing.
enum Failed {
    /// Told, logged, and of no one's fault.
    Refused,
    /// Counts against the address.
    Bad,
}

/// The longest that looking a device up may take before it is told to come back.
const LOOKUP: Duration = Duration::from_secs(3);

/// Meets a device; `None` if it came to nothing (everyone has been told then).
///
/// What a connection keeps is boxed from the start: this future's memory is given back before the long quiet part.
pub(crate) async fn shake(shared: &Arc<Shared>, pipe: &mut dyn Pipe, peer: &Peername) -> Option<Box<Live>> {
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
    pipe: &'a mut dyn Pipe,
    peer: &'a Peername,
    session: Box<Session>,
    until: Instant,
}

async fn meet(shared: &Shared, pipe: &mut dyn Pipe, peer: &Peername) -> Result<Box<Met>, Failed> {
    let options = &shared.options;
    let window = Lane::ALL.map(|lane| shared.window(lane));
    let config =
        Config { max_frame: options.limits.frame, ping_interval_ms: options.ping_interval_ms, window };
    // The builder has checked the configuration.
    let session = Session::new(config, shared.wall.now()).map_err(|_| Failed::Refused)?;
    let until = Instant::now() + Duration::from_millis(HANDSHAKE_MS);
    let meeting = Meeting { shared, pipe, peer, session: Box::new(session), until };
    tokio::select! {
        biased;
        met = meeting.run() => met,
        () = shared.closing.cancelled() => Err(Failed::Refused),
    }
}

/// What a frame came to, without its bytes.
enum Came {
    Hello(Box<Hello>),
    Proved,
    Nothing,
    Broken(Peer, Option<(u8, u8)>),
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
        Ok(Box::new(Met { session: self.session, hello, hello_at, identity, resume, recheck }))
    }

    /// The first frame.
    async fn hello(&mut self) -> Result<(Hello, Micros), Failed> {
        loop {
            match self.frame().await {
                Ok(Came::Hello(hello)) => return Ok((*hello, self.shared.wall.now())),
                Ok(Came::Nothing) => {}
                Ok(Came::Broken(Peer::Version, theirs)) => {
                    let (low, high) = theirs.unwrap_or_default();
                    let words = format!(
                        "this server speaks sensock wire versions {VERSION} to {VERSION}, the device {low} to {high}: update the {}",
                        if low > VERSION { "server" } else { "device" }
                    );
                    return self.refuse(None, Refusal::Version, 3_600_000, &words, &words).await;
                }
                Ok(Came::Broken(error, _)) => {
                    let words = format!("the first frame is no Hello: {error}");
                    let _told = self.refuse::<()>(None, Refusal::Malformed, 3_600_000, &words, &words).await;
                    return Err(Failed::Bad);
                }
                Ok(Came::Proved) => return Err(Failed::Bad),
                Err(Some(Lost::Foreign(bytes))) => return self.foreign(bytes).await,
                Err(Some(Lost::Peer(error))) => {
                    let words = error.to_string();
                    let _told = self.refuse::<()>(None, Refusal::Malformed, 3_600_000, &words, &words).await;
                    return Err(Failed::Bad);
                }
                Err(lost) => return Err(self.gone(None, lost)),
            }
        }
    }

    /// Asks who may connect.
    async fn admit(&mut self, hello: &Hello) -> Result<(), Failed> {
        let who = hello.device;
        match timeout(LOOKUP, self.shared.backend.admit(who)).await {
            Ok(Ok(Admission::Insecure)) => Ok(()),
            Ok(Ok(_)) => {
                let words = format!(
                    "device {who} is not known here: if it is yours, add its id to the list of devices that may connect (sensockd: a line \"{who}\" in the --devices file)"
                );
                let text = format!("this server does not know device {who}: its operator must add it");
                self.refuse(Some(hello), Refusal::Unknown, 300_000, &text, &words).await
            }
            Ok(Err(error)) => {
                let words = format!("who may connect could not be looked up: {error}");
                self.refuse(
                    Some(hello),
                    Refusal::Busy,
                    5_000,
                    "this server cannot look devices up now",
                    &words,
                )
                .await
            }
            Err(_) => {
                let words = "looking up who may connect takes too long";
                self.refuse(
                    Some(hello),
                    Refusal::Busy,
                    5_000,
                    "this server cannot look devices up now",
                    words,
                )
                .await
            }
        }
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
        let (session, wall, max) = (&mut self.session, &self.shared.wall, self.shared.options.limits.frame);
        let pipe = &mut *self.pipe;
        let mut came = None;
        let read = poll_fn(|cx| {
            pipe.poll_frames(cx, max.into(), &mut |frame| {
                let versions = (frame.len() > 2).then(|| (frame[1], frame[2]));
                came = Some(match session.handle_frame(wall.now(), frame) {
                    Ok(Some(Heard::Hello(hello))) => Came::Hello(Box::new(hello)),
                    Ok(Some(Heard::Proved)) => Came::Proved,
                    Ok(_) => Came::Nothing,
                    Err(error) => Came::Broken(error, versions),
                });
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

    /// Says no, to the device in `text`, to the operator in `words`.
    async fn refuse<T>(
        &mut self,
        hello: Option<&Hello>,
        code: Refusal,
        backoff_ms: u32,
        text: &str,
        words: &str,
    ) -> Result<T, Failed> {
        let device = hello.map(|h| h.device);
        let name = device.as_ref().map_or("", |d| d.as_str());
        tracing::warn!(peer = self.peer.words, device = name, ?code, "refused: {words}");
        let (peer, words) = (self.peer.words.clone(), words.to_owned());
        self.shared.events.send(Event::Refused { peer, device, code, words });
        let told = {
            let mut out = [0; 256];
            let told = self.session.refuse(code, backoff_ms, text, &mut out);
            told.map(|len| self.pipe.send(&out[..len]))
        };
        if told.is_ok() {
            finish(self.pipe).await;
        }
        Err(Failed::Refused)
    }

    async fn collision<T>(&mut self, hello: &Hello) -> Result<T, Failed> {
        let device = hello.device;
        let connected = self.shared.registry.connected(&device).map(|c| c.peer).unwrap_or_default();
        let refused = self.peer.words.clone();
        let words = format!(
            "two boards have the identity {device}: one {}, the other is at {refused}; give one of them another id (a copied flash image?)",
            if connected.is_empty() {
                "took over earlier".to_owned()
            } else {
                format!("is connected from {connected}")
            }
        );
        self.shared.events.send(Event::Collision { device, connected, refused });
        let text = format!("another board has the identity {device}: give one of them another id");
        self.refuse(Some(hello), Refusal::IdentityInUse, 300_000, &text, &words).await
    }

    /// Something else dialled: its owner is told in its own protocol, where it has words.
    async fn foreign<T>(&mut self, mut bytes: Vec<u8>) -> Result<T, Failed> {
        while bytes.len() < 512 {
            let pipe = &mut *self.pipe;
            let more = poll_fn(|cx| pipe.poll_frames(cx, 256, &mut |_| ControlFlow::Break(())));
            match timeout(Duration::from_millis(100), more).await {
                Ok(Err(Lost::Foreign(more))) => bytes.extend(more),
                _ => break,
            }
        }
        let foreign = Foreign::guess(&bytes);
        let words = foreign.words();
        tracing::warn!(peer = self.peer.words, "{words}");
        self.shared.events.send(Event::Foreign { peer: self.peer.words.clone(), words });
        self.pipe.send_raw(foreign.answer());
        finish(self.pipe).await;
        Err(Failed::Bad)
    }

    fn gone(&self, hello: Option<&Hello>, lost: Option<Lost>) -> Failed {
        let device = hello.map_or("", |h| h.device.as_str());
        let words = match &lost {
            None => "it took longer than 10 s",
            Some(Lost::Closed) => "the other end closed",
            Some(Lost::Io(_)) => "the transport failed",
            Some(Lost::Peer(_) | Lost::Foreign(_)) => "the bytes are no frames",
        };
        tracing::debug!(peer = self.peer.words, device, "handshake given up: {words}");
        // A link that broke is nobody's fault.
        if matches!(lost, Some(Lost::Closed | Lost::Io(_))) { Failed::Refused } else { Failed::Bad }
    }
}
