//! Counts of instructions, under valgrind: the bench `instructions`, which `cargo xtask instructions` holds against `recorded.toml`.
