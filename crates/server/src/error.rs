//! Errors for people.

use sensock::{BadDeviceId, CommandId};

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store could not be read.
    #[error("the store does not answer: {0}; check that it exists, can be written and is of this version")]
    Store(String),
    /// A limit is outside of what the wire allows.
    #[error("a limit is out of range: {0}")]
    Limit(&'static str),
    /// There are no random bytes.
    #[error("the system gives no random bytes: without them no connection can be made safe")]
    NoRandom,
}

/// Why serving ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The listening socket failed for good.
    #[error(
        "the listening socket failed: {0}; is another program using the address, or was the interface removed?"
    )]
    Listener(#[source] std::io::Error),
}

/// Why a command or setting was not stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The device's name cannot be one.
    #[error(transparent)]
    Device(#[from] BadDeviceId),
    /// The body is too large for any device.
    #[error("the body takes more than {} bytes: send less, or several commands", sensock::limits::BODY_MAX)]
    TooLarge,
    /// The device's catalogue, as far as it is stored, has no such entry.
    #[error("device {device} has no {what} called \"{name}\"{nearest}")]
    NoSuchName {
        /// Which device.
        device: String,
        /// "command" or "setting".
        what: &'static str,
        /// What was asked for.
        name: String,
        /// What it has, for people.
        nearest: String,
    },
    /// The text is no value of the shape that the catalogue states.
    #[error("{0}")]
    Value(String),
    /// Too many wait for this device.
    #[error("{0} commands wait for this device already: cancel some, or wait until it connects")]
    TooMany(usize),
    /// There is no such command.
    #[error("there is no command {0} for this device")]
    NoSuchCommand(CommandId),
    /// The store rejects it.
    #[error("the store rejects this: {0}")]
    Rejected(String),
    /// The store does not answer.
    #[error("the store does not answer: {0}; nothing was stored")]
    Store(String),
    /// The server is overloaded or shuts down; nothing was stored.
    #[error("the server is overloaded or shuts down: nothing was stored, try again")]
    Busy,
}
