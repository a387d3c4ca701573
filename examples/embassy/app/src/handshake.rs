//! What a handshake costs on a chip: a device dials a server that is part of the same program, so that nothing but the device is measured.

use core::cell::RefCell;
use core::convert::Infallible;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embassy_time::{Duration, Instant};
use embedded_io_async::{ErrorType, Read, Write};
use sensock::deframe::{Length, PREFACE, PREFIX_MAX, prefixed};
use sensock::seal::{Cover, Credential, Ephemeral, First, KeyId};
use sensock::wire::hello::{VERSION, Welcome};
use sensock::{StoreId, Tag};
use sensock_device::{Boot, Buffers, EmbassyClock, Key, Node, Outbox, Random};

use crate::application::FRAME;
use crate::catalogue::{CATALOGUE, TEMPERATURE};

/// A key of nobody's: the server that has it is in this program.
const NOBODYS: Credential = Credential { id: KeyId([0; 8]), key: sensock::seal::Key::new([0x5a; 32]) };
/// As much as both messages of a handshake, and a frame after them.
const LINE: usize = 512;

/// The board's stack, of which a measured stretch shows how much it took.
pub trait Stack {
    /// Fills what lies below the caller's own frame.
    fn paint(&mut self);
    /// How far below the frame of who painted anybody went since, in bytes.
    fn depth(&mut self) -> u32;
}

/// What one connection took, from the dial to the first frame after the server's Welcome.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Time of the device's own.
    pub time: Duration,
    /// How much stack it took.
    pub stack: u32,
}

impl Cost {
    const NOTHING: Cost = Cost { time: Duration::from_ticks(0), stack: 0 };

    /// Does something, which costs something.
    fn add<R>(&mut self, stack: &mut impl Stack, work: impl FnOnce() -> R) -> R {
        stack.paint();
        let begin = Instant::now();
        let done = work();
        self.time += begin.elapsed();
        self.stack = self.stack.max(stack.depth());
        done
    }
}

/// What a key adds.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// A connection without a key.
    pub insecure: Cost,
    /// One with a key, whose key pair was made before.
    pub sealed: Cost,
    /// Making the key pair.
    pub pair: Cost,
    /// Of a connection with a key, what sealing and opening alone take.
    pub cover: Cost,
}

/// Measures; none if the board has no random bytes, or the connections are not what they should be.
pub fn measure(random: Random, stack: &mut impl Stack) -> Option<Costs> {
    static INSECURE: Outbox<1024> = Outbox::new();
    static SEALED: Outbox<1024> = Outbox::new();
    let credential = NOBODYS;
    let mut pair = Cost::NOTHING;
    let mut make = |salt: u64| {
        let made = pair.add(stack, || Ephemeral::make(&credential.key, &mut { random }, &[1, 2, salt]));
        made.ok()
    };
    let (first, second, third) = (make(1)?, make(2)?, make(3)?);
    // Of three that are alike.
    pair.time /= 3;
    let cover = cover(&credential, first, second, stack)?;
    let insecure = connection(&INSECURE, Key::Insecure, None, stack)?;
    let sealed = connection(&SEALED, Key::Sealed(&credential, random), Some(third), stack)?;
    Some(Costs { insecure, sealed, pair, cover })
}

/// The handshake and a frame each way, without a session around.
#[inline(never)]
fn cover(
    credential: &Credential,
    ours: Ephemeral,
    theirs: Ephemeral,
    stack: &mut impl Stack,
) -> Option<Cost> {
    let mut cost = Cost::NOTHING;
    let mut device = Cover::dial(credential.clone(), ours);
    let mut bytes = [0; LINE];
    let n = cost.add(stack, || device.close(&mut bytes, 200)).ok()?;
    let (answer, hello) = First::read(&bytes[..n]).ok()?.open(&credential.key, &mut bytes[..n]).ok()?;
    let mut server = Cover::answer(answer, theirs);
    let n = server.close(&mut bytes, 60).ok()?;
    let opened = cost.add(stack, || device.open(&mut bytes[..n])).ok()?;
    let n = cost.add(stack, || device.close(&mut bytes, 100)).ok()?;
    let data = server.open(&mut bytes[..n]).ok()?;
    (hello.len() == 200 && opened.frame.len() == 60 && data.frame.len() == 100).then_some(cost)
}

