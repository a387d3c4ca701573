//! What a person sees: words, times, the terminal.

pub(crate) mod events;
pub(crate) mod qr;
pub(crate) mod terminal;
pub(crate) mod time;
pub(crate) mod words;
