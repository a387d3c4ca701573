//! What has to be looked at now and then: clocks, devices that stay away, and what other servers wrote.

use std::sync::Arc;

use sensock::{CommandId, DeviceId};
use sensock_store::work::{CommandWork, Work};
use sensock_store::{CommandState, Resume};

use crate::events::Event;
use crate::inbox::Message;
use crate::queue::{Entry, Origin};
use crate::shared::Shared;

/// Devices that are looked up each time.
const AT_ONCE: usize = 50;

/// Runs until the server ends.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut next = 0;
    loop {
        tokio::select! {
            () = tokio::time::sleep(shared.options.poll) => {}
            () = shared.ended.cancelled() => return,
        }
        if let Some(by_us) = shared.wall.check() {
            tracing::warn!(by_us, "the server's clock stepped");
            shared.events.send(Event::ClockStepped { by_us });
            if let Some(text) = shared.wall.hold() {
                // Better no row than one with a wrong time (rule 57): the devices keep their records meanwhile.
                shared.registry.tell_all(|| Message::Leave { retry_ms: 30_000, text });
            }
        }
        for device in shared.registry.lost(shared.wall.now()) {
            tracing::warn!(%device, "lost: it did not come back in time");
            shared.events.send(Event::Lost { device });
        }
        // Those that somebody waits for first, then the connected ones in turn.
        let mut devices = shared.tickets.waiting();
        let mut connected = shared.registry.devices();
        connected.sort_unstable();
        let n = connected.len();
        if n > 0 {
            next %= n;
            connected.rotate_left(next);
            next += AT_ONCE.min(n);
        }
        devices.extend(connected.into_iter().take(AT_ONCE));
        devices.sort_unstable();
        devices.dedup();
        for device in devices {
            if shared.refresh(device).await.is_err() {
                // The committer tells of a store that is away.
                break;
            }
        }
    }
}

impl Shared {
    /// Reads what the store says of a device: what waits is delivered if it is connected here, what is settled wakes who waits for it.
    pub(crate) async fn refresh(&self, device: DeviceId) -> Result<Resume, String> {
        let mut resume = self.backend.load(device).await?;
        let now_us = self.wall.now_us();
        let mut late = false;
        for row in &resume.commands {
            match row.state {
                CommandState::Queued if row.deadline_us < now_us => late = true,
                // One that was sent may have left on a connection that was dead already, another server's perhaps. The connection that lives
                // sends it if it has not; the device runs no number twice.
                CommandState::Queued | CommandState::Sent(_) => {
                    self.registry.tell(&device, Message::Deliver(Box::new(row.clone())));
                }
                _ => self.tickets.settle(row),
            }
        }
        if late {
            let work = Work::Command(CommandWork::Expire { device, now_us });
            self.queues.of(&device).push([Entry { work, origin: Origin::Nobody }]);
        }
        resume.settings.sort_by_key(|s| s.revision);
        for row in resume.settings.iter().filter(|s| s.applied_us.is_none() && s.refused.is_none()) {
            self.registry.tell(&device, Message::Setting(Box::new(row.clone())));
        }
        Ok(resume)
    }

    /// The row of one command.
    pub(crate) async fn command(
        &self,
        device: DeviceId,
        id: CommandId,
    ) -> Result<Option<sensock_store::CommandRow>, String> {
        let resume = self.refresh(device).await?;
        Ok(resume.commands.into_iter().find(|c| c.id == id))
    }
}