#[inline(never)]
fn connection(
    outbox: &'static Outbox<1024>,
    key: Key<'_>,
    pair: Option<Ephemeral>,
    stack: &mut impl Stack,
) -> Option<Cost> {
    let mut buffers = Buffers::<FRAME>::new();
    let node = Node { id: "here", key, catalog: &CATALOGUE, boot: Boot::Number(1) };
    let (device, mut runner) = outbox.try_start(&node, EmbassyClock, &mut buffers).ok()?;
    device.record(&[TEMPERATURE.is(20.0)]).ok()?;
    // The key pair of the first connection is made meanwhile.
    runner.backoff_between(1, 1);
    let mut cx = Context::from_waker(Waker::noop());
    {
        let mut waiting = pin!(runner.backoff());
        while waiting.as_mut().poll(&mut cx).is_pending() {}
    }

    let line = RefCell::new(Line { up: Pipe::new(), down: Pipe::new() });
    let mut server = Server::new(pair);
    let mut running = pin!(runner.connection(End(&line), End(&line)));
    let mut cost = Cost::NOTHING;
    while !server.heard {
        if cost.add(stack, || running.as_mut().poll(&mut cx).is_ready()) {
            return None;
        }
        server.serve(&mut line.borrow_mut())?;
    }
    Some(cost)
}

/// Both directions of a connection.
struct Line {
    up: Pipe,
    down: Pipe,
}

/// Bytes under way.
struct Pipe {
    bytes: [u8; LINE],
    len: usize,
}

impl Pipe {
    const fn new() -> Self {
        Pipe { bytes: [0; LINE], len: 0 }
    }

    fn put(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(LINE - self.len);
        self.bytes[self.len..self.len + n].copy_from_slice(&bytes[..n]);
        self.len += n;
        n
    }

    fn take(&mut self, into: &mut [u8]) -> usize {
        let n = into.len().min(self.len);
        into[..n].copy_from_slice(&self.bytes[..n]);
        self.bytes.copy_within(n..self.len, 0);
        self.len -= n;
        n
    }
}

/// The device's end of the line. Nobody is woken: whoever measures asks again.
struct End<'a>(&'a RefCell<Line>);

impl ErrorType for End<'_> {
    type Error = Infallible;
}

impl Read for End<'_> {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, Infallible> {
        poll_fn(|_| match self.0.borrow_mut().down.take(into) {
            0 => Poll::Pending,
            n => Poll::Ready(Ok(n)),
        })
        .await
    }
}

impl Write for End<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        poll_fn(|_| match self.0.borrow_mut().up.put(bytes) {
            0 => Poll::Pending,
            n => Poll::Ready(Ok(n)),
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// As much of a server as a device needs for its first frame.
struct Server {
    deframer: Length,
    rx: [u8; LINE],
    cover: Cover,
    pair: Option<Ephemeral>,
    welcomed: bool,
    heard: bool,
}

impl Server {
    fn new(pair: Option<Ephemeral>) -> Self {
        let (deframer, cover) = (Length::new(), Cover::insecure());
        Server { deframer, rx: [0; LINE], cover, pair, welcomed: false, heard: false }
    }

    /// Takes what came; none if it is not what a device says.
    #[inline(never)]
    fn serve(&mut self, line: &mut Line) -> Option<()> {
        let mut chunk = [0; 64];
        loop {
            let n = line.up.take(&mut chunk);
            let mut bytes = &chunk[..n];
            while !bytes.is_empty() {
                let (used, message) = self.deframer.feed(bytes, &mut self.rx).ok()?;
                bytes = bytes.get(used..)?;
                if let Some(len) = message {
                    self.take(len, line)?;
                }
            }
            if n == 0 {
                return Some(());
            }
        }
    }

    fn take(&mut self, len: usize, line: &mut Line) -> Option<()> {
        let message = self.rx.get_mut(..len)?;
        if self.welcomed {
            self.cover.open(message).ok()?;
            self.heard = true;
            return Some(());
        }
        if let Some(pair) = self.pair.take() {
            let (answer, _hello) = First::read(message).ok()?.open(&NOBODYS.key, message).ok()?;
            self.cover = Cover::answer(answer, pair);
        }
        let welcome = Welcome {
            version: VERSION,
            tag: Tag(7),
            max_frame: 256,
            ping_interval_ms: 25_000,
            store: StoreId(7),
            nonce: 7,
            ..Welcome::default()
        };
        let mut out = [0; 256];
        let front = PREFIX_MAX + self.cover.margins().front;
        let n = welcome.encode(&mut out[front..]).ok()?;
        let n = self.cover.close(&mut out[PREFIX_MAX..], n).ok()?;
        let skipped = prefixed(&mut out, n);
        line.down.put(&PREFACE);
        line.down.put(&out[skipped..PREFIX_MAX + n]);
        self.welcomed = true;
        Some(())
    }
}
