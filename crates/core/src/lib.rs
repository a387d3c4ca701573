//! Codec and sessions for bidirectional sensor sockets: no_std, no alloc, sans-IO.
