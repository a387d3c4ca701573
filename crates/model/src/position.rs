//! Positions: a boot and a number within it, in one integer, as on the wire but smaller.

/// Lanes of the model: answers to commands, and readings.
pub const LANES: usize = 2;
/// The lane of answers.
pub const CONTROL: usize = 0;
/// The lane of readings.
pub const READINGS: usize = 1;

/// `boot << 8 | n`. Zero means "nothing yet".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pos(pub u16);

impl Pos {
    /// Nothing yet.
    pub const NONE: Pos = Pos(0);

    /// Position `n` of a boot.
    pub const fn new(boot: u8, n: u8) -> Pos {
        Pos((boot as u16) << 8 | n as u16)
    }

    /// The boot.
    pub const fn boot(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// The number within the boot.
    pub const fn n(self) -> u8 {
        self.0 as u8
    }

    /// The first position of a boot.
    pub const fn start(boot: u8) -> Pos {
        Pos::new(boot, 0)
    }

    /// The one after it.
    pub const fn next(self) -> Pos {
        Pos(self.0.saturating_add(1))
    }

    /// The one before it.
    pub const fn prev(self) -> Pos {
        Pos(self.0.saturating_sub(1))
    }

    /// Moved up by so many boots; nothing stays nothing.
    pub const fn shifted(self, boots: u8) -> Pos {
        Pos(self.0 + ((boots as u16) << 8))
    }

    /// Moved down by so many boots.
    pub const fn unshifted(self, boots: u8) -> Pos {
        Pos(self.0.saturating_sub((boots as u16) << 8))
    }
}
