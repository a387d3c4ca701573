//! A board for tests: the core's device session and outbox on a tokio stream, with tokio's clock as its ticks.
#![allow(dead_code)]

pub mod sealed;
pub mod slow;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use catalog::{CELLAR, HUMIDITY, RELAY, TEMPERATURE};
use sensock::catalog::{READ_NOW, Shaped};
use sensock::deframe::{Length, PREFACE, prefixed};
use sensock::device::{Event, Node, Outbox, OutboxMut, Session, Share, Transmit};
use sensock::wire::data::Outcome;
use sensock::wire::hello::{Account, End};
use sensock::{Catalog, DeviceId, Lane, Position, Tick};
use sensock_server::{AnyDevice, Builder, Events, MemoryStore, Server};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::Instant;

pub const START_US: i64 = 1_800_000_000_000_000;

/// A server whose wall clock is tokio's, so that paused time is consistent.
pub fn builder(store: &MemoryStore) -> Builder<MemoryStore, AnyDevice> {
    let begin = Instant::now();
    Server::builder(store.clone(), AnyDevice)
        .wall_clock(move || START_US + begin.elapsed().as_micros() as i64)
        .recheck_catalogs(0.0)
}

pub async fn server(store: &MemoryStore) -> (Server, Events) {
    builder(store).start().await.unwrap()
}

/// Waits for an event that `wanted` accepts.
pub async fn until<T>(events: &mut Events, mut wanted: impl FnMut(sensock_server::Event) -> Option<T>) -> T {
    let search = async {
        loop {
            let event = events.next().await.expect("the server ended");
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(3_600), search).await.expect("the event did not come")
}

struct Shared {
    outbox: Mutex<Outbox<16384>>,
    changed: Notify,
    log: Mutex<Vec<Said>>,
    heard: Notify,
    begin: Instant,
}

/// What a board heard.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    Connected { shifted_by: u32, pending: u16 },
    Committed(Lane, Position),
    Command { key: u16, body: Vec<u8> },
    Setting { key: u16, body: Vec<u8> },
    Answer(u16, Result<Vec<u8>, u8>),
    Refused { code: sensock_server::Refusal, backoff_ms: u32, text: String },
    Bye { reason: End, retry_ms: u32, text: String },
    Down(String),
}

#[derive(Clone)]
pub struct Board {
    shared: Arc<Shared>,
    pub id: DeviceId,
    catalog: &'static Catalog<'static>,
    relay: Arc<Mutex<Relay>>,
}

#[derive(Default)]
pub struct Relay {
    /// Answer commands only when told to.
    pub hold: bool,
    pub ran: Vec<u16>,
}

struct Lock<'a>(&'a Shared);

impl Share for Lock<'_> {
    fn with<R>(&self, f: impl FnOnce(&mut OutboxMut<'_>) -> R) -> R {
        f(&mut self.0.outbox.lock().unwrap().as_mut())
    }
}

/// Asks for something while connected.
pub enum Do {
    Sleep {
        for_ms: u32,
        ends_boot: bool,
    },
    Close {
        ends_boot: bool,
    },
    Ask {
        key: u16,
        body: Vec<u8>,
    },
    /// Answers a command that was held.
    Reply {
        id: u32,
        body: Vec<u8>,
    },
}

/// A connection under way.
pub struct Link {
    task: tokio::task::JoinHandle<()>,
    todo: tokio::sync::mpsc::UnboundedSender<Do>,
}

impl Link {
    pub fn ask(&self, todo: Do) {
        self.todo.send(todo).unwrap_or_default();
    }
    pub fn cut(self) {
        self.task.abort();
    }
    pub async fn ended(self) {
        self.task.await.unwrap();
    }
}

impl Board {
    /// A board with a boot number in memory (`Some`) or without.
    pub fn new(id: &str, boot: Option<u32>) -> Board {
        Self::with_catalog(id, boot, &CELLAR)
    }

    pub fn with_catalog(id: &str, boot: Option<u32>, catalog: &'static Catalog<'static>) -> Board {
        let shared = Shared {
            outbox: Mutex::new(Outbox::new()),
            changed: Notify::new(),
            log: Mutex::default(),
            heard: Notify::new(),
            begin: Instant::now(),
        };
        shared.outbox.lock().unwrap().as_mut().start(boot);
        Board { shared: Arc::new(shared), id: DeviceId::new(id).unwrap(), catalog, relay: Arc::default() }
    }

