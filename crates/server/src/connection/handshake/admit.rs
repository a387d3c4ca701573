//! Who may connect.

use sensock::wire::hello::{Hello, Refusal};
use sensock_store::Admission;
use tokio::time::timeout;

use super::{Failed, Meeting};
use crate::recheck::LOOKUP;

impl Meeting<'_> {
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
            return self.refuse(Some(hello), Refusal::Unknown, 300_000, &text, &words).await;
        }
        match timeout(LOOKUP, self.shared.backend.admit(who)).await {
            Ok(Ok(Admission::Insecure)) => Ok(()),
            Ok(Ok(Admission::Sealed)) => {
                let words = format!(
                    "device {who} has a key and came without: its firmware lost it, or somebody else uses its name"
                );
                let text = format!("device {who} has a key here: it cannot connect without");
                self.refuse(Some(hello), Refusal::Unknown, 300_000, &text, &words).await
            }
            Ok(Ok(_)) => {
                let words = format!(
                    "device {who} is not known here: if it is yours, add its id to the list of devices that may connect (sensockd: a line \"{who}\" in the --devices file)"
                );
                let text = format!("this server does not know device {who}: its operator must add it");
                self.refuse(Some(hello), Refusal::Unknown, 300_000, &text, &words).await
            }
            Ok(Err(error)) => {
                let words = format!("who may connect could not be looked up: {error}");
                self.refuse(
                    Some(hello),
                    Refusal::Busy,
                    5_000,
                    "this server cannot look devices up now",
                    &words,
                )
                .await
            }
            Err(_) => {
                let words = "looking up who may connect takes too long";
                self.refuse(
                    Some(hello),
                    Refusal::Busy,
                    5_000,
                    "this server cannot look devices up now",
                    words,
                )
                .await
            }
        }
    }
}
