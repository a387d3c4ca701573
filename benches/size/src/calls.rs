//! The functions, by what they belong to.

use crate::{Alone, Calls, RECORDS};
use sensock::backoff::Backoff;
use sensock::catalog::{Quantity, Shaped};
use sensock::deframe::{Length, prefixed};
use sensock::device::{Carry, Event, Node, Outbox, OutboxMut, Policy, Session, Transmit};
use sensock::error::{Misuse, Peer};
use sensock::seal::{BadCredential, Cover, Credential, Denied, Ephemeral, Key, Margins, NoEntropy, Opened};
use sensock::wire::data::Outcome;
use sensock::wire::flow::Boots;
use sensock::wire::hello::{Account, End};
use sensock::{CommandId, DeviceId, Lane, Position, Reading, StoreId, Tick};

/// Lists functions with their types: that tells the compiler which instance of each is meant.
macro_rules! calls {
    ($($call:expr => $kind:ty),* $(,)?) => { Calls([$($call as $kind as *const ()),*]) };
}

type O = OutboxMut<'static>;
type Made = Result<Position, Misuse>;

/// What an application without flash says to an outbox: identity, sleep, policies, records, answers, and questions about how it stands.
#[unsafe(link_section = ".calls")]
pub static OUTBOX: Calls<27> = calls![
    Outbox::<RECORDS>::as_mut => fn(&'static mut Outbox<RECORDS>) -> O,
    O::start => fn(&mut O, Option<u32>),
    O::woke => fn(&mut O, &Carry),
    O::carry => fn(&O) -> Carry,
    Carry::to_bytes => fn(&Carry) -> [u8; Carry::LEN],
    Carry::from_bytes => fn(&[u8; Carry::LEN]) -> Option<Carry>,
    O::policy => fn(&mut O, Lane, Policy, u32),
    O::record => fn(&mut O, Lane, Tick, &[Reading]) -> Made,
    O::reply => fn(&mut O, CommandId, Outcome, &[u8]) -> Made,
    O::applied => fn(&mut O, u32, Option<u8>) -> Made,
    O::expire => fn(&mut O, Tick),
    O::expires_at => fn(&O) -> Option<Tick>,
    O::begin => fn(&mut O, CommandId) -> bool,
    O::begun => fn(&O) -> CommandId,
    O::begun_persists => fn(&mut O, CommandId),
    O::settings => fn(&O) -> u32,
    O::store => fn(&O) -> StoreId,
    O::limit_commands => fn(&mut O, u8),
    O::can_reply => fn(&O) -> bool,
    O::wire => fn(&O, Position) -> Position,
    O::local_of => fn(&O, Position) -> Position,
    O::shift => fn(&O) -> u32,
    O::next => fn(&O, Lane) -> Position,
    O::acked => fn(&O, Lane) -> Position,
    O::is_drained => fn(&O, Lane) -> bool,
    O::fill => fn(&O, Lane) -> (u8, u8),
    O::high_water => fn(&O) -> u8,
];

type S = Session<'static>;

/// All of a session; with it comes the encoding of batches.
#[unsafe(link_section = ".calls")]
pub static SESSION: Calls<16> = calls![
    S::new => fn(Node<'static>, &'static mut [u8]) -> Result<S, Misuse>,
    S::start => fn(&mut S, Tick, Account, Boots),
    S::lost => fn(&mut S),
    S::handle_frame => for<'f> fn(&mut S, &Alone, Tick, &'f mut [u8]) -> Result<Option<Event<'f>>, Peer>,
    S::poll_transmit => fn(&mut S, &Alone, Tick, &mut [u8]) -> Transmit,
    S::poll_timeout => fn(&S) -> Option<Tick>,
    S::handle_timeout => fn(&mut S, Tick) -> Result<(), Peer>,
    S::reply => fn(&mut S, &Alone, CommandId, Outcome, &[u8]) -> Made,
    S::ask => fn(&mut S, u16, &[u8], &mut [u8]) -> Result<(usize, u16), Misuse>,
    S::sleep => fn(&mut S, u32, bool),
    S::close => fn(&mut S, End, bool),
    S::is_live => fn(&S) -> bool,
    S::is_leaving => fn(&S) -> bool,
    S::is_closed => fn(&S) -> bool,
    S::supply_none => fn(&mut S, &Alone, Lane),
    S::rtt_ms => fn(&S) -> u64,
];

/// What else a firmware on TCP has: typed readings and bodies, names, frames behind a length, backoff.
#[unsafe(link_section = ".calls")]
pub static FIRMWARE: Calls<12> = calls![
    DeviceId::new => fn(&str) -> Result<DeviceId, sensock::BadDeviceId>,
    Quantity::<f32>::is => fn(&Quantity<f32>, f32) -> Reading,
    <bool as Shaped>::decode => fn(&[u8]) -> Option<bool>,
    <bool as Shaped>::encode => fn(&bool, &mut [u8]) -> Result<usize, Misuse>,
    <u32 as Shaped>::decode => fn(&[u8]) -> Option<u32>,
    <f32 as Shaped>::decode => fn(&[u8]) -> Option<f32>,
    Length::feed => fn(&mut Length, &[u8], &mut [u8]) -> Result<(usize, Option<usize>), Peer>,
    prefixed => fn(&mut [u8], usize) -> usize,
    Backoff::new => fn(u32, u32) -> Backoff,
    Backoff::next_delay => fn(&mut Backoff, u32) -> u32,
    Backoff::at_least => fn(&mut Backoff, u32),
    Backoff::succeeded => fn(&mut Backoff),
];

/// A device's cover around its frames.
#[unsafe(link_section = ".calls")]
pub static SEAL: Calls<6> = calls![
    Credential::parse => fn(&str) -> Result<Credential, BadCredential>,
    make => fn(&Key, &mut Random, &[u64; 3]) -> Result<Ephemeral, NoEntropy>,
    Cover::dial => fn(Credential, Ephemeral) -> Cover,
    Cover::margins => fn(&Cover) -> Margins,
    Cover::close => fn(&mut Cover, &mut [u8], usize) -> Result<usize, sensock::wire::cursor::NoRoom>,
    Cover::open => fn(&mut Cover, &mut [u8]) -> Result<Opened, Denied>,
];

type Random = fn(&mut [u8]) -> Result<(), NoEntropy>;

fn make(key: &Key, random: &mut Random, salt: &[u64; 3]) -> Result<Ephemeral, NoEntropy> {
    Ephemeral::make(key, random, salt)
}