    pub fn relay(&self) -> std::sync::MutexGuard<'_, Relay> {
        self.relay.lock().unwrap()
    }

    pub fn now(&self) -> Tick {
        Tick(self.shared.begin.elapsed().as_millis() as u64)
    }

    pub fn record(&self, t: f32, h: f32) -> Position {
        self.record_in(Lane::Readings, t, h)
    }

    pub fn record_in(&self, lane: Lane, t: f32, h: f32) -> Position {
        let now = self.now();
        let readings = [TEMPERATURE.is(t), HUMIDITY.is(h)];
        let position = self.shared.outbox.lock().unwrap().as_mut().record(lane, now, &readings).unwrap();
        self.shared.changed.notify_one();
        position
    }

    pub fn outbox<R>(&self, f: impl FnOnce(&mut OutboxMut<'_>) -> R) -> R {
        let result = f(&mut self.shared.outbox.lock().unwrap().as_mut());
        self.shared.changed.notify_one();
        result
    }

    /// Waits until everything is acknowledged.
    pub async fn drained(&self) {
        let all = async {
            loop {
                let heard = self.shared.heard.notified();
                if self.outbox(|o| Lane::ALL.iter().all(|l| o.is_drained(*l))) {
                    return;
                }
                heard.await;
            }
        };
        let done = tokio::time::timeout(Duration::from_secs(600), all).await;
        assert!(done.is_ok(), "not everything was acknowledged; the board heard {:?}", self.log());
    }

    /// Waits until the board heard something that `wanted` accepts.
    pub async fn heard<T>(&self, mut wanted: impl FnMut(&Said) -> Option<T>) -> T {
        let all = async {
            loop {
                let heard = self.shared.heard.notified();
                if let Some(found) = self.shared.log.lock().unwrap().iter().find_map(&mut wanted) {
                    return found;
                }
                heard.await;
            }
        };
        match tokio::time::timeout(Duration::from_secs(600), all).await {
            Ok(found) => found,
            Err(_) => panic!("the board heard only {:?}", self.shared.log.lock().unwrap()),
        }
    }

    pub fn log(&self) -> Vec<Said> {
        self.shared.log.lock().unwrap().clone()
    }

    pub fn forget(&self) {
        self.shared.log.lock().unwrap().clear();
    }

    fn say(&self, said: Said) {
        self.shared.log.lock().unwrap().push(said);
        self.shared.heard.notify_waiters();
    }

    /// Connects through a pipe in memory.
    pub fn connect(&self, server: &Server, peer: &str) -> Link {
        let (near, far) = tokio::io::duplex(8_192);
        tokio::spawn(server.attach(far, peer));
        self.dial(near)
    }

    /// Runs a session over this stream.
    pub fn dial<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, io: T) -> Link {
        let (todo, asked) = tokio::sync::mpsc::unbounded_channel();
        let board = self.clone();
        let task = tokio::spawn(async move {
            let why = board.session(io, asked).await;
            board.say(Said::Down(why));
        });
        Link { task, todo }
    }

    async fn session<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut io: T,
        mut todo: tokio::sync::mpsc::UnboundedReceiver<Do>,
    ) -> String {
        let node = Node { id: self.id, catalog: self.catalog, max_frame: 1_024 };
        let mut scratch = vec![0; 2_048];
        let mut session = Session::new(node, &mut scratch).unwrap();
        let outbox = Lock(&self.shared);
        session.start(self.now(), Account::default(), Default::default());
        if io.write_all(&PREFACE).await.is_err() {
            return "broken".into();
        }
        let (mut deframer, mut frame, mut chunk) = (Length::new(), vec![0; 1_024], vec![0; 512]);
        let mut doing = true;
        loop {
            let mut out = vec![0; 4_096 + 2];
            while let Transmit::Frame(len) = session.poll_transmit(&outbox, self.now(), &mut out[2..]) {
                let at = prefixed(&mut out, len);
                if io.write_all(&out[at..2 + len]).await.is_err() {
                    return "broken".into();
                }
            }
            if session.is_closed() {
                return "closed".into();
            }
            let due = session.poll_timeout().map_or(3_600_000, |t| t.since(self.now()));
            let n = tokio::select! {
                n = io.read(&mut chunk) => match n {
                    Ok(0) | Err(_) => return "ended".into(),
                    Ok(n) => n,
                },
                () = self.shared.changed.notified() => 0,
                () = tokio::time::sleep(Duration::from_millis(due)) => {
                    if session.handle_timeout(self.now()).is_err() {
                        return "silent".into();
                    }
                    0
                }
                order = todo.recv(), if doing => {
                    match order {
                        Some(Do::Sleep { for_ms, ends_boot }) => session.sleep(for_ms, ends_boot),
                        Some(Do::Close { ends_boot }) => session.close(End::Closed, ends_boot),
                        Some(Do::Ask { key, body }) => {
                            // Only a live session asks.
                            if let Ok((len, _)) = session.ask(key, &body, &mut out[2..]) {
                                let at = prefixed(&mut out, len);
                                let _cut = io.write_all(&out[at..2 + len]).await;
                            }
                        }
                        Some(Do::Reply { id, body }) => {
                            session.reply(&outbox, sensock::CommandId(id), Outcome::Done, &body).map(drop).unwrap();
                        }
                        None => doing = false,
                    }
                    0
                }
            };
            let mut rest = &chunk[..n];
            while !rest.is_empty() {
                let Ok((used, len)) = deframer.feed(rest, &mut frame) else { return "no frames".into() };
                rest = &rest[used..];
                let Some(len) = len else { continue };
                let event = match session.handle_frame(&outbox, self.now(), &mut frame[..len]) {
                    Ok(event) => event,
                    Err(error) => return error.to_string(),
                };
                let (said, reply) = self.understand(event);
                if let Some((id, outcome, body)) = reply {
                    session.reply(&outbox, id, outcome, &body).unwrap();
                }
                said.into_iter().for_each(|s| self.say(s));
                self.shared.heard.notify_waiters();
            }
        }
    }

    #[allow(clippy::type_complexity)]
    fn understand(
        &self,
        event: Option<Event<'_>>,
    ) -> (Option<Said>, Option<(sensock::CommandId, Outcome, Vec<u8>)>) {
        let mut reply = None;
        let said = match event {
            None => return (None, None),
            Some(Event::Connected { welcomed, pending }) => {
                Said::Connected { shifted_by: welcomed.shifted_by, pending }
            }
            Some(Event::Committed { lane, mark }) => Said::Committed(lane, mark),
            Some(Event::Command(call)) => {
                let mut relay = self.relay();
                if self.shared.outbox.lock().unwrap().as_mut().begin(call.id) {
                    relay.ran.push(call.key);
                    if !relay.hold {
                        let body = if call.key == READ_NOW.key() {
                            let mut buf = [0; 16];
                            let n = 7u64.encode(&mut buf).unwrap();
                            buf[..n].to_vec()
                        } else {
                            call.body.to_vec()
                        };
                        let outcome = if call.key == RELAY.key() || call.key == 0 {
                            Outcome::Done
                        } else {
                            Outcome::Refused(99)
                        };
                        reply = Some((call.id, outcome, body));
                    }
                }
                Said::Command { key: call.key, body: call.body.to_vec() }
            }
            Some(Event::Setting(s)) => {
                self.shared.outbox.lock().unwrap().as_mut().applied(s.revision, None).unwrap();
                Said::Setting { key: s.key, body: s.body.to_vec() }
            }
            Some(Event::Answer(a)) => Said::Answer(a.id, a.result.map(<[u8]>::to_vec)),
            Some(Event::Refused(r)) => {
                Said::Refused { code: r.code, backoff_ms: r.backoff_ms, text: r.text.to_string() }
            }
            Some(Event::Bye(b)) => {
                Said::Bye { reason: b.reason, retry_ms: b.retry_ms, text: b.text.to_string() }
            }
            Some(_) => return (None, None),
        };
        (Some(said), reply)
    }
}

/// Everything that a peer sends until it closes.
pub async fn read_all(io: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut all = Vec::new();
    let _cut = io.read_to_end(&mut all).await;
    all
}

/// A frame behind its length.
pub fn framed(frame: &[u8]) -> Vec<u8> {
    let mut buf = vec![0; 2];
    buf.extend_from_slice(frame);
    let at = prefixed(&mut buf, frame.len());
    buf.split_off(at)
}

/// Within an hour, which in paused time is no time.
pub async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(3_600), what).await.expect("it did not come within an hour")
}

/// Lets everything that can run do so (in paused time: until only timers are left).
pub async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}
