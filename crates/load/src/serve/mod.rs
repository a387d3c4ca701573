//! Servers that are no programs of their own: this program runs them as children of itself.

pub mod accept;
pub mod echo;
pub mod memory;

use std::net::SocketAddr;

/// What a child prints once it listens, before the address.
pub const LISTENING: &str = "listening on ";

/// Tells the parent where this child listens.
fn announce(address: SocketAddr) {
    println!("{LISTENING}{address}, Ctrl-C ends");
}
