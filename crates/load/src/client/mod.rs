//! One connection's end, for each protocol: connect, exchange as [`Turns`] say, leave in order.

mod accept;
mod echo;
mod mqtt;
mod sensock;
mod wire;

use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::Result;
use tokio::sync::Semaphore;

use crate::turns::Turns;

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Frames of the same size, sent back as they came.
    Echo,
    /// Ours, sealed: a frame is answered when it is committed.
    Sensock,
    /// Ours, without keys and in plain text, as the peers are.
    Insecure,
    /// MQTT 3.1.1, QoS 0, delivered to a subscriber.
    Mqtt0,
    /// MQTT 3.1.1, QoS 1, delivered to a subscriber.
    Mqtt1,
    /// MQTT 3.1.1, QoS 1, to nobody: the broker acknowledges the message and forgets it.
    Mqtt1Unheard,
    /// Connections that are accepted, answered with one byte and kept.
    Accept,
}

impl Protocol {
    /// Ours, sealed unless said.
    pub fn ours(insecure: bool) -> Self {
        if insecure { Protocol::Insecure } else { Protocol::Sensock }
    }
}

/// One client, from its dial to its leave.
#[derive(Clone, Debug)]
pub struct Client {
    /// Where the server listens.
    pub address: SocketAddr,
    /// Which of the fleet: its turn follows from it.
    pub number: usize,
    /// Its name's number, and its address's.
    pub name: usize,
    /// What all clients share.
    pub turns: Rc<Turns>,
}

impl Client {
    /// Runs it. Of the clients that share a `gate`, only so many connect at the same time as it lets pass.
    ///
    /// # Errors
    /// When the server ends the connection, breaks its protocol or refuses.
    pub async fn run(self, protocol: Protocol, gate: Rc<Semaphore>) -> Result<()> {
        match protocol {
            Protocol::Echo => echo::run(self, &gate).await,
            Protocol::Sensock | Protocol::Insecure => {
                let sealed = protocol == Protocol::Sensock;
                match self.turns.pace().batch {
                    9.. => sensock::run::<16_384>(self, sealed, &gate).await,
                    _ => sensock::run::<1_024>(self, sealed, &gate).await,
                }
            }
            Protocol::Mqtt0 => mqtt::run(self, &gate, mqtt::Way::DELIVERED_0).await,
            Protocol::Mqtt1 => mqtt::run(self, &gate, mqtt::Way::DELIVERED_1).await,
            Protocol::Mqtt1Unheard => mqtt::run(self, &gate, mqtt::Way::UNHEARD_1).await,
            Protocol::Accept => accept::run(self, &gate).await,
        }
    }
}
