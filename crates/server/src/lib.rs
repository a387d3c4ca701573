//! The server end of sensock on tokio: sessions, group commit, commands, events.
