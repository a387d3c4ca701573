//! First messages that were there before.

/// How many first messages of one key are remembered.
const DEPTH: usize = 8;
/// How much of each. Whoever replays repeats all of it; that two honest ones share so much happens once in 2^61 messages.
const KEPT: usize = 8;

/// The last few ephemeral keys that opened under one key. A first message that comes again is a replay, or of a board that repeats itself;
/// either way it is refused before it costs a look into the store.
///
/// Note an ephemeral only once its message was opened: what strangers send must not push out what is remembered.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    ring: [[u8; KEPT]; DEPTH],
    next: u8,
}

impl Seen {
    /// Remembers it, and says whether it is new.
    pub fn admit(&mut self, ephemeral: &[u8; 32]) -> bool {
        let mut kept = [0; KEPT];
        kept.copy_from_slice(&ephemeral[..KEPT]);
        if self.ring.contains(&kept) {
            return false;
        }
        self.ring[usize::from(self.next)] = kept;
        self.next = (self.next + 1) % DEPTH as u8;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_eight_are_known_again() {
        let mut seen = Seen::default();
        for i in 1..=20 {
            assert!(seen.admit(&[i; 32]));
            for j in i.saturating_sub(7).max(1)..=i {
                assert!(!seen.admit(&[j; 32]), "{j} after {i}");
            }
        }
        assert!(seen.admit(&[12; 32]), "the ninth last is forgotten");
        assert!(!Seen::default().admit(&[0; 32]), "no key pair has the public key of all zeros");
    }
}
