//! Sealed worlds: a cover at both ends of each link, and an attacker on the line who changes bits and says connections again.
//!
//! The covers, key pairs and the memory of first messages are the shipped ones; random bytes come from the seed.

use std::collections::BTreeMap;

use sensock::DeviceId;
use sensock::seal::{Cover, Credential, Denied, Ephemeral, First, Key, KeyId, NoEntropy, Seen, TAG};

use crate::chance::Chance;
use crate::host::HostId;

/// Messages of a connection that the attacker remembers.
const REMEMBERED: usize = 4;

/// The covers of one link.
#[derive(Debug)]
pub(crate) struct Covers {
    device: Cover,
    /// None before the first message was opened.
    server: Option<Cover>,
    /// What went up first.
    pub said: Vec<Vec<u8>>,
    /// It is the attacker's: nobody may take it for a device's.
    pub forged: bool,
}

/// What a sealed world has besides.
#[derive(Debug)]
pub(crate) struct Sealed {
    chance: Chance,
    pairs: u64,
    /// First messages that each server process knows.
    seen: BTreeMap<(HostId, KeyId), Seen>,
    /// Bits that were changed on the way, and messages that could not be opened.
    pub flipped: u64,
    pub denied: u64,
    /// Connections that were said again.
    pub replayed: u64,
}

impl Sealed {
    pub(crate) fn new(seed: u64) -> Self {
        Sealed {
            chance: Chance::new(seed ^ 0x7365_616c),
            pairs: 0,
            seen: BTreeMap::new(),
            flipped: 0,
            denied: 0,
            replayed: 0,
        }
    }

    /// A server that starts again remembers nothing.
    pub(crate) fn forget(&mut self, host: HostId) {
        self.seen.retain(|(h, _), _| *h != host);
    }

    fn pair(&mut self, key: &Key) -> Option<Ephemeral> {
        self.pairs += 1;
        let (salt, chance) = ([self.pairs, 0, 0], &mut self.chance);
        let mut random = |bytes: &mut [u8]| -> Result<(), NoEntropy> {
            bytes.chunks_mut(8).for_each(|c| c.copy_from_slice(&chance.word().to_le_bytes()[..c.len()]));
            Ok(())
        };
        Ephemeral::make(key, &mut random, &salt).ok()
    }

    /// A device dials.
    pub(crate) fn dial(&mut self, device: &DeviceId) -> Covers {
        let credential = credential(device);
        let cover = self.pair(&credential.key).map(|pair| Cover::dial(credential, pair));
        Covers { device: cover.unwrap_or_default(), server: None, said: vec![], forged: false }
    }

    /// A message came up; where in it the frame stands. The first one is opened with the key of the device that it names, out of `devices`.
    pub(crate) fn open_up(
        &mut self,
        covers: &mut Covers,
        host: HostId,
        devices: &[DeviceId],
        message: &mut [u8],
    ) -> Result<std::ops::Range<usize>, Denied> {
        if let Some(server) = &mut covers.server {
            return server.open(message).map(|o| o.frame);
        }
        let first = First::read(message).map_err(|_| Denied)?;
        let owner = devices.iter().map(credential).find(|c| c.id == first.id).ok_or(Denied)?;
        let (answer, hello) = first.open(&owner.key, message)?;
        if !self.seen.entry((host, first.id)).or_default().admit(&first.ephemeral) {
            return Err(Denied);
        }
        let pair = self.pair(&owner.key).ok_or(Denied)?;
        covers.server = Some(Cover::answer(answer, pair));
        Ok(hello)
    }

    /// Perhaps a bit of what is on its way changes.
    pub(crate) fn meddle(&mut self, bytes: &mut [u8]) {
        if !bytes.is_empty() && self.chance.word().is_multiple_of(1_500) {
            let at = self.chance.pick(0..bytes.len() as u64 * 8) as usize;
            bytes[at / 8] ^= 1 << (at % 8);
            self.flipped += 1;
        }
    }

    /// Whether the attacker says a connection again that just ended.
    pub(crate) fn replays(&mut self) -> bool {
        self.chance.percent(8)
    }
}

impl Covers {
    /// The attacker's, who has no key.
    pub(crate) fn forged() -> Self {
        Covers { device: Cover::default(), server: None, said: vec![], forged: true }
    }

    /// A frame of the device as it goes up.
    pub(crate) fn close_up(&mut self, frame: &[u8]) -> Vec<u8> {
        let message = close(&mut self.device, frame);
        if self.said.len() < REMEMBERED {
            self.said.push(message.clone());
        }
        message
    }

    /// A frame of the server as it goes down; as it is if the first message was not opened.
    pub(crate) fn close_down(&mut self, frame: &[u8]) -> Vec<u8> {
        match &mut self.server {
            Some(server) => close(server, frame),
            None => frame.to_vec(),
        }
    }

    /// A message came down.
    pub(crate) fn open_down(&mut self, message: &mut [u8]) -> Result<std::ops::Range<usize>, Denied> {
        self.device.open(message).map(|o| o.frame)
    }
}

fn close(cover: &mut Cover, frame: &[u8]) -> Vec<u8> {
    let margins = cover.margins();
    let mut message = vec![0; margins.front + frame.len() + margins.back.max(TAG)];
    message[margins.front..margins.front + frame.len()].copy_from_slice(frame);
    let len = cover.close(&mut message, frame.len()).unwrap_or(0);
    message.truncate(len);
    message
}

/// The key of a device; a copied board has it too.
fn credential(device: &DeviceId) -> Credential {
    let mut chance = device.bytes().fold(Chance::new(0x006b_6579), |c, b| {
        let mut c = c;
        Chance::new(c.word() ^ u64::from(b))
    });
    let id = KeyId(chance.word().to_le_bytes());
    let mut key = [0; 32];
    key.chunks_mut(8).for_each(|c| c.copy_from_slice(&chance.word().to_le_bytes()));
    Credential { id, key: Key::new(key) }
}
