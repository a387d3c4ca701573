//! As much of MQTT 3.1.1 as a sensor needs: CONNECT, PUBLISH, PUBACK, PINGREQ.
//!
//! QoS 1 is answered by a PUBACK. QoS 0 is answered by nothing, so a PINGREQ follows in the same write: the broker handles a connection's
//! packets in order, and its PINGRESP says that the message was handled. The ping's cost is the broker's too, and is counted.

use anyhow::{Result, bail};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::Client;
use super::wire::Wire;

const PINGREQ: [u8; 2] = [0xc0, 0];
const PINGRESP: [u8; 2] = [0xd0, 0];
const CONNACK: [u8; 4] = [0x20, 2, 0, 0];
/// What postcard makes of one record of two readings.
const BODY: usize = 15;

pub(super) async fn run(client: Client, gate: &Semaphore, acknowledged: bool) -> Result<()> {
    let Client { address, number, turns, first } = client;
    let dialling = gate.acquire().await?;
    let mut wire = Wire::dial(address).await?;
    wire.write(&connect(number)).await?;
    expect(&wire, &CONNACK).await?;
    drop(dialling);
    turns.connected();
    let (mut due, mut id): (Instant, u16) = (first, 0);
    let (mut out, mut answers) = (vec![], vec![]);
    loop {
        let turn = tokio::select! {
            biased;
            turn = turns.next(&mut due) => turn,
            ready = wire.readable() => {
                ready?;
                wire.read(|bytes| bail!("the broker sent {bytes:?} without being asked"))?;
                continue;
            }
        };
        let Some(turn) = turn else { break };
        out.clear();
        answers.clear();
        for _ in 0..turn.records {
            id = id.checked_add(1).unwrap_or(1);
            publish(number, acknowledged.then_some(id), &mut out);
            if acknowledged {
                answers.extend([0x40, 2, (id >> 8) as u8, id as u8]);
            }
        }
        if !acknowledged {
            out.extend(PINGREQ);
            answers.extend(PINGRESP);
        }
        wire.write(&out).await?;
        expect(&wire, &answers).await?;
        turns.answered(turn);
    }
    wire.write(&[0xe0, 0]).await
}

/// Reads exactly these bytes.
async fn expect(wire: &Wire, wanted: &[u8]) -> Result<()> {
    let mut rest = wanted;
    while !rest.is_empty() {
        wire.readable().await?;
        wire.read(|bytes| {
            let Some(after) = rest.strip_prefix(bytes) else {
                bail!("the broker sent {bytes:?}, not {rest:?}")
            };
            rest = after;
            Ok(())
        })?;
    }
    Ok(())
}

/// Clean session, no keep-alive.
fn connect(number: usize) -> Vec<u8> {
    let name = format!("load-{number:05}");
    let mut packet = vec![0x10, (12 + name.len()) as u8, 0, 4];
    packet.extend(b"MQTT");
    packet.extend([4, 2, 0, 0, 0, name.len() as u8]);
    packet.extend(name.bytes());
    packet
}

fn publish(number: usize, id: Option<u16>, out: &mut Vec<u8>) {
    let topic = format!("load/{number:05}/record");
    let length = 2 + topic.len() + id.map_or(0, |_| 2) + BODY;
    out.extend([0x30 | u8::from(id.is_some()) << 1, length as u8, 0, topic.len() as u8]);
    out.extend(topic.bytes());
    if let Some(id) = id {
        out.extend(id.to_be_bytes());
    }
    out.extend([0x5a; BODY]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_state_their_own_length() {
        let connect = connect(7);
        assert_eq!(connect[1] as usize, connect.len() - 2);
        for id in [None, Some(0x1234)] {
            let mut packet = vec![];
            publish(12_345, id, &mut packet);
            assert_eq!(packet[1] as usize, packet.len() - 2);
            assert!(packet.len() <= 127 + 2);
        }
    }
}
