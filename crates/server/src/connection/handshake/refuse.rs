//! Saying no: to the device in words that help its owner and nobody else, to the operator in full.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::time::Duration;

use sensock::deframe::Foreign;
use sensock::wire::hello::Hello;
use tokio::time::timeout;

use super::super::life::finish;
use super::{Failed, Meeting};
use crate::events::Event;
use crate::pipe::{Lost, Pipe as _};
use crate::why::Why;

impl Meeting<'_> {
    /// Says no, to the device in `text`, to the operator in `words`.
    pub(super) async fn refuse<T>(
        &mut self,
        hello: Option<&Hello>,
        why: Why,
        backoff_ms: u32,
        text: &str,
        words: &str,
    ) -> Result<T, Failed> {
        let device = hello.map(|h| h.device);
        let code = why.code();
        let name = device.as_ref().map_or("", |d| d.as_str());
        tracing::warn!(peer = self.peer.words, device = name, ?code, "refused: {words}");
        let (peer, words) = (self.peer.words.clone(), words.to_owned());
        self.shared.events.send(Event::Refused { peer, device, code, why, words });
        let told = {
            let mut out = [0; 256];
            let told = self.session.refuse(code, backoff_ms, text, &mut out);
            told.map(|len| self.pipe.send(&out[..len]))
        };
        if told.is_ok() {
            finish(self.pipe).await;
        }
        Err(Failed::Refused)
    }

    pub(super) async fn collision<T>(&mut self, hello: &Hello) -> Result<T, Failed> {
        let device = hello.device;
        let connected =
            self.shared.registry.connected(&device).map(|c| c.peer.to_string()).unwrap_or_default();
        let refused = self.peer.words.clone();
        let words = format!(
            "two boards have the identity {device}: one {}, the other is at {refused}; give one of them another id (a copied flash image?)",
            if connected.is_empty() {
                "took over earlier".to_owned()
            } else {
                format!("is connected from {connected}")
            }
        );
        self.shared.events.send(Event::Collision { device, connected, refused });
        let text = format!("another board has the identity {device}: give one of them another id");
        self.refuse(Some(hello), Why::IdentityInUse, 300_000, &text, &words).await
    }

    /// Something else dialled: its owner is told in its own protocol, where it has words.
    pub(super) async fn foreign<T>(&mut self, mut bytes: Vec<u8>) -> Result<T, Failed> {
        while bytes.len() < 512 {
            let pipe = &mut *self.pipe;
            let more = poll_fn(|cx| pipe.poll_frames(cx, 256, &mut |_| ControlFlow::Break(())));
            match timeout(Duration::from_millis(100), more).await {
                Ok(Err(Lost::Foreign(more))) => bytes.extend(more),
                _ => break,
            }
        }
        let foreign = Foreign::guess(&bytes);
        let words = foreign.words();
        tracing::warn!(peer = self.peer.words, "{words}");
        self.shared.events.send(Event::Foreign { peer: self.peer.words.clone(), words });
        self.pipe.send_raw(foreign.answer());
        finish(self.pipe).await;
        Err(Failed::Bad)
    }

    pub(super) fn gone(&self, hello: Option<&Hello>, lost: Option<Lost>) -> Failed {
        let device = hello.map_or("", |h| h.device.as_str());
        let words = match &lost {
            None => "it took longer than 10 s",
            Some(Lost::Closed) => "the other end closed",
            Some(Lost::Io(_)) => "the transport failed",
            Some(Lost::Forged) => {
                "a sealed frame could not be opened: it was changed on the way, or the first message was a replay"
            }
            Some(Lost::Peer(_) | Lost::Foreign(_)) => "the bytes are no frames",
        };
        tracing::debug!(peer = self.peer.words, device, "handshake given up: {words}");
        // A link that broke is nobody's fault.
        if matches!(lost, Some(Lost::Closed | Lost::Io(_))) { Failed::Refused } else { Failed::Bad }
    }
}
