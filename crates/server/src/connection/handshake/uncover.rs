//! The first frame: Hello, or what it is sealed in.

use sensock::Micros;
use sensock::error::Peer;
use sensock::seal::{Cover, Ephemeral, First};
use sensock::wire::hello::{Hello, VERSION};
use tokio::time::timeout;

use super::{Came, Failed, Meeting, read};
use crate::pipe::Lost;
use crate::random;
use crate::recheck::{Held, LOOKUP};
use crate::why::Why;

impl Meeting<'_> {
    /// The first frame.
    pub(super) async fn hello(&mut self) -> Result<(Hello, Micros), Failed> {
        loop {
            let came = match self.frame().await {
                Ok(Came::Sealed(message)) => Ok(self.uncover(message).await?),
                came => came,
            };
            match came {
                Ok(Came::Hello(hello)) => return Ok((*hello, self.shared.wall.now())),
                Ok(Came::Nothing) => {}
                Ok(Came::Broken(Peer::Version, theirs)) => {
                    let (low, high) = theirs.unwrap_or_default();
                    let words = format!(
                        "this server speaks sensock wire versions {VERSION} to {VERSION}, the device {low} to {high}: update the {}",
                        if low > VERSION { "server" } else { "device" }
                    );
                    return self.refuse(None, Why::Version, 3_600_000, &words, &words).await;
                }
                Ok(Came::Broken(error, _)) => {
                    let words = format!("the first frame is no Hello: {error}");
                    let _told = self.refuse::<()>(None, Why::Malformed, 3_600_000, &words, &words).await;
                    return Err(Failed::Bad);
                }
                Ok(Came::Proved | Came::Sealed(_)) => return Err(Failed::Bad),
                Err(Some(Lost::Foreign(bytes))) => return self.foreign(bytes).await,
                Err(Some(Lost::Peer(error))) => {
                    let words = error.to_string();
                    let _told = self.refuse::<()>(None, Why::Malformed, 3_600_000, &words, &words).await;
                    return Err(Failed::Bad);
                }
                Err(lost) => return Err(self.gone(None, lost)),
            }
        }
    }

    /// Opens a first message with the key that it names. Nothing is told apart for the device: an id that nobody has costs and says
    /// what a wrong key does. The operator reads which it was.
    pub(super) async fn uncover(&mut self, mut message: Vec<u8>) -> Result<Came, Failed> {
        let first = match First::read(&message) {
            Ok(first) => first,
            Err(error) => return Ok(Came::Broken(error, None)),
        };
        let held = match timeout(LOOKUP, self.shared.backend.key(first.id)).await {
            Ok(Ok(held)) => held,
            failed => {
                let why = match failed {
                    Ok(Err(error)) => format!("keys could not be looked up: {error}"),
                    _ => "looking up keys takes too long".to_owned(),
                };
                let text = "this server cannot look keys up now";
                return self.refuse(None, Why::Busy, 5_000, text, &why).await;
            }
        };
        // It is never closed.
        let _turn = self.shared.turns.acquire().await;
        let doorkeeper = &self.shared.doorkeeper;
        let key = held.as_ref().map_or_else(|| doorkeeper.unknown(first.id), |held| held.key.clone());
        let Ok((answer, hello)) = first.open(&key, &mut message) else {
            let id = first.id;
            let (why, words) = match held.map(|held| held.device) {
                Some(owner) => (
                    Why::KeyWrong { id, owner },
                    format!(
                        "a device that names the key {id} of device {owner} does not have that key, or its message was changed on the way"
                    ),
                ),
                None => (
                    Why::KeyUnknown { id },
                    format!("nobody here has the key {id}: was it revoked, or never added?"),
                ),
            };
            let text = "this server does not know this key: compare it with the server's, or add it there";
            let _told = self.refuse::<()>(None, why, 60_000, text, &words).await;
            return Err(Failed::Bad);
        };
        // Whoever opened it: without an owner it was luck, which is worth nothing.
        let Some(held) = held else { return Err(Failed::Bad) };
        if !doorkeeper.admit(first.id, &first.ephemeral) {
            let words = format!(
                "a first message of device {} came again: somebody replays it, or the board's random generator repeats itself",
                held.device
            );
            // If it was the network that said it twice, the device has a new one at hand: nothing is won by a wait.
            let _told =
                self.refuse::<()>(None, Why::Replayed { owner: held.device }, 0, "dial again", &words).await;
            return Err(Failed::Bad);
        }
        self.begin(Some(first.id)).await?;
        let salt = [self.shared.id, self.shared.wall.now().0, u64::from_le_bytes(first.id.0)];
        let Ok(pair) = Ephemeral::make(&key, &mut random::fill, &salt) else {
            let words = "the system gives no random bytes";
            return self.refuse(None, Why::Busy, 5_000, "this server has no random bytes", words).await;
        };
        self.pipe.cover(Cover::answer(answer, pair));
        self.owner = Some(held.device);
        self.let_in.key = Some(Held::new(first.id, &key));
        let frame = message.get_mut(hello).unwrap_or_default();
        Ok(read(&mut self.session, &self.shared.wall, frame))
    }
}
