//! A server's session under any order of calls.

use sensock::batch::{Cell, Sink, encode};
use sensock::catalog::Policy;
use sensock::error::{Misuse, Peer};
use sensock::server::{Config, Event, Proposal, Session};
use sensock::wire::alive::{self, Bye, Sleep};
use sensock::wire::call::{Answer, Ask, Call, SettingValue};
use sensock::wire::cursor::Writer;
use sensock::wire::data::{self, Data, Item, LaneContext, Outcome, ShapeIds};
use sensock::wire::flow::{self, Boots, CatalogPart, OldBoot};
use sensock::wire::header::{Header, Kind};
use sensock::wire::hello::{Account, End, Grant, Hello, LaneFloor, Refusal};
use sensock::{Cause, CommandId, DeviceId, Lane, Micros, Position, StoreId, Tag, Tick};

use super::input::Input;

/// Three lanes with an ack, a rewind and a credit each, a Welcome, a pong, a ping: no more can be due between two calls.
const FRAMES_MAX: usize = 16;

/// Operations on a server, decoded from the bytes. Whatever the device sends, and in whatever order the runtime calls: nothing panics,
/// frames keep to the device's size and can be read, `poll_transmit` comes to rest, marks and credit never go back, and the positions of
/// Data follow each other.
///
/// # Panics
/// If not.
pub fn server_session(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let style = input.byte();
    let window = match style & 3 {
        0 => Grant { records: 4_096, bytes: 64 << 10 },
        1 => Grant { records: 1, bytes: 1 },
        2 => Grant { records: u64::MAX, bytes: u64::MAX },
        _ => Grant { records: input.number(), bytes: input.number() },
    };
    let max_frame = if style & 4 == 0 { 4_096 } else { 256 };
    let config =
        Config { max_frame, ping_interval_ms: 100 + input.number() as u32 % 60_000, window: [window; 3] };
    let Ok(session) = Session::new(config, Micros(5_000_000)) else {
        assert!(window.records == 0 || window.bytes == 0);
        return;
    };
    let mut server = Server {
        session,
        now: Micros(5_000_000),
        nonce: 0,
        ping: 0,
        next: [Position::new(1, 0); Lane::COUNT],
        context: [LaneContext::default(); Lane::COUNT],
        pending: vec![],
        told: [Grant::default(); Lane::COUNT],
        acked: None,
        rewound: [true; Lane::COUNT],
        last: vec![],
    };
    while !input.is_empty() {
        server.step(&mut input);
        server.check();
    }
    server.drain();
    let _ = server.session.handle_timeout(Micros(u64::MAX));
}

struct Server {
    session: Session,
    now: Micros,
    nonce: u64,
    ping: u32,
    /// Where an honest device stands in each lane, and what it remembers of it.
    next: [Position; Lane::COUNT],
    context: [LaneContext; Lane::COUNT],
    /// Data that the runtime holds: lane, last position, records, bytes.
    pending: Vec<(Lane, Position, u32, usize)>,
    told: [Grant; Lane::COUNT],
    /// The mark of each lane as the device knows it, from Welcome on.
    acked: Option<[Position; Lane::COUNT]>,
    /// The next Data of the lane may begin elsewhere: a mark overtook it, the store rewound it, the floor rose.
    rewound: [bool; Lane::COUNT],
    last: Vec<u8>,
}

