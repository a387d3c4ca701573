//! How much may happen, and what may be wrong on purpose.

/// How often each thing happens at most: the bounds of the exploration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The device keeps its boot number and the last begun command without power.
    pub memory: bool,
    /// Servers over the one store.
    pub servers: u8,
    /// Connections that exist at the same time, half-open ones too.
    pub connections: u8,
    /// Readings that are recorded.
    pub records: u8,
    /// Commands that are ordered (none or one).
    pub commands: u8,
    /// Times that the device loses power.
    pub reboots: u8,
    /// Whether one of them brings back the memory of the boot before.
    pub rollbacks: u8,
    /// Times that a server dies.
    pub crashes: u8,
    /// Times that the store is put back to a backup.
    pub restores: u8,
    /// Times that a connection breaks by itself.
    pub cuts: u8,
    /// Readings that the device drops for want of room.
    pub drops: u8,
    /// Whether the command's time may run out.
    pub lates: u8,
}

impl Scope {
    /// Two servers, two connections, two lanes, and nothing that happens in them.
    pub const QUIET: Scope = Scope {
        memory: true,
        servers: 2,
        connections: 2,
        records: 0,
        commands: 0,
        reboots: 0,
        rollbacks: 0,
        crashes: 0,
        restores: 0,
        cuts: 0,
        drops: 0,
        lates: 0,
    };
}

/// A mistake in one rule, on purpose: the exploration has to find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bug {
    /// The server acknowledges what lies in its queue.
    AckBeforeCommit,
    /// What was stored is not recognised when it comes again.
    NoDedup,
    /// A batch is held against the mark as it was when the batch came, not as the lock finds it.
    StaleMark,
    /// A floor that rose is not subtracted.
    FloorIgnored,
    /// A boot number that was used before goes on as if it were the same boot.
    PositionReused,
    /// The device runs a command before it keeps that it has begun it.
    BegunTooLate,
    /// What died with a boot is in no gap.
    TailOpen,
    /// A command that was sent becomes expired.
    ExpiredThoughSent,
    /// A command that was sent into an older boot is sent again.
    SentAgain,
    /// A server that has not noticed a reboot marks a command as sent into the boot that is over.
    SentIntoOldBoot,
    /// An answer that the store lost with its acknowledged records is awaited for ever.
    AnswerAwaited,
    /// A command that left on a dead connection waits for the next Hello.
    SentForgotten,
    /// The device takes Welcome's marks for committed although they hold its own floor.
    WelcomeIsFinal,
    /// An empty lane forgets why it dropped its last reading, although nobody was told yet.
    CauseForgotten,
    /// Welcome's marks are written without looking again.
    HelloNotJudgedAgain,
}

impl Bug {
    /// All of them.
    pub const ALL: [Bug; 15] = [
        Bug::AckBeforeCommit,
        Bug::NoDedup,
        Bug::StaleMark,
        Bug::FloorIgnored,
        Bug::PositionReused,
        Bug::BegunTooLate,
        Bug::TailOpen,
        Bug::ExpiredThoughSent,
        Bug::SentAgain,
        Bug::SentIntoOldBoot,
        Bug::AnswerAwaited,
        Bug::SentForgotten,
        Bug::WelcomeIsFinal,
        Bug::CauseForgotten,
        Bug::HelloNotJudgedAgain,
    ];
}
