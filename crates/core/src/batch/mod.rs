//! (stub until the batch codec lands)
/// One cell of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The scaled integer.
    Value(i32),
    /// Why there is none.
    Fault(u8),
}
/// Records in one run.
pub const MAX_RUN: usize = 4096;
