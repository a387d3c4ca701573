//! Time as the rules see it: whole steps of a fixed grid.

/// A point of event time: how many steps of the table's grid lie between the table's origin and it.
///
/// Within one step the rules see no time. With a grid of one second it lasts 136 years, with one of 50 ms seven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step(pub u32);

impl Step {
    /// The last step there is; what would lie behind it, lies on it.
    pub const END: Self = Self(u32::MAX);

    /// The step that many steps later.
    pub const fn after(self, steps: u32) -> Self {
        Self(self.0.saturating_add(steps))
    }

    /// How many steps have passed since `earlier`; 0 if it is not earlier.
    pub const fn since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }
}
