//! From the first byte to the proof of life: nothing is written anywhere until the device has answered Welcome.

use std::future::poll_fn;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sensock::deframe::Foreign;
use sensock::error::Peer;
use sensock::limits::{FRAME_HARD_MAX, HANDSHAKE_MS};
use sensock::seal::{Cover, Ephemeral, FIRST_OVERHEAD, First, TAG};
use sensock::server::{Config, Event as Heard, Proposal, Session};
use sensock::wire::header::{Kind, plain};
use sensock::wire::hello::{Hello, Refusal, VERSION};
use sensock::{DeviceId, Lane, Micros, Tag};
use sensock_store::work::{Identity, Verdict};
use sensock_store::{Admission, Resume, judge};
use tokio::time::{Instant, timeout, timeout_at};

use super::{Live, finish};
use crate::events::Event;
use crate::limits::PATIENCE;
use crate::pipe::{CoveredPipe, Lost, Pipe};
use crate::random;
use crate::recheck::{Held, LOOKUP, LetIn};
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

    /// The first frame.
    async fn hello(&mut self) -> Result<(Hello, Micros), Failed> {
        loop {
            let came = match self.frame().await {
                Ok(Came::Sealed(message)) => Ok(self.uncover(message).await?),
                came => came,
            };
            match came {
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
                Ok(Came::Proved | Came::Sealed(_)) => return Err(Failed::Bad),
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

    /// Opens a first message with the key that it names. Nothing is told apart for the device: an id that nobody has costs and says
    /// what a wrong key does. The operator reads which it was.
    async fn uncover(&mut self, mut message: Vec<u8>) -> Result<Came, Failed> {
        let first = match First::read(&message) {
            Ok(first) => first,
            Err(error) => return Ok(Came::Broken(error, None)),
        };
        let held = match timeout(LOOKUP, self.shared.backend.key(first.id)).await {
            Ok(Ok(held)) => held,
            failed => {
                let why = match failed {
                    Ok(Err(error)) => format!("keys could not be looked up: {error}"),
                    _ => "looking up keys takes too long".to_owned(),
                };
                let text = "this server cannot look keys up now";
                return self.refuse(None, Refusal::Busy, 5_000, text, &why).await;
            }
        };
        let doorkeeper = &self.shared.doorkeeper;
        let key = held.as_ref().map_or_else(|| doorkeeper.unknown(first.id), |held| held.key.clone());
        let Ok((answer, hello)) = first.open(&key, &mut message) else {
            let words = match held {
                Some(held) => format!(
                    "a device that names the key {} of device {} does not have that key, or its message was changed on the way",
                    first.id, held.device
                ),
                None => format!("nobody here has the key {}: was it revoked, or never added?", first.id),
            };
            let text = "this server does not know this key: compare it with the server's, or add it there";
            let _told = self.refuse::<()>(None, Refusal::Unknown, 60_000, text, &words).await;
            return Err(Failed::Bad);
        };
        // Whoever opened it: without an owner it was luck, which is worth nothing.
        let Some(held) = held else { return Err(Failed::Bad) };
        if !doorkeeper.admit(first.id, &first.ephemeral) {
            let words = format!(
                "a first message of device {} came again: somebody replays it, or the board's random generator repeats itself",
                held.device
            );
            let _told = self.refuse::<()>(None, Refusal::Busy, 5_000, "dial again", &words).await;
            return Err(Failed::Bad);
        }
        let salt = [self.shared.id, self.shared.wall.now().0, u64::from_le_bytes(first.id.0)];
        let Ok(pair) = Ephemeral::make(&key, &mut random::fill, &salt) else {
            let words = "the system gives no random bytes";
            return self.refuse(None, Refusal::Busy, 5_000, "this server has no random bytes", words).await;
        };
        self.pipe.cover(Cover::answer(answer, pair));
        self.owner = Some(held.device);
        self.let_in.key = Some(Held::new(first.id, &key));
        let frame = message.get_mut(hello).unwrap_or_default();
        Ok(read(&mut self.session, &self.shared.wall, frame))
    }

    /// Asks who may connect.
    async fn admit(&mut self, hello: &Hello) -> Result<(), Failed> {
        let who = hello.device;
        if let Some(owner) = self.owner {
            if owner == who {
                return Ok(());
            }
            let words = format!(
                "the key of device {owner} was used by one that calls itself {who}: give each device its own"
            );
            let text = format!("this key belongs to another device than {who}");
            return self.refuse(Some(hello), Refusal::Unknown, 300_000, &text, &words).await;
        }
        match timeout(LOOKUP, self.shared.backend.admit(who)).await {
            Ok(Ok(Admission::Insecure)) => Ok(()),
            Ok(Ok(Admission::Sealed)) => {
                let words = format!(
                    "device {who} has a key and came without: its firmware lost it, or somebody else uses its name"
                );
                let text = format!("device {who} has a key here: it cannot connect without");
                self.refuse(Some(hello), Refusal::Unknown, 300_000, &text, &words).await
            }
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
            Some(Lost::Forged) => {
                "a sealed frame could not be opened: it was changed on the way, or the first message was a replay"
            }
            Some(Lost::Peer(_) | Lost::Foreign(_)) => "the bytes are no frames",
        };
        tracing::debug!(peer = self.peer.words, device, "handshake given up: {words}");
        // A link that broke is nobody's fault.
        if matches!(lost, Some(Lost::Closed | Lost::Io(_))) { Failed::Refused } else { Failed::Bad }
    }
}
