//! A server of one file: the real server session over any tokio stream, with lists as its store.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

pub mod nor;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use embedded_io_adapters::tokio_1::FromTokio;
use sensock::batch::{Cell, Sink};
use sensock::catalog::Policy;
use sensock::deframe::{Length, PREFACE, prefixed};
use sensock::server::{Config, Event, Proposal, Session};
use sensock::wire::call::{Answer, Call, SettingValue};
use sensock::wire::data::{Item, Outcome};
use sensock::wire::hello::{End, Hello, LaneFloor, Refusal};
use sensock::{Cause, CommandId, Lane, Micros, Position, StoreId, Tag};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::Notify;
use tokio::time::Instant;

#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    Record(Lane, Position, u64, Vec<(u16, Cell)>),
    Gap(Lane, Position, Position, Cause),
    Boot(Lane, u32, bool),
    Reply(Position, u32, Outcome, Vec<u8>),
    Applied(Position, u32, Option<u8>),
}

/// What the server is told to do, and what it saw.
#[derive(Default)]
pub struct Desk {
    pub rows: Vec<Row>,
    pub marks: [Position; 3],
    pub boot: u32,
    pub hellos: Vec<Hello>,
    pub events: Vec<String>,
    pub commands: VecDeque<(u32, u16, Policy, Vec<u8>)>,
    pub settings: VecDeque<(u16, u32, Vec<u8>)>,
    pub answers: Vec<(u16, Result<Vec<u8>, u8>)>,
    /// Do not answer questions at all.
    pub mute: bool,
    /// Commit nothing.
    pub stalled: bool,
    pub refuse: Option<(Refusal, u32, String)>,
    pub bye: Option<(End, u32)>,
    pub sleeps: Vec<(u32, bool)>,
    /// Shift the next Hello's boots by so many.
    pub rebase: u32,
    /// Boots that were announced as held in flash.
    pub announced: Vec<u32>,
    /// Of those the ones that the last frame called moved.
    pub moved: Vec<u32>,
}

#[derive(Clone, Default)]
pub struct Server {
    desk: Arc<Mutex<Desk>>,
    changed: Arc<Notify>,
}

