//! One frame <-> one message. SPEC sections 1, 4 and 6 to 12; each file names its section.

pub mod cursor;
pub mod header;
pub mod hello;
