//! The one place that reads and writes registers.

/// A register of a peripheral: its address, of 32 bits.
#[derive(Clone, Copy)]
pub(crate) struct Register(usize);

impl Register {
    /// The register at `address`.
    ///
    /// # Safety
    /// `address` is a register of this board, four bytes aligned, and what is read from it or written to it leaves every memory as it is
    /// that someone else may touch.
    pub(crate) const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    pub(crate) fn read(self) -> u32 {
        // SAFETY: whoever made it promised that this is a register.
        unsafe { (self.0 as *const u32).read_volatile() }
    }

    pub(crate) fn write(self, value: u32) {
        // SAFETY: as above, and that a write changes no memory.
        unsafe { (self.0 as *mut u32).write_volatile(value) }
    }
}
