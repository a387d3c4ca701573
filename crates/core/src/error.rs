//! Errors by who is at fault, each small, `Copy`, and naming what to do next.

/// The peer broke the protocol; the connection is over and the transport must be closed. Names the SPEC section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Peer {
    /// The stream does not begin with sensock's preface (SPEC 1.1).
    #[error("the peer does not speak sensock: its first bytes are not the preface (SPEC 1.1)")]
    Preface,
    /// A frame is longer than this end announced (SPEC 1.3).
    #[error("the peer sent a frame longer than the announced limit (SPEC 1.3)")]
    Oversized,
    /// A frame ends too early, or goes on too long (SPEC 1.4).
    #[error("a frame is malformed: a field is cut short, not canonical or followed by too much (SPEC 1.4)")]
    Malformed,
    /// A frame kind that must be understood is unknown (SPEC 1.5).
    #[error("a frame of an unknown kind that must be understood: one end is newer than the other (SPEC 1.5)")]
    UnknownKind,
    /// A frame that makes no sense in this state (SPEC 4).
    #[error("a frame came that makes no sense in this state (SPEC 4)")]
    Unexpected,
    /// No common version (SPEC 4.2).
    #[error("the two ends share no protocol version (SPEC 4.2)")]
    Version,
    /// An ack for something that was never sent (SPEC 9.2).
    #[error("the server acknowledged a position that was never sent; nothing was freed (SPEC 9.2)")]
    AckBeyondSent,
    /// More was sent than was granted (SPEC 9.1).
    #[error("the device sent more than it was granted (SPEC 9.1)")]
    CreditOverrun,
    /// A position did not follow the one before, twice (SPEC 7.1).
    #[error("the link loses frames: positions have holes (SPEC 7.1)")]
    Hole,
    /// A number is outside of its range (SPEC 1.3).
    #[error("a count or size in a frame is outside of its limits (SPEC 1.3)")]
    Limit,
    /// The server keeps another store than the one that the device is pinned to (SPEC 4.5).
    #[error(
        "the server keeps another store than the one this device is pinned to: correct the server's address, or the pin (SPEC 4.5)"
    )]
    OtherStore,
    /// Nothing came for too long (SPEC 10).
    #[error("nothing came from the peer for too long (SPEC 10)")]
    Silent,
}

/// The caller used a type in a way that its contract forbids; nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// A record without readings, with more than 16, or with two of one quantity.
    #[error("a record holds 1 to 16 readings, each of another quantity")]
    Readings,
    /// A record that is larger than every server is bound to take.
    #[error("a record is larger than 200 bytes: split it")]
    RecordTooLarge,
    /// A quantity, command or setting that the catalogue does not list.
    #[error("this is not in the device's catalogue: add its entry there")]
    NotInCatalog,
    /// The buffer is smaller than the contract says.
    #[error("the buffer is too small for one frame: 256 bytes at least, and as large as was announced")]
    Buffer,
    /// A body larger than a frame or than the limit.
    #[error("the body is larger than 128 bytes or than the peer's frame")]
    Body,
    /// Called in a state in which it means nothing.
    #[error("this call means nothing in the present state of the session")]
    State,
    /// As many are under way as the peer can take.
    #[error("as many are under way as the device can take: wait for one to end")]
    Busy,
    /// The outbox has no room for it, and its lane never drops.
    #[error("the outbox has no room and this lane never drops")]
    Full,
    /// A tick lies before the one of an earlier record.
    #[error("the clock went backwards: a discontinuity of the clock is a new boot")]
    Backwards,
    /// A tick lies after the present one.
    #[error("a record cannot be made in the future: its tick lies after the clock's")]
    Ahead,
    /// All record numbers of this boot are used up: restart the device.
    #[error("all positions of this boot are used up: restart the device")]
    Exhausted,
}
