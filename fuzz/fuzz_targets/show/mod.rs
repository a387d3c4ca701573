//! Two files of sensockd's words and times.

#[path = "../../../examples/server/src/show/time.rs"]
pub(crate) mod time;
#[path = "../../../examples/server/src/show/words.rs"]
pub(crate) mod words;
