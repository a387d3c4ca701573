//! As much of MQTT 3.1.1 as a sensor needs: CONNECT, SUBSCRIBE, PUBLISH, PUBACK.
//!
//! A broker is there to deliver: each client subscribes to the topic that it publishes to, and an exchange is over when the message has
//! come back (at QoS 1: when it is acknowledged, has come back, and that is acknowledged too). So one message is outstanding at either
//! quality of service, and QoS 0, which is answered by nothing, needs no trick to be paced. This is how the known ratios to the echo come
//! out. What a broker costs that only acknowledges and forgets is measured beside it ([`Way::UNHEARD_1`]).

use anyhow::{Result, bail, ensure};
use tokio::sync::Semaphore;

use super::Client;
use super::wire::Wire;

/// What postcard makes of one record of two readings.
const BODY: usize = 15;
const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const PUBACK: u8 = 0x40;
const SUBACK: u8 = 0x90;

/// How messages go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    acknowledged: bool,
    delivered: bool,
}

impl Way {
    /// QoS 0, with a subscriber.
    pub(super) const DELIVERED_0: Self = Self { acknowledged: false, delivered: true };
    /// QoS 1, with a subscriber.
    pub(super) const DELIVERED_1: Self = Self { acknowledged: true, delivered: true };
    /// QoS 1, nobody subscribes.
    pub(super) const UNHEARD_1: Self = Self { acknowledged: true, delivered: false };
}

/// A client's connection.
struct Sensor {
    wire: Wire,
    rest: Vec<u8>,
    out: Vec<u8>,
    acks: usize,
    messages: usize,
}

pub(super) async fn run(client: Client, gate: &Semaphore, way: Way) -> Result<()> {
    let Client { address, number, name, turns } = client;
    let dialling = gate.acquire().await?;
    let wire = Wire::dial(address, name).await?;
    let mut sensor = Sensor { wire, rest: vec![], out: vec![], acks: 0, messages: 0 };
    sensor.out.extend(connect(name));
    sensor.greeting(CONNACK).await?;
    if way.delivered {
        sensor.out.extend(subscribe(name, way.acknowledged));
        sensor.greeting(SUBACK).await?;
    }
    drop(dialling);
    turns.connected();
    let (mut last, mut id) = (None, 0u16);
    loop {
        let turn = tokio::select! {
            biased;
            turn = turns.next(number, last) => turn,
            ready = sensor.wire.readable() => {
                ready?;
                sensor.read()?;
                ensure!(sensor.acks + sensor.messages == 0, "the broker sent what nobody asked for");
                continue;
            }
        };
        let Some(turn) = turn else { break };
        last = Some(turn.due);
        for _ in 0..turn.records {
            id = id.checked_add(1).unwrap_or(1);
            publish(name, way.acknowledged.then_some(id), &mut sensor.out);
        }
        (sensor.acks, sensor.messages) = (0, 0);
        let wanted = |wanted: bool| if wanted { turn.records } else { 0 };
        while sensor.acks < wanted(way.acknowledged) || sensor.messages < wanted(way.delivered) {
            sensor.flush().await?;
            sensor.wire.readable().await?;
            sensor.read()?;
        }
        sensor.flush().await?;
        turns.answered(turn);
        (sensor.acks, sensor.messages) = (0, 0);
    }
    sensor.wire.write(&[0xe0, 0]).await
}

impl Sensor {
    async fn flush(&mut self) -> Result<()> {
        if !self.out.is_empty() {
            self.wire.write(&self.out).await?;
            self.out.clear();
        }
        Ok(())
    }

    /// Writes what is due and waits for one packet of this kind that says yes.
    async fn greeting(&mut self, kind: u8) -> Result<()> {
        self.flush().await?;
        while self.rest.len() < 2 || self.rest.len() < 2 + self.rest[1] as usize {
            self.wire.readable().await?;
            let rest = &mut self.rest;
            self.wire.read(|bytes| {
                rest.extend(bytes);
                Ok(())
            })?;
        }
        let code = self.rest.last().copied().unwrap_or(0xff);
        ensure!(self.rest[0] == kind && code <= 1, "the broker answered {:?}", self.rest);
        self.rest.clear();
        Ok(())
    }

    /// Counts what came, and acknowledges it (into `out`).
    fn read(&mut self) -> Result<()> {
        let Self { wire, rest, out, acks, messages } = self;
        wire.read(|bytes| {
            rest.extend(bytes);
            let mut packets = &rest[..];
            while let [kind, length, after @ ..] = packets {
                // Everything that a broker sends to these clients is short.
                ensure!(*length < 0x80, "the broker sent a packet that is too long");
                let Some((packet, after)) = after.split_at_checked(*length as usize) else { break };
                packets = after;
                match (kind & 0xf0, packet) {
                    (PUBACK, [_, _]) => *acks += 1,
                    (PUBLISH, [_, topic, tail @ ..]) => {
                        *messages += 1;
                        if kind & 0x06 != 0 {
                            let Some([high, low]) = tail.get(*topic as usize..*topic as usize + 2) else {
                                bail!("the broker sent a message without an id")
                            };
                            out.extend([PUBACK, 2, *high, *low]);
                        }
                    }
                    _ => bail!("the broker sent {kind:#x}, {packet:?}"),
                }
            }
            let left = packets.len();
            rest.drain(..rest.len() - left);
            Ok(())
        })?;
        Ok(())
    }
}

/// Clean session, no keep-alive.
fn connect(name: usize) -> Vec<u8> {
    let id = format!("load-{name:05}");
    let mut packet = vec![0x10, (12 + id.len()) as u8, 0, 4];
    packet.extend(b"MQTT");
    packet.extend([4, 2, 0, 0, 0, id.len() as u8]);
    packet.extend(id.bytes());
    packet
}

fn subscribe(name: usize, acknowledged: bool) -> Vec<u8> {
    let topic = topic(name);
    let mut packet = vec![0x82, (5 + topic.len()) as u8, 0, 1, 0, topic.len() as u8];
    packet.extend(topic.bytes());
    packet.push(acknowledged.into());
    packet
}

fn publish(name: usize, id: Option<u16>, out: &mut Vec<u8>) {
    let topic = topic(name);
    let length = 2 + topic.len() + id.map_or(0, |_| 2) + BODY;
    out.extend([PUBLISH | u8::from(id.is_some()) << 1, length as u8, 0, topic.len() as u8]);
    out.extend(topic.bytes());
    if let Some(id) = id {
        out.extend(id.to_be_bytes());
    }
    out.extend([0x5a; BODY]);
}

fn topic(name: usize) -> String {
    format!("load/{name:05}/record")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_state_their_own_length() {
        let mut packets = vec![connect(7), subscribe(7, true)];
        for id in [None, Some(0x1234)] {
            let mut packet = vec![];
            publish(12_345, id, &mut packet);
            packets.push(packet);
        }
        for packet in packets {
            assert_eq!(packet[1] as usize, packet.len() - 2);
            assert!(packet[1] < 0x80);
        }
    }
}
