//! A command's stored, awaitable fate.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, Weak};

use sensock::catalog::{Shape, Shaped, Values};
use sensock::{CommandId, DeviceId};
use sensock_store::{CommandRow, CommandState};
use tokio::sync::Notify;

use crate::inbox::lock;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<A> {
    /// It ran; the device's answer.
    Done(A),
    /// The device refused, with a code: below 16 the protocol's own (`sensock::limits`), from 16 on the application's.
    Refused(u8),
    /// Its time was up before it was begun.
    Expired,
    /// It was taken back, replaced by a newer one, or larger than the device can take.
    Undeliverable,
    /// It may have run: the device lost its memory, or gave an answer that nobody can read. Ask it for its state.
    Unknown,
}

/// A command that was stored. Dropping the ticket changes nothing: keep `id` and come back with [`crate::DeviceHandle::ticket`].
#[derive(Debug)]
pub struct Ticket<A> {
    /// The command's number, counted per device.
    pub id: u64,
    device: DeviceId,
    slot: Arc<Slot>,
    answer: PhantomData<fn() -> A>,
}

#[derive(Debug, Default)]
pub(crate) struct Slot {
    row: Mutex<Option<CommandRow>>,
    wake: Notify,
}

impl<A> Ticket<A> {
    pub(crate) fn new(tickets: &Tickets, device: DeviceId, id: CommandId) -> Self {
        Ticket { id: id.0.into(), device, slot: tickets.slot(device, id), answer: PhantomData }
    }

    /// For which device.
    pub fn device(&self) -> &DeviceId {
        &self.device
    }

    /// Waits for the command's end and returns its row as it is stored. Cancel safe; may be called again.
    pub async fn row(&self) -> CommandRow {
        loop {
            let settled = self.slot.wake.notified();
            if let Some(row) = lock(&self.slot.row).clone() {
                return row;
            }
            settled.await;
        }
    }
}

impl<A: Shaped> Ticket<A> {
    /// Waits for the command's end: at the latest some seconds after its deadline, unless the device took it and has not come back since.
    /// Cancel safe; may be called again.
    pub async fn outcome(&self) -> Outcome<A> {
        let row = self.row().await;
        outcome(&row, |body| A::decode(body))
    }
}

/// A command that was given as text; its answer is text too.
#[derive(Debug)]
pub struct TextTicket {
    /// The command's number, counted per device.
    pub id: u64,
    pub(crate) ticket: Ticket<()>,
    pub(crate) answer: Shape,
}

impl TextTicket {
    /// As [`Ticket::outcome`], with the answer read by the shape that the catalogue states.
    pub async fn outcome(&self) -> Outcome<String> {
        let row = self.ticket.row().await;
        outcome(&row, |body| Values::decode(self.answer, body).map(|v| v.to_string()))
    }
}

fn outcome<A>(row: &CommandRow, read: impl FnOnce(&[u8]) -> Option<A>) -> Outcome<A> {
    match row.state {
        CommandState::Done => match read(&row.answer) {
            Some(answer) => Outcome::Done(answer),
            None => {
                tracing::warn!(device = %row.device, command = %row.id, name = row.name, "the answer is not of the stated shape");
                Outcome::Unknown
            }
        },
        CommandState::Refused(code) => Outcome::Refused(code),
        CommandState::Expired => Outcome::Expired,
        CommandState::Undeliverable => Outcome::Undeliverable,
        CommandState::Unknown | CommandState::Queued | CommandState::Sent(_) => Outcome::Unknown,
    }
}

impl<A: fmt::Display> fmt::Display for Outcome<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Done(answer) => write!(f, "done: {answer}"),
            Outcome::Refused(code) => write!(f, "refused with code {code}"),
            Outcome::Expired => f.write_str("expired before it was begun"),
            Outcome::Undeliverable => f.write_str("taken back, replaced, or too large for the device"),
            Outcome::Unknown => f.write_str("unknown: it may have run"),
        }
    }
}

/// All tickets that somebody holds.
#[derive(Debug, Default)]
pub(crate) struct Tickets {
    slots: Mutex<HashMap<DeviceId, HashMap<CommandId, Weak<Slot>>>>,
}

impl Tickets {
    fn slot(&self, device: DeviceId, id: CommandId) -> Arc<Slot> {
        let mut slots = lock(&self.slots);
        let weak = slots.entry(device).or_default().entry(id).or_default();
        weak.upgrade().unwrap_or_else(|| {
            let slot = Arc::new(Slot::default());
            *weak = Arc::downgrade(&slot);
            slot
        })
    }

    /// The command reached its end.
    pub(crate) fn settle(&self, row: &CommandRow) {
        let mut slots = lock(&self.slots);
        let Some(of_device) = slots.get_mut(&row.device) else { return };
        if let Some(slot) = of_device.remove(&row.id).and_then(|weak| weak.upgrade()) {
            *lock(&slot.row) = Some(row.clone());
            slot.wake.notify_waiters();
        }
        if of_device.is_empty() {
            slots.remove(&row.device);
        }
    }

    /// Devices of which somebody holds an unsettled ticket.
    pub(crate) fn waiting(&self) -> Vec<DeviceId> {
        let mut slots = lock(&self.slots);
        slots.retain(|_, of_device| {
            of_device.retain(|_, weak| weak.strong_count() > 0);
            !of_device.is_empty()
        });
        slots.keys().copied().collect()
    }
}
