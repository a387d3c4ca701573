//! Settings between their arrival and the report that they were applied.

use sensock::Catalog;
use sensock::catalog::Shaped;
use sensock::device::OutboxMut;
use sensock::limits::{BODY_MAX, REFUSED_SHAPE, REFUSED_UNKNOWN};
use sensock::wire::call::SettingValue;

use super::Desk;

/// The newest value of one setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SettingSlot {
    key: u16,
    revision: u32,
    state: State,
    len: u8,
    body: [u8; BODY_MAX],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing came yet, or all of it was reported.
    Settled,
    /// The application does not have it yet.
    New,
    /// Applied or refused; the report waits for room in the control lane.
    Unreported(Option<u8>),
}

impl SettingSlot {
    pub(crate) const fn new() -> Self {
        Self { key: 0, revision: 0, state: State::Settled, len: 0, body: [0; BODY_MAX] }
    }
}

impl Desk {
    /// A setting came. A newer revision takes the place of one that nobody applied yet.
    pub(crate) fn take_setting(
        &mut self,
        outbox: &mut OutboxMut<'_>,
        catalog: &Catalog<'_>,
        setting: &SettingValue<'_>,
    ) {
        let listed = catalog.settings.iter().any(|s| s.key == setting.key);
        let slot = self
            .settings
            .iter()
            .position(|s| s.key == setting.key)
            .or_else(|| self.settings.iter().position(|s| s.key == 0));
        // A device starts only if its catalogue lists no more settings than there are slots.
        let (true, Some(at)) = (listed, slot) else {
            let through = self.settled_below(setting.revision);
            let _ = outbox.applied_through(setting.revision, Some(REFUSED_UNKNOWN), through);
            return;
        };
        let slot = &mut self.settings[at];
        if slot.key == setting.key && setting.revision <= slot.revision {
            return;
        }
        let body = setting.body.get(..BODY_MAX).unwrap_or(setting.body);
        *slot = SettingSlot {
            key: setting.key,
            revision: setting.revision,
            state: State::New,
            len: body.len() as u8,
            body: [0; BODY_MAX],
        };
        slot.body[..body.len()].copy_from_slice(body);
        self.wake_tasks();
    }

    /// Gives the application a setting's new value, and reports it as applied; one that cannot be read is refused.
    pub(crate) fn apply<T: Shaped>(&mut self, outbox: &mut OutboxMut<'_>, key: u16) -> Option<T> {
        let slot = self.settings.iter_mut().find(|s| s.key == key && s.state == State::New)?;
        let value = T::decode(&slot.body[..slot.len as usize]);
        slot.state = State::Unreported(if value.is_some() { None } else { Some(REFUSED_SHAPE) });
        self.report_settings(outbox);
        self.wake_runner();
        value
    }

    pub(super) fn report_settings(&mut self, outbox: &mut OutboxMut<'_>) {
        for at in 0..self.settings.len() {
            let slot = self.settings[at];
            let State::Unreported(refused) = slot.state else { continue };
            self.settings[at].state = State::Settled;
            if outbox.applied_through(slot.revision, refused, self.settled_below(slot.revision)).is_err() {
                self.settings[at].state = slot.state;
            }
        }
    }

    /// The revision up to which nothing waits, at most `revision`.
    fn settled_below(&self, revision: u32) -> u32 {
        let open = self.settings.iter().filter(|s| s.state != State::Settled).map(|s| s.revision).min();
        open.map_or(revision, |lowest| revision.min(lowest.saturating_sub(1)))
    }
}
