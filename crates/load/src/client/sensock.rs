//! A device's end: the core's own session and outbox, on a socket.

use std::cell::RefCell;

use anyhow::{Result, anyhow, bail, ensure};
use catalog::{CELLAR, HUMIDITY, TEMPERATURE};
use sensock::deframe::{Length, PREFACE, prefixed};
use sensock::device::{Event, Node, Outbox, Session, Share as _, Transmit};
use sensock::seal::{Cover, Margins, SECOND_OVERHEAD};
use sensock::wire::hello::{Account, End};
use sensock::{Lane, Position, Tick};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::Client;
use super::wire::Wire;
use crate::cover;

/// What a lane's frame may have: a batch is cut at it.
const FRAME: usize = 4_096;
/// A server's frames are small.
const SMALL: usize = 256;

/// A device on a socket. `N` is its outbox.
struct Device<'b, const N: usize> {
    wire: Wire,
    session: Session<'b>,
    outbox: Box<RefCell<Outbox<N>>>,
    cover: Cover,
    deframer: Length,
    frame: [u8; SMALL + SECOND_OVERHEAD],
    out: Vec<u8>,
    started: Instant,
    mark: Position,
}

pub(super) async fn run<const N: usize>(client: Client, sealed: bool, gate: &Semaphore) -> Result<()> {
    let Client { address, number, name, turns } = client;
    let room = if turns.pace().batch <= 1 { SMALL } else { FRAME };
    let dialling = gate.acquire().await?;
    let mut scratch = vec![0; room];
    let id = cover::name(name)?;
    let node = Node { id, catalog: &CELLAR, max_frame: SMALL as u16 };
    let mut device = Device::<N> {
        wire: Wire::dial(address, name).await?,
        session: Session::new(node, &mut scratch).map_err(|e| anyhow!("{e}"))?,
        outbox: Box::new(RefCell::new(Outbox::new())),
        cover: if sealed { cover::dial(&id)? } else { Cover::insecure() },
        deframer: Length::new(),
        frame: [0; SMALL + SECOND_OVERHEAD],
        out: PREFACE.to_vec(),
        started: Instant::now(),
        mark: Position::NONE,
    };
    device.outbox.with(|o| o.start(Some(1)));
    let now = device.now();
    device.session.start(now, Account::default(), Default::default());
    device.transmit(room).await?;
    while !device.session.is_live() {
        device.receive(room).await?;
    }
    drop(dialling);
    turns.connected();

    let (mut before, mut n) = (None, 0u32);
    loop {
        let turn = tokio::select! {
            biased;
            turn = turns.next(number, before) => turn,
            // A ping, or what the server sends besides.
            ready = device.wire.readable() => {
                ready?;
                device.handle(room).await?;
                continue;
            }
        };
        let Some(turn) = turn else { break };
        before = Some(turn.due);
        let mut last = Position::NONE;
        for _ in 0..turn.records {
            n = n.wrapping_add(1);
            last = device.record(n)?;
        }
        device.transmit(room).await?;
        while device.mark < last {
            device.receive(room).await?;
        }
        turns.answered(turn);
    }
    device.session.close(End::Closed, false);
    device.transmit(room).await
}

impl<const N: usize> Device<'_, N> {
    fn now(&self) -> Tick {
        Tick(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// One record of two readings, whose values wander; its position on the wire.
    fn record(&mut self, n: u32) -> Result<Position> {
        let (t, h) =
            ((n.wrapping_mul(2_654_435_761) >> 24) as f32, (n.wrapping_mul(40_503) >> 12 & 0xff) as f32);
        let readings = [TEMPERATURE.is(20.0 + t / 100.0), HUMIDITY.is(50.0 + h / 10.0)];
        let now = self.now();
        let position = self.outbox.with(|o| o.record(Lane::Readings, now, &readings).map(|p| o.wire(p)));
        position.map_err(|e| anyhow!("{e}"))
    }

    /// Writes every frame that is due, in one go.
    async fn transmit(&mut self, room: usize) -> Result<()> {
        let now = self.now();
        loop {
            let at = self.out.len();
            let Margins { front, back } = self.cover.margins();
            self.out.resize(at + 2 + front + room + back, 0);
            let frame = &mut self.out[at..];
            let inner = &mut frame[2 + front..2 + front + room];
            let Transmit::Frame(n) = self.session.poll_transmit(&*self.outbox, now, inner) else {
                self.out.truncate(at);
                break;
            };
            let n =
                self.cover.close(&mut frame[2..], n).map_err(|_| anyhow!("no room for a sealed frame"))?;
            let skip = prefixed(frame, n);
            self.out.truncate(at + 2 + n);
            if skip > 0 {
                self.out.remove(at);
            }
        }
        if !self.out.is_empty() {
            self.wire.write(&self.out).await?;
            self.out.clear();
        }
        // Ten thousand idle devices shall fit this process.
        if self.out.capacity() > FRAME {
            self.out = Vec::new();
        }
        Ok(())
    }

    /// Waits for bytes, handles their frames and answers them.
    async fn receive(&mut self, room: usize) -> Result<()> {
        self.wire.readable().await?;
        self.handle(room).await
    }

    /// Handles what came.
    async fn handle(&mut self, room: usize) -> Result<()> {
        let now = self.now();
        let Device { wire, session, outbox, cover, deframer, frame, mark, .. } = self;
        wire.read(|mut bytes| {
            while !bytes.is_empty() {
                let (used, whole) = deframer.feed(bytes, frame).map_err(|e| anyhow!("{e}"))?;
                bytes = &bytes[used..];
                let Some(len) = whole else { continue };
                let opened = cover.open(&mut frame[..len])?;
                let frame = &mut frame[opened.frame];
                let event = session.handle_frame(&**outbox, now, frame).map_err(|e| anyhow!("{e}"))?;
                match event {
                    Some(Event::Committed { lane: Lane::Readings, mark: to }) => *mark = to,
                    Some(Event::Refused(r)) => bail!("the server refused: {}", r.text),
                    Some(Event::Bye(b)) => bail!("the server said goodbye: {}", b.text),
                    _ => {}
                }
            }
            Ok(())
        })?;
        ensure!(!self.session.is_closed(), "the session ended");
        self.transmit(room).await
    }
}