impl Server {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap()
    }

    /// Changes what the server is told.
    pub fn tell(&self, f: impl FnOnce(&mut Desk)) {
        f(&mut self.desk());
        self.changed.notify_one();
    }

    pub fn command(&self, id: u32, key: u16, policy: Policy, body: &[u8]) {
        self.tell(|d| d.commands.push_back((id, key, policy, body.to_vec())));
    }

    pub fn setting(&self, key: u16, revision: u32, body: &[u8]) {
        self.tell(|d| d.settings.push_back((key, revision, body.to_vec())));
    }

    /// A transport to this server: it serves the other end until that is gone.
    pub fn dial(
        &self,
    ) -> (FromTokio<ReadHalf<tokio::io::DuplexStream>>, FromTokio<WriteHalf<tokio::io::DuplexStream>>) {
        let (ours, theirs) = tokio::io::duplex(4096);
        let server = self.clone();
        tokio::spawn(async move { server.serve(theirs).await });
        halves(ours)
    }

    pub async fn serve(&self, stream: impl AsyncRead + AsyncWrite) {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let zero = Instant::now() - Duration::from_secs(5);
        let now = || Micros(zero.elapsed().as_micros() as u64);
        let config = Config { ping_interval_ms: 1_000, ..Config::default() };
        let mut connection =
            Connection { session: Session::new(config, now()).unwrap(), out: PREFACE.to_vec() };
        let (mut deframer, mut frame, mut chunk) = (Length::new(), vec![0; 4096], [0; 512]);
        loop {
            connection.downwards(&mut self.desk(), now());
            if !connection.out.is_empty() {
                if writer.write_all(&std::mem::take(&mut connection.out)).await.is_err() {
                    return;
                }
                continue;
            }
            if connection.session.is_closed() {
                return;
            }
            let wait = connection.session.poll_timeout().map_or(u64::MAX >> 20, |t| t.since(now()) + 1);
            tokio::select! {
                read = reader.read(&mut chunk) => {
                    let Ok(n @ 1..) = read else { return };
                    let mut bytes = &chunk[..n];
                    while !bytes.is_empty() {
                        let Ok((used, done)) = deframer.feed(bytes, &mut frame) else { return };
                        bytes = &bytes[used..];
                        if let Some(len) = done
                            && !connection.upwards(&mut self.desk(), now(), &mut frame[..len])
                        {
                            return;
                        }
                    }
                }
                _ = self.changed.notified() => {}
                _ = tokio::time::sleep(Duration::from_micros(wait)) => {
                    if connection.session.handle_timeout(now()).is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// Two independent halves, as embedded-io has them.
pub fn halves<T: AsyncRead + AsyncWrite>(stream: T) -> (FromTokio<ReadHalf<T>>, FromTokio<WriteHalf<T>>) {
    let (reader, writer) = tokio::io::split(stream);
    (FromTokio::new(reader), FromTokio::new(writer))
}

struct Connection {
    session: Session,
    out: Vec<u8>,
}

impl Connection {
    fn push(&mut self, write: impl FnOnce(&mut Session, &mut [u8]) -> usize) -> bool {
        let mut buf = [0; 4098];
        let len = write(&mut self.session, &mut buf[2..]);
        if len > 0 {
            let at = prefixed(&mut buf, len);
            self.out.extend_from_slice(&buf[at..2 + len]);
        }
        len > 0
    }

    fn downwards(&mut self, desk: &mut Desk, now: Micros) {
        while self.push(|s, out| s.poll_transmit(now, out).unwrap()) {}
        if !self.session.is_live() {
            return;
        }
        while self.session.can_command() {
            let Some((id, key, policy, body)) = desk.commands.pop_front() else { break };
            let call = Call { id: CommandId(id), key, policy, not_after: None, body: &body };
            self.push(|s, out| s.command(&call, out).unwrap());
        }
        while self.session.can_command() {
            let Some((key, revision, body)) = desk.settings.pop_front() else { break };
            let setting = SettingValue { key, revision, body: &body };
            self.push(|s, out| s.setting(&setting, out).unwrap());
        }
        for (id, result) in std::mem::take(&mut desk.answers) {
            let result = result.as_deref().map_err(|code| *code);
            self.push(|s, out| s.answer(&Answer { id, result }, out).unwrap());
        }
        if let Some((reason, retry)) = desk.bye.take() {
            self.push(|s, out| s.bye(reason, retry, "moving", out).unwrap());
        }
    }

    fn upwards(&mut self, desk: &mut Desk, now: Micros, frame: &mut [u8]) -> bool {
        let len = frame.len();
        let event = match self.session.handle_frame(now, frame) {
            Ok(Some(event)) => event,
            Ok(None) => return true,
            Err(peer) => {
                desk.events.push(format!("protocol: {peer}"));
                return false;
            }
        };
        match event {
            Event::Hello(hello) => {
                desk.hellos.push(hello);
                if let Some((code, backoff, text)) = &desk.refuse {
                    self.push(|s, out| s.refuse(*code, *backoff, text, out).unwrap());
                    return true;
                }
                let boot_shift =
                    if hello.boot.is_none() { desk.boot + 1 } else { std::mem::take(&mut desk.rebase) };
                desk.boot = hello.boot.unwrap_or(0) + boot_shift;
                for (i, stand) in hello.lanes.iter().enumerate() {
                    let mut stand = *stand;
                    stand.floor = Position(stand.floor.0 + (u64::from(boot_shift) << 32));
                    desk.explain(Lane::ALL[i], &stand);
                }
                let marks = desk.marks;
                self.session
                    .welcome(Proposal {
                        boot_shift,
                        tag: Tag(70 + u64::from(desk.boot)),
                        marks,
                        want_catalog: false,
                        pending: 0,
                        store: StoreId(9),
                        nonce: 0x1234_5678_9abc_def0,
                    })
                    .unwrap();
            }
            Event::Proved => self.session.confirm(desk.marks),
            Event::Data(data) => {
                let lane = data.lane;
                if desk.stalled {
                    return true;
                }
                for item in data.items() {
                    take(desk, lane, item, &mut self.session);
                }
                let (next, records) = (data.next, data.records);
                desk.marks[lane.index()] = next.prev();
                self.session.committed(lane, next.prev());
                self.session.release(lane, records, len);
            }
            Event::Floor { lane, floor } => {
                desk.explain(lane, &floor);
                self.session.committed(lane, desk.marks[lane.index()]);
            }
            Event::Ask(ask) if !desk.mute => desk.answers.push((ask.id, Ok(ask.body.to_vec()))),
            Event::Sleep(sleep) => {
                desk.sleeps.push((sleep.for_ms, sleep.ends_boot));
                self.push(|s, out| s.bye(End::Slept, 0, "", out).unwrap());
            }
            Event::Bye(bye) => desk.events.push(format!("bye {:?}", bye.reason)),
            Event::Boots(boots) => {
                desk.moved = boots.moved().iter().map(|b| b.boot).collect();
                for boot in boots.as_slice().iter().map(|b| b.boot) {
                    assert!(
                        desk.announced.last().is_none_or(|last| boot > *last)
                            || desk.announced.contains(&boot)
                    );
                    if !desk.announced.contains(&boot) {
                        desk.announced.push(boot);
                    }
                }
            }
            _ => {}
        }
        true
    }
}

fn take(desk: &mut Desk, lane: Lane, item: Item<'_>, session: &mut Session) {
    match item {
        Item::Run(run) => {
            let mut t = Table { ticks: vec![], cells: vec![vec![]; run.count] };
            run.decode(&mut t).unwrap();
            let ids = run.shape.as_slice();
            for i in 0..run.count {
                let cells = t.cells[i].iter().map(|(c, v)| (ids[*c], *v)).collect();
                desk.rows.push(Row::Record(lane, run.first.plus(i as u64), t.ticks[i], cells));
            }
        }
        Item::Gap { first, last, cause, .. } => desk.rows.push(Row::Gap(lane, first, last, cause)),
        Item::Reply { position, command, outcome, body } => {
            session.answered();
            desk.rows.push(Row::Reply(position, command.0, outcome, body.to_vec()));
        }
        Item::Applied { position, revision, refused } => {
            desk.rows.push(Row::Applied(position, revision, refused));
        }
        Item::Boot { boot, complete, .. } => desk.rows.push(Row::Boot(lane, boot, complete)),
        other => panic!("{other:?}"),
    }
}

impl Desk {
    /// SPEC 8.3.
    fn explain(&mut self, lane: Lane, stand: &LaneFloor) {
        let mark = self.marks[lane.index()];
        if stand.floor <= mark.next() {
            return;
        }
        let first_seen = mark == Position::NONE && stand.floor.n() == 0;
        let nothing = stand.floor.n() == 0 && stand.acked != Position::NONE && stand.cause == Cause::None;
        if !first_seen && !nothing {
            self.rows.push(Row::Gap(lane, mark.next(), stand.floor.prev(), stand.cause));
        }
        self.marks[lane.index()] = stand.floor.prev();
    }

    /// Positions of the records of a lane, in the order in which they came.
    pub fn positions(&self, lane: Lane) -> Vec<Position> {
        let of = |row: &Row| match row {
            Row::Record(l, p, ..) if *l == lane => Some(*p),
            _ => None,
        };
        self.rows.iter().filter_map(of).collect()
    }

    pub fn gaps(&self) -> usize {
        self.rows.iter().filter(|r| matches!(r, Row::Gap(..))).count()
    }

    /// Commands with their outcomes, in the order in which they came.
    pub fn replies(&self) -> Vec<(u32, Outcome)> {
        let of = |row: &Row| match row {
            Row::Reply(_, id, outcome, _) => Some((*id, *outcome)),
            _ => None,
        };
        self.rows.iter().filter_map(of).collect()
    }
}

struct Table {
    ticks: Vec<u64>,
    cells: Vec<Vec<(usize, Cell)>>,
}

impl Sink for Table {
    fn tick(&mut self, row: usize, tick: u64) {
        assert_eq!(row, self.ticks.len());
        self.ticks.push(tick);
    }
    fn cell(&mut self, row: usize, column: usize, cell: Cell) {
        self.cells[row].push((column, cell));
    }
}
