//! A server's half of a handshake: from the bytes of a first message to those of a sealed Welcome.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use sensock::seal::{Cover, Credential, Dialled, Ephemeral, FIRST_OVERHEAD, First, Key, KeyId, Seen};

use crate::pair::random;

const HELLO: usize = 90;
const WELCOME: usize = 70;

struct Door {
    keys: HashMap<KeyId, Key>,
    seen: HashMap<KeyId, Seen>,
}

impl Door {
    /// All that a server computes: the key, opening Hello, the look for a replay, a key pair, the secret of both, and sealing Welcome.
    fn answer(&mut self, message: &mut [u8], number: u64, buf: &mut [u8]) -> Cover {
        let first = First::read(message).unwrap();
        let key = &self.keys[&first.id];
        let (answer, hello) = first.open(key, message).unwrap();
        assert_eq!(hello.len(), HELLO);
        assert!(self.seen.entry(first.id).or_default().admit(&first.ephemeral));
        let ephemeral = Ephemeral::make(key, &mut random, &[number, 0, 0]).unwrap();
        let mut cover = Cover::answer(answer, ephemeral);
        cover.close(buf, WELCOME).unwrap();
        cover
    }
}

pub fn report((rounds, count): (usize, usize)) {
    let credential =
        |n: usize| Credential { id: KeyId((n as u64).to_le_bytes()), key: Key::new([n as u8; 32]) };
    let mut door = Door { keys: HashMap::new(), seen: HashMap::new() };
    door.keys.extend((0..count).map(|n| (credential(n).id, credential(n).key)));
    let (mut computed, mut passed) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let mut messages: Vec<Vec<u8>> = (0..count)
            .map(|n| {
                let (credential, mut buf) = (credential(n), vec![0; HELLO + FIRST_OVERHEAD]);
                let ephemeral = Ephemeral::make(&credential.key, &mut random, &[round as u64, 1, 0]).unwrap();
                Dialled::first(&credential, ephemeral, &mut buf, HELLO).unwrap();
                buf
            })
            .collect();
        let (began, before) = (Instant::now(), cpu());
        for (n, message) in messages.iter_mut().enumerate() {
            let mut buf = [0; 256];
            black_box(door.answer(black_box(message), (round * count + n) as u64, &mut buf));
        }
        computed.push((cpu() - before).as_secs_f64());
        passed.push(began.elapsed().as_secs_f64());
    }
    let median = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        count as f64 / all[all.len() / 2]
    };
    println!(
        "handshakes a second of one core, server side: {:.0} by processor time, {:.0} by the clock (aim 5000; median of {rounds} rounds of {count})",
        median(computed),
        median(passed)
    );
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
