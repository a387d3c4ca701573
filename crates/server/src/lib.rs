//! The server end of sensock on tokio: sessions, group commit, commands, events.
//!
//! A [`Server`] takes connections ([`Server::serve`] for TCP, [`Server::serve_through`] for TLS and the like, [`Server::attach`] for any
//! stream, [`Server::attach_frames`] for message transports), stores what devices record through a [`Store`] of yours, and acknowledges only what is committed. Commands are stored
//! tickets ([`DeviceHandle::command`]), settings are desired state ([`DeviceHandle::set`]), questions of devices arrive as
//! [`Event::Asked`]. [`Events`] is a bounded view of what happens and never holds anything up; [`Server::feed`] reads the store itself,
//! without loss.
//!
//! ```
//! use sensock::seal::Credential;
//! use sensock_server::{DeviceId, Keyring, MemoryStore, Server};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let line = "snk10102030405060708000306090c0f1215181b1e2124272a2d303336393c3f4245484b4e5154575a5de993fd56";
//! let mut keys = Keyring::default();
//! keys.add(DeviceId::new("cellar-3")?, Credential::parse(line)?); // the line that `sensockd keys add` printed
//! let (server, mut events) = Server::builder(MemoryStore::default(), keys).start().await?;
//! let listener = sensock_server::listen("127.0.0.1:0".parse()?)?;
//! let serving = tokio::spawn({
//!     let server = server.clone();
//!     async move { server.serve(listener, std::future::ready(())).await } // a real one waits for Ctrl-C
//! });
//! serving.await??;
//! while let Some(_event) = events.next().await {}
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod accept;
mod asked;
mod attach;
mod builder;
mod codec;
mod committer;
mod connection;
mod device;
mod doorkeeper;
mod error;
mod events;
mod feed;
mod inbox;
mod limits;
mod lookup;
mod pace;
mod pending;
mod pipe;
mod queue;
mod queues;
mod quota;
mod random;
mod recheck;
mod registry;
mod request;
mod server;
mod shared;
mod sweeper;
mod tail;
mod ticket;
mod wall;
mod why;

pub use accept::listen;
pub use asked::Asked;
pub use attach::Transport;
pub use builder::Builder;
pub use codec::SensockCodec;
pub use device::{DeviceHandle, DeviceState};
pub use error::{CommandError, ServeError, StartError};
pub use events::{Event, Events, Rows};
pub use feed::Feed;
pub use limits::Limits;
pub use request::{CommandRequest, SettingRequest, TextRequest};
pub use server::Server;
pub use ticket::{Outcome, TextTicket, Ticket};
pub use why::Why;

pub use sensock::wire::hello::{End, Refusal};
pub use sensock::{CommandId, DeviceId, Lane, Position, StoreId, Tag, Tick};
pub use sensock_store::memory::MemoryStore;
pub use sensock_store::work::Meeting;
pub use sensock_store::{
    Admission, AnchorRow, AnyDevice, Batch, BootRow, CatalogRow, CommandRow, CommandState, ConnectionRow,
    Cursor, DeviceKey, DeviceRow, Durability, Failure, FeedItem, FeedPage, GapRow, History, Keyring, Keys,
    LaneId, Listed, NamedReading, QuarantineRow, ReadingRow, Resume, SettingRow, Span, Store, StoreInfo,
    Transaction,
};
