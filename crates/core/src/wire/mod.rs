//! One frame <-> one message. SPEC sections 1, 4 and 7 to 12; each file names its section.

pub mod alive;
pub mod call;
pub mod cursor;
pub mod data;
pub mod flow;
pub mod header;
pub mod hello;
pub mod refused;
pub mod text;
