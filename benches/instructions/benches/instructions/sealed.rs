//! A server's side of a sealed connection, before the call that is counted.

use sensock::seal::{
    Cover, Credential, Dialled, Ephemeral, FIRST_OVERHEAD, First, Key, KeyId, NoEntropy, Seen,
};

const HELLO: usize = 90;
const WELCOME: usize = 70;

pub struct Sealed {
    credential: Credential,
    seen: Seen,
    /// The bytes that the server reads next.
    pub message: Vec<u8>,
    /// What it writes.
    pub out: Vec<u8>,
    pub server: Cover,
}

/// Nothing here is a secret, and every run is the same.
fn fixed(bytes: &mut [u8]) -> Result<(), NoEntropy> {
    bytes.fill(7);
    Ok(())
}

fn pair(credential: &Credential, n: u64) -> Ephemeral {
    Ephemeral::make(&credential.key, &mut fixed, &[n, 0, 0]).unwrap()
}

impl Sealed {
    /// A first message has come.
    pub fn dialled() -> Self {
        let credential = Credential { id: KeyId([1; 8]), key: Key::new([7; 32]) };
        let mut message = vec![0; HELLO + FIRST_OVERHEAD];
        Dialled::first(&credential, pair(&credential, 1), &mut message, HELLO).unwrap();
        Sealed { credential, seen: Seen::default(), message, out: vec![0; 256], server: Cover::insecure() }
    }

    /// A frame of so many bytes has come, the second of its connection.
    pub fn live(len: usize) -> Self {
        let mut it = Self::dialled();
        let mut device = Cover::dial(it.credential.clone(), pair(&it.credential, 1));
        let mut first = vec![0; HELLO + FIRST_OVERHEAD];
        device.close(&mut first, HELLO).unwrap();
        let n = it.shake();
        device.open(&mut it.out[..n]).unwrap();
        for _ in 0..2 {
            it.message = vec![1; len + device.margins().back];
            device.close(&mut it.message, len).unwrap();
            let mut message = it.message.clone();
            if it.server.open(&mut message).is_err() {
                panic!("both ends have the same keys");
            }
        }
        // The one that is counted comes after them.
        it.message = vec![1; len + device.margins().back];
        device.close(&mut it.message, len).unwrap();
        it
    }

    /// All that a server computes for a handshake; the length of its answer.
    pub fn shake(&mut self) -> usize {
        let first = First::read(&self.message).unwrap();
        let (answer, _) = first.open(&self.credential.key, &mut self.message).unwrap();
        assert!(self.seen.admit(&first.ephemeral));
        self.server = Cover::answer(answer, pair(&self.credential, 2));
        self.server.close(&mut self.out, WELCOME).unwrap()
    }
}