impl Server {
    fn step(&mut self, input: &mut Input<'_>) {
        match input.below(30) {
            0 => self.now = self.now.plus(input.number()),
            1 => _ = self.session.handle_timeout(self.now),
            2 | 3 => self.drain(),
            4 => {
                let mut frame = input.bytes(255).to_vec();
                self.frame(&mut frame);
            }
            5 => {
                let mut frame = self.hello(input);
                self.upward(input, &mut frame);
            }
            6 => self.welcome(input),
            7 => {
                // The marks that the Hello transaction found: each may be beyond what came.
                self.session.confirm(self.next.map(|p| input.position(p)));
                self.rewound = [true; Lane::COUNT];
            }
            8 => self.session.catalog_stored(),
            9..=11 => {
                // The runtime commits what it holds, or any position.
                if let Some((lane, mark, records, bytes)) = self.pending.pop() {
                    self.session.committed(lane, mark);
                    self.session.release(lane, records, bytes);
                    self.rewound[lane.index()] = true;
                }
            }
            12 => {
                let lane = input.lane();
                self.session.committed(lane, input.position(self.next[lane.index()]));
                self.rewound[lane.index()] = true;
            }
            13 => {
                let lane = input.lane();
                self.session.rewind(lane, input.position(self.next[lane.index()]));
                self.rewound[lane.index()] = true;
            }
            14 => self.session.release(input.lane(), input.number() as u32, input.number() as usize),
            15 => {
                let window = Grant { records: input.number(), bytes: input.number() };
                self.session.window(input.lane(), window);
            }
            16 => self.down(input),
            17 => self.session.answered(),
            18 => _ = self.session.refuse(Refusal::Busy, 1, "busy", &mut [0; 256]),
            19 if input.byte() > 0x80 => _ = self.session.bye(End::Closed, 1, "bye", &mut [0; 256]),
            20..=25 => {
                let mut frame = self.data(input);
                self.upward(input, &mut frame);
            }
            26 => {
                let mut frame = std::mem::take(&mut self.last);
                self.frame(&mut frame);
            }
            _ => {
                let mut frame = vec![0; 400];
                let n = self.other(input, &mut frame);
                frame.truncate(n);
                self.upward(input, &mut frame);
            }
        }
    }

    fn upward(&mut self, input: &mut Input<'_>, frame: &mut Vec<u8>) {
        if input.byte() > 0xe8 {
            input.spoil(frame);
        }
        self.last.clone_from(frame);
        self.frame(frame);
    }

