//! Everything that a state holds.

use std::collections::VecDeque;

use crate::device::Device;
use crate::position::{LANES, Pos};
use crate::scope::Scope;
use crate::store::{Identity, Store};

/// What a position holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// The reading of this number.
    Reading(u8),
    /// The command ran, for which time.
    Done(u8),
    /// The command came too late and was not run; told for which time.
    Expired(u8),
}

/// Where a lane of the device stands, as it says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Floor {
    /// The lowest position that it can still deliver.
    pub floor: Pos,
    /// The highest that it knows to be acknowledged, if that lies below.
    pub acked: Pos,
    /// It dropped what lies between.
    pub dropped: bool,
}

/// What a device says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hello {
    /// Its boot on the wire; 0 if it knows none.
    pub boot: u8,
    /// The tag of the boot that a server confirmed; 0 if none did.
    pub tag: u8,
    /// The tag that the last Welcome proposed.
    pub pending: u8,
    /// Where its lanes stand.
    pub lanes: [Floor; LANES],
    /// The highest command that it has begun.
    pub begun: u8,
    /// It keeps that without power.
    pub remembers: bool,
    /// Which power-on of the device says so: known to nobody but the model.
    pub life: u8,
}

/// A frame on its way to the server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Up {
    /// The first one.
    Hello(Hello),
    /// The answer to Welcome: the device is there and not a replay.
    Proof,
    /// Items from a position on; whether they can be read without the frame before.
    Data(usize, Pos, Vec<Item>, bool),
    /// A floor that rose.
    Floor(usize, Floor),
}

/// A frame on its way to the device.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Down {
    /// What the server makes of a Hello: a proposal.
    Welcome {
        /// To be added to boot numbers.
        shift: u8,
        /// The tag of the boot.
        tag: u8,
        /// What is stored or explained, once the floors are subtracted.
        marks: [Pos; LANES],
    },
    /// The proposal stands.
    Confirmed,
    /// Everything of the lane up to here is committed.
    Ack(usize, Pos),
    /// Go on from here.
    Rewind(usize, Pos),
    /// Run the command.
    Call,
}

/// Where a connection stands at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Nothing came.
    AwaitHello,
    /// Welcome is out.
    AwaitProof,
    /// The device proved itself: the Hello transaction is due.
    Proved,
    /// It stands.
    Confirmed,
    /// The server is done with it.
    Gone,
}

/// The command on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sending {
    /// Nothing is under way.
    Idle,
    /// It is being stored as sent.
    Storing,
    /// Its frame has left.
    Left,
}

/// One lane of one connection, at the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LaneLink {
    /// What must come next.
    pub expected: Pos,
    /// To be acknowledged, and acknowledged.
    pub mark: Pos,
    /// What the device was told of it.
    pub told: Pos,
    /// Frames are thrown away until one begins at `expected`.
    pub rewind: bool,
    /// The device was not told so yet.
    pub due: bool,
    /// What came before is forgotten: a frame that refers to it cannot be read.
    pub fresh: bool,
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Conn {
    /// Its number.
    pub id: u8,
    /// Which server took it.
    pub server: u8,
    /// On their way up.
    pub up: VecDeque<Up>,
    /// On their way down.
    pub down: VecDeque<Down>,
    /// Where it stands at the server.
    pub stage: Stage,
    /// What was proposed, and upon what, until the Hello transaction is asked for.
    pub met: Option<(Hello, Identity)>,
    /// The boot that it serves.
    pub boot: u8,
    /// Its lanes at the server.
    pub lanes: [LaneLink; LANES],
    /// Works that wait for the Hello transaction.
    pub held: Vec<Work>,
    /// The command.
    pub sending: Sending,
}

/// What a server asks of the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Work {
    /// The connection that wants to know.
    pub conn: u8,
    /// What.
    pub task: Task,
    /// A rewind was asked for after this came: it asks for none again.
    pub stale: bool,
}

/// What a work is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// The Hello transaction.
    Hello(Hello, Identity),
    /// Append, with the mark that the server believed in when it came.
    Records(usize, Pos, Vec<Item>, Pos),
    /// Subtract.
    Floor(usize, Floor),
    /// The command is about to leave for this boot.
    Send(u8),
}

/// A reading or an answer that the device took, and what became of it: known to nobody but the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Accepted {
    /// Its lane.
    pub lane: usize,
    /// Its position in the device's own numbers.
    pub local: Pos,
    /// Power-on of the device.
    pub life: u8,
    /// What it is.
    pub item: Item,
    /// It was committed as a row once, or in a gap.
    pub committed: bool,
    /// The device was told so and let it go.
    pub freed: bool,
    /// The device had to drop it.
    pub dropped: bool,
}

/// What only the model knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Truth {
    /// Everything that was accepted.
    pub accepted: Vec<Accepted>,
    /// Each power-on of the device: what was added to its boot numbers, and whether a Hello transaction of it stands.
    pub lives: Vec<(u8, bool)>,
    /// A boot came back with the memory of the one before.
    pub rolled: bool,
    /// How often the command ran.
    pub ran: u8,
    /// The store was put back.
    pub restored: bool,
    /// An end saw what the protocol forbids.
    pub broken: bool,
    /// The device was taken for two.
    pub collided: bool,
}

/// One state of everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// What is still to happen.
    pub left: Scope,
    /// The database.
    pub store: Store,
    /// A backup of it.
    pub backup: Option<Box<Store>>,
    /// The device.
    pub device: Device,
    /// Connections, by number.
    pub conns: Vec<Conn>,
    /// What each server has to commit.
    pub queues: Vec<VecDeque<Work>>,
    /// The command's time ran out.
    pub late: bool,
    /// What only the model knows.
    pub truth: Truth,
}

impl State {
    /// The connection of this number.
    pub fn conn(&mut self, id: u8) -> Option<&mut Conn> {
        self.conns.iter_mut().find(|c| c.id == id)
    }
}
