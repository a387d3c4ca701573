//! Who may connect.

use std::sync::atomic::Ordering;

use sensock::seal::KeyId;
use sensock::wire::hello::Hello;
use sensock_store::Admission;
use tokio::time::timeout;

use super::{Failed, Meeting};
use crate::recheck::LOOKUP;
use crate::why::Why;

impl Meeting<'_> {
    /// Counts this attempt from here on: its first frame is one that costs more than reading it.
    pub(super) async fn begin(&mut self, key: Option<KeyId>) -> Result<(), Failed> {
        let Some(ip) = self.peer.ip else { return Ok(()) };
        let max = self.shared.options.limits.handshakes;
        self.turn = self.shared.pending.begin(ip, key, max, &self.superseded);
        if self.turn.is_some() {
            return Ok(());
        }
        let words = "too many handshakes of this address are under way: raise the limit if that many devices are behind it";
        self.refuse(None, Why::Busy, 5_000, "too many devices of your address dial at once", words).await
    }

    /// Asks who may connect.
    pub(super) async fn admit(&mut self, hello: &Hello) -> Result<(), Failed> {
        let who = hello.device;
        if let Some(owner) = self.owner {
            if owner == who {
                return Ok(());
            }
            let words = format!(
                "the key of device {owner} was used by one that calls itself {who}: give each device its own"
            );
            let text = format!("this key belongs to another device than {who}");
            return self.refuse(Some(hello), Why::KeyOfAnother { owner }, 300_000, &text, &words).await;
        }
        match timeout(LOOKUP, self.shared.backend.admit(who)).await {
            Ok(Ok(Admission::Insecure)) => {
                if !self.shared.insecure_said.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "devices are let in without keys: anyone who reaches the port can say their names, and whoever is on the way reads and changes all (said once)"
                    );
                }
                Ok(())
            }
            Ok(Ok(Admission::Sealed)) => {
                let words = format!(
                    "device {who} has a key and came without: its firmware lost it, or somebody else uses its name"
                );
                let text = format!("device {who} has a key here: it cannot connect without");
                self.refuse(Some(hello), Why::KeyMissing, 300_000, &text, &words).await
            }
            Ok(Ok(_)) => {
                let words = format!(
                    "device {who} is not known here: if it is yours, add its id to the list of devices that may connect (sensockd: a line \"{who}\" in the --devices file)"
                );
                let text = format!("this server does not know device {who}: its operator must add it");
                self.refuse(Some(hello), Why::NotAdmitted, 300_000, &text, &words).await
            }
            Ok(Err(error)) => {
                let words = format!("who may connect could not be looked up: {error}");
                self.refuse(Some(hello), Why::Busy, 5_000, "this server cannot look devices up now", &words)
                    .await
            }
            Err(_) => {
                let words = "looking up who may connect takes too long";
                self.refuse(Some(hello), Why::Busy, 5_000, "this server cannot look devices up now", words)
                    .await
            }
        }
    }
}