    fn hello(&mut self, input: &mut Input<'_>) -> Vec<u8> {
        let stand = |near: Position, input: &mut Input<'_>| {
            let floor = input.position(near);
            let acked = if input.flag() { floor.prev() } else { Position::NONE };
            let span = input.flag().then_some((Tick(5), Tick(9)));
            LaneFloor { floor, acked, cause: Cause::from_number(input.byte() & 7), span }
        };
        let hello = Hello {
            versions: (1, 1 + (input.byte() & 1)),
            features: 0,
            device: DeviceId::new("cellar-3").unwrap(),
            boot: input.flag().then_some(1),
            tag: Tag(input.number()),
            pending_tag: Tag::NONE,
            tick: Tick(input.number()),
            lanes: self.next.map(|p| stand(p, input)),
            max_frame: 256 + u16::from(input.byte()),
            command_slots: 1 + (input.byte() & 7),
            last_begun: CommandId(0),
            catalog: 7,
            settings: 0,
            store: StoreId(0),
            account: Account::default(),
        };
        let mut frame = vec![0; 256];
        let n = hello.encode(&mut frame).unwrap();
        frame.truncate(n);
        frame
    }

    fn welcome(&mut self, input: &mut Input<'_>) {
        let marks =
            if input.flag() { self.next.map(Position::prev) } else { self.next.map(|p| input.position(p)) };
        let proposal = Proposal {
            boot_shift: 0,
            tag: Tag(7),
            marks,
            want_catalog: input.byte() > 0xc0,
            pending: 0,
            store: StoreId(9),
            nonce: input.byte().into(),
        };
        if self.session.welcome(proposal).is_ok() {
            self.nonce = proposal.nonce;
            self.acked = Some(marks);
            self.next = marks.map(Position::next);
        }
    }

    /// Data as an honest device would send it now, or a little beside.
    fn data(&mut self, input: &mut Input<'_>) -> Vec<u8> {
        let lane = input.lane();
        let i = lane.index();
        let mut frame = vec![0; 600];
        let mut w = Writer::new(&mut frame);
        let context = &mut self.context[i];
        if input.byte() > 0xe0 {
            *context = LaneContext::default();
        }
        if input.byte() > 0xf0 {
            self.next[i] = input.position(self.next[i]);
        }
        data::begin(&mut w, lane, self.next[i]);
        let items = 1 + input.below(4);
        for item in 0..items {
            match input.below(8) {
                0..=3 => {
                    let count = 1 + input.below(20);
                    let mut shape = ShapeIds::default();
                    (0..=input.below(3)).for_each(|q| assert!(shape.push(1 + q as u16)));
                    let tick = Tick(input.number());
                    let columns = run(tick, count, shape.as_slice().len(), input);
                    let followed = (item + 1 < items).then_some(columns.len());
                    let superseded = (count == 1 && input.flag()).then_some((3, Tick(tick.0 / 2)));
                    data::run_head(&mut w, context, count, tick, &shape, superseded, followed);
                    w.bytes(&columns);
                    self.next[i] = self.next[i].plus(count as u64);
                }
                4 => {
                    let count = (input.number() as u32).max(1);
                    data::gap(&mut w, count, Cause::Overflow, input.flag().then_some((Tick(1), Tick(2))));
                    self.next[i] = self.next[i].plus(count.into());
                }
                5 => {
                    let ahead = input.number() as u32;
                    data::boot(&mut w, context, ahead, input.flag());
                    self.next[i] = Position::boot_start(self.next[i].boot().wrapping_add(ahead));
                }
                6 => {
                    let body = input.bytes(140);
                    data::reply(&mut w, CommandId(3), Outcome::Refused(input.byte()), body);
                    self.next[i] = self.next[i].next();
                }
                _ => {
                    data::applied(&mut w, input.number() as u32, input.flag().then(|| input.byte()));
                    self.next[i] = self.next[i].next();
                }
            }
        }
        let n = w.len();
        frame.truncate(n);
        frame
    }

    /// What else a device may send.
    fn other(&mut self, input: &mut Input<'_>, out: &mut [u8]) -> usize {
        let lane = input.lane();
        match input.below(10) {
            0..=2 => alive::pong(self.nonce, Tick(input.number()), out),
            3 => alive::pong(self.ping.into(), Tick(input.number()), out),
            4 => alive::ping(input.number() as u32, out),
            5 => {
                let floor = input.position(self.next[lane.index()]);
                self.next[lane.index()] = floor;
                let stand = LaneFloor { floor, acked: Position::NONE, cause: Cause::Overflow, span: None };
                self.context[lane.index()] = LaneContext::default();
                flow::floor(lane, &stand, out)
            }
            6 => {
                let mut boots = Boots::default();
                for i in 0..input.below(9) {
                    boots.push(OldBoot { boot: i as u32, catalog: input.number(), last_tick: Tick(1) });
                }
                boots.encode(out)
            }
            7 => {
                let mut w = Writer::new(out);
                let total = input.number() as u16;
                CatalogPart::head(7, total, input.number() as u16, &mut w);
                w.bytes(input.bytes(100));
                w.finish()
            }
            8 => {
                let lasts = self.next.map(Position::prev);
                if input.flag() {
                    Sleep { for_ms: input.number() as u32, ends_boot: true, lasts }.encode(out)
                } else {
                    Bye { reason: End::Closed, retry_ms: 0, ends_boot: true, lasts, text: "".into() }
                        .encode(out)
                }
            }
            _ => Ask { id: 1, key: 1, body: input.bytes(140) }.encode(out),
        }
        .unwrap()
    }

    fn frame(&mut self, frame: &mut [u8]) {
        let len = frame.len();
        let event = match self.session.handle_frame(self.now, frame) {
            Ok(event) => event,
            Err(e) => {
                assert!(!matches!(e, Peer::AckBeyondSent | Peer::Preface));
                return;
            }
        };
        match event {
            Some(Event::Data(data)) => self.arrived(&data, len),
            Some(Event::Floor { lane, .. }) => self.rewound[lane.index()] = true,
            Some(Event::Catalog(part)) => {
                assert!(usize::from(part.offset) + part.bytes.len() <= usize::from(part.total));
            }
            Some(Event::Ask(ask)) => assert!(ask.body.len() <= 128),
            _ => {}
        }
    }

    fn arrived(&mut self, data: &Data<'_>, len: usize) {
        let i = data.lane.index();
        let mut at = data.first;
        let mut records = 0u64;
        for item in data.items() {
            let (first, count) = match item {
                Item::Run(run) => {
                    let _ = run.decode(&mut Nothing);
                    (run.first, run.count as u64)
                }
                Item::Gap { first, last, .. } => (first, last.0 - first.0 + 1),
                Item::Boot { after, boot, .. } => {
                    assert!(after == at.prev() && boot > at.boot());
                    at = Position::boot_start(boot);
                    continue;
                }
                Item::Reply { position, body, .. } => {
                    assert!(body.len() <= 128);
                    (position, 1)
                }
                Item::Applied { position, .. } => (position, 1),
                Item::Unknown { first, count, .. } => (first, count.into()),
            };
            assert_eq!(first, at);
            records += count;
            at = at.plus(count);
        }
        assert_eq!((at, records), (data.next, u64::from(data.records)));
        if !std::mem::take(&mut self.rewound[i])
            && let Some((_, last, ..)) = self.pending.iter().rfind(|(lane, ..)| *lane == data.lane)
        {
            assert_eq!(data.first, last.next(), "data does not follow what came before");
        }
        self.pending.push((data.lane, data.next.prev(), data.records, len));
    }

    fn drain(&mut self) {
        let mut buf = vec![0; 256];
        for _ in 0..FRAMES_MAX {
            let n = self.session.poll_transmit(self.now, &mut buf).expect("256 bytes are enough");
            if n == 0 {
                return;
            }
            let (head, body) = (Header::parse(buf[0]).expect("we wrote it"), &buf[1..n]);
            let i = usize::from(head.lane);
            match head.kind.unwrap() {
                Kind::Ack => {
                    let acked = &mut self.acked.as_mut().expect("after Welcome")[i];
                    *acked = flow::read_ack(*acked, body).unwrap();
                }
                Kind::Credit => {
                    let grant = flow::read_credit(body).unwrap();
                    assert!(grant.records >= self.told[i].records && grant.bytes >= self.told[i].bytes);
                    self.told[i] = grant;
                }
                Kind::Rewind => {
                    let acked = self.acked.expect("after Welcome")[i];
                    let to = flow::read_rewind(body).unwrap();
                    assert!(to > acked || acked.0 == u64::MAX, "a device refuses {to} after {acked}");
                }
                Kind::Ping => self.ping = alive::read_ping(body).unwrap(),
                Kind::Welcome => self.told = sensock::wire::hello::Welcome::decode(body).unwrap().credit,
                Kind::Pong => {}
                other => panic!("{other:?}"),
            }
        }
        panic!("poll_transmit does not come to rest");
    }

    fn down(&mut self, input: &mut Input<'_>) {
        let mut out = [0; 300];
        let size = if input.byte() == 0xff { 100 } else { 300 };
        let (key, body) = (input.byte().into(), input.bytes(140));
        let done = match input.below(3) {
            0 => {
                let not_after = input.flag().then(|| Tick(input.number()));
                let call = Call { id: CommandId(5), key, policy: Policy::Once, not_after, body };
                self.session.command(&call, &mut out[..size])
            }
            1 => self.session.setting(&SettingValue { key, revision: 1, body }, &mut out[..size]),
            _ => self.session.answer(&Answer { id: 1, result: Ok(body) }, &mut out[..size]),
        };
        match done {
            Ok(n) => assert!(n <= self.session.peer_max_frame() && self.session.is_live()),
            Err(e) => assert!(matches!(e, Misuse::State | Misuse::Body | Misuse::Buffer | Misuse::Busy)),
        }
    }

    fn check(&mut self) {
        assert!(self.session.is_closed() || self.session.poll_timeout().is_some());
        assert!(!(self.session.is_live() && self.session.bounds().is_none()));
        if self.session.is_closed() {
            assert_eq!(self.session.poll_timeout(), None);
        }
        // A runtime holds no more than it granted; here, forget the oldest.
        if self.pending.len() > 64 {
            self.pending.remove(0);
        }
    }
}

fn run(tick: Tick, count: usize, columns: usize, input: &mut Input<'_>) -> Vec<u8> {
    if input.byte() > 0xe0 {
        return input.bytes(100).to_vec();
    }
    let mut out = vec![0; 1_000];
    let ticks = (0..count as u64).map(|i| tick.0.saturating_add(i));
    let n = encode(&mut out, count, ticks, columns, |c| {
        (0..count).map(move |r| if r % 5 == 4 { Cell::Fault(1) } else { Cell::Value((r * c) as i32) })
    });
    out.truncate(n.unwrap_or(0));
    out
}

/// Takes what a run holds and keeps nothing.
struct Nothing;

impl Sink for Nothing {
    fn tick(&mut self, _: usize, _: u64) {}
    fn cell(&mut self, _: usize, _: usize, _: Cell) {}
}
