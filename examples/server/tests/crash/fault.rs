//! What a network does to the connections of a line.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;
use sensock_testkit::proxy::{Flow, Line, Proxy, Way};
use sensock_testkit::rng::Rng;

/// A fault that waits for a byte or a dial waits no longer than this.
const PATIENCE: Duration = Duration::from_secs(10);

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Both ends are reset.
    Cut,
    /// Nothing arrives any more on the connections of now, and nobody is told.
    HalfOpen,
    /// The same, upwards only.
    HalfOpenUp,
    /// The same, downwards only.
    HalfOpenDown,
    /// Bytes wait, in one direction or both.
    Stall,
    /// Single bytes, some 20 to 80 a second.
    Drip,
    /// Both ends are reset behind a byte that is nearly always in the middle of a frame.
    ResetInFrame,
    /// Both ends are closed in good order behind such a byte.
    Truncate,
    /// The device is reset and dials again; what it had sent, and its end, reach the server later than the new connection.
    LateTwin,
    /// The server sees the next connection twice.
    Mirror,
}

impl Kind {
    pub(crate) const ALL: [Kind; 10] = [
        Kind::Cut,
        Kind::HalfOpen,
        Kind::HalfOpenUp,
        Kind::HalfOpenDown,
        Kind::Stall,
        Kind::Drip,
        Kind::ResetInFrame,
        Kind::Truncate,
        Kind::LateTwin,
        Kind::Mirror,
    ];

    fn words(self) -> &'static str {
        match self {
            Kind::Cut => "cut",
            Kind::HalfOpen => "half-open",
            Kind::HalfOpenUp => "half-open upwards",
            Kind::HalfOpenDown => "half-open downwards",
            Kind::Stall => "stalled",
            Kind::Drip => "one byte at a time",
            Kind::ResetInFrame => "reset in a frame",
            Kind::Truncate => "truncated",
            Kind::LateTwin => "late twin",
            Kind::Mirror => "duplicated",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

/// The way from some devices to a server: two proxies in a row, perfect unless struck.
#[derive(Debug)]
pub(crate) struct Wire {
    near: Proxy,
    far: Proxy,
}

impl Wire {
    /// To `server`, which sees an address that no other wire has.
    pub(crate) fn new(server: SocketAddr, number: u8) -> Result<Self> {
        let far = Proxy::start(server)?;
        // Elsewhere than on Linux all wires share one address.
        if cfg!(target_os = "linux") {
            far.dial_from(IpAddr::from([127, 1, 0, number]));
        }
        Ok(Self { near: Proxy::start(far.addr())?, far })
    }

    /// Where devices dial.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.near.addr()
    }

    /// One fault of this kind, from its beginning to the moment in which nothing interferes any more. `false`: there was no
    /// connection that it could have hit, and it does not count.
    pub(crate) fn strike(&self, kind: Kind, rng: &mut Rng) -> bool {
        let hit = self.once(kind, rng);
        // Every fourth time the line is cut again while devices find their way back.
        if hit && rng.one_in(4) {
            pass(rng, 0..900);
            self.near.cut();
        }
        hit
    }

    fn once(&self, kind: Kind, rng: &mut Rng) -> bool {
        match kind {
            Kind::Cut => self.near.cut() > 0,
            Kind::HalfOpen => self.near.orphan(&[Way::Up, Way::Down]) > 0,
            Kind::HalfOpenUp => self.near.orphan(&[Way::Up]) > 0,
            Kind::HalfOpenDown => self.near.orphan(&[Way::Down]) > 0,
            Kind::Stall => {
                let stalled = Line::perfect().flowing(Flow::Stall);
                match rng.within(0..3) {
                    0 => self.near.set_way(Way::Up, stalled),
                    1 => self.near.set_way(Way::Down, stalled),
                    _ => self.near.set(stalled),
                }
                self.for_a_while(rng, 200..2_500)
            }
            Kind::Drip => {
                // Not above 80: 20 ms worth of the rate is one byte then.
                self.near.set(Line::perfect().dripping(rng.within(20..80) as u32));
                self.for_a_while(rng, 300..2_000)
            }
            Kind::ResetInFrame => self.burn(rng, Proxy::cut_after),
            Kind::Truncate => self.burn(rng, Proxy::close_after),
            Kind::LateTwin => {
                let delay = Duration::from_millis(rng.within(400..1_500));
                self.far.set_way(Way::Up, Line::perfect().delayed(delay));
                pass(rng, 50..300);
                let hit = self.near.cut() > 0;
                // What travels keeps its time; what comes next is not delayed.
                self.far.heal();
                hit
            }
            Kind::Mirror => {
                let before = self.far.accepted();
                self.far.mirror(true);
                let cut = self.near.cut() > 0;
                let dialled = cut && soon(|| self.far.accepted() > before);
                pass(rng, 100..400);
                self.far.mirror(false);
                dialled
            }
        }
    }

    fn for_a_while(&self, rng: &mut Rng, ms: std::ops::Range<u64>) -> bool {
        let hit = self.near.open() > 0;
        pass(rng, ms);
        self.near.heal();
        hit
    }

    fn burn(&self, rng: &mut Rng, arm: impl Fn(&Proxy, Way, Option<u64>)) -> bool {
        let (way, bytes) = match rng.one_in(3) {
            true => (Way::Down, rng.within(1..100)),
            false => (Way::Up, rng.within(1..400)),
        };
        arm(&self.near, way, Some(bytes));
        let burnt = soon(|| !self.near.is_armed(way));
        arm(&self.near, way, None);
        burnt
    }
}

/// Waits until something is so; `false` if it takes too long.
fn soon(is_so: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        if Instant::now() > deadline {
            return false;
        }
        sleep(Duration::from_millis(1));
    }
    true
}

/// Lets a random time pass.
pub(crate) fn pass(rng: &mut Rng, ms: std::ops::Range<u64>) {
    sleep(Duration::from_millis(rng.within(ms)));
}
