//! The project's own chores: cargo xtask test, prove.
fn main() {}
