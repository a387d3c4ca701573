//! Commands and settings on their way into the store.

use std::future::IntoFuture;
use std::marker::PhantomData;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sensock::DeviceId;
use sensock::catalog::Shape;
use sensock_store::work::{CommandWork, Done, Refuse, Work};
use sensock_store::{CommandRow, SettingRow};

use crate::error::CommandError;
use crate::inbox::Message;
use crate::server::Server;
use crate::ticket::{TextTicket, Ticket};

/// A command that will be stored once this is awaited.
#[must_use = "nothing is commanded until it is awaited"]
#[derive(Debug)]
pub struct CommandRequest<A> {
    pub(crate) server: Server,
    pub(crate) row: Result<CommandRow, CommandError>,
    pub(crate) answer: PhantomData<fn() -> A>,
}

impl<A> CommandRequest<A> {
    /// Who asks, for the record.
    pub fn issuer(self, who: impl Into<String>) -> Self {
        self.change(|row| row.issuer = who.into())
    }

    /// The caller's own key: asked again with the same one (after a timeout, say), the first command's ticket comes back.
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        self.change(|row| row.idempotency_key = Some(key.into()))
    }

    /// Stays beside newer ones of the same key, instead of being replaced while it waits.
    pub fn keep_all(self) -> Self {
        self.change(|row| row.keep_all = true)
    }

    fn change(mut self, f: impl FnOnce(&mut CommandRow)) -> Self {
        if let Ok(row) = &mut self.row {
            f(row);
        }
        self
    }
}

impl<A: 'static> IntoFuture for CommandRequest<A> {
    type Output = Result<Ticket<A>, CommandError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    /// Stores the command and sends it if the device is connected.
    ///
    /// If the future is dropped the command may have been stored or not; an idempotency key makes asking again safe.
    fn into_future(self) -> Self::IntoFuture {
        let CommandRequest { server, row, .. } = self;
        async move {
            let row = row?;
            let device = row.device;
            let work = Work::Command(CommandWork::New(Box::new(row)));
            let Done::Command(row, _) = ask(&server, &device, work).await? else {
                return Err(CommandError::Busy);
            };
            let shared = server.shared();
            let ticket = Ticket::new(&shared.tickets, device, row.id);
            if row.state.is_settled() {
                shared.tickets.settle(&row);
            } else if shared.registry.connected(&device).is_some() && shared.refresh(device).await.is_err() {
                // In order of their numbers is how they go down; alone, if the store cannot say what else waits.
                shared.registry.tell(&device, Message::Deliver(row));
            }
            Ok(ticket)
        }
        .boxed()
    }
}

/// A command given as text that will be stored once this is awaited.
#[must_use = "nothing is commanded until it is awaited"]
#[derive(Debug)]
pub struct TextRequest {
    pub(crate) request: CommandRequest<()>,
    pub(crate) answer: Shape,
}

impl TextRequest {
    /// As [`CommandRequest::issuer`].
    pub fn issuer(self, who: impl Into<String>) -> Self {
        TextRequest { request: self.request.issuer(who), ..self }
    }

    /// As [`CommandRequest::idempotency_key`].
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        TextRequest { request: self.request.idempotency_key(key), ..self }
    }

    /// As [`CommandRequest::keep_all`].
    pub fn keep_all(self) -> Self {
        TextRequest { request: self.request.keep_all(), ..self }
    }
}

impl IntoFuture for TextRequest {
    type Output = Result<TextTicket, CommandError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    /// As for [`CommandRequest`].
    fn into_future(self) -> Self::IntoFuture {
        let TextRequest { request, answer } = self;
        async move {
            let ticket = request.await?;
            Ok(TextTicket { id: ticket.id, ticket, answer })
        }
        .boxed()
    }
}

/// A setting that will be stored once this is awaited.
#[must_use = "nothing is set until it is awaited"]
#[derive(Debug)]
pub struct SettingRequest {
    pub(crate) server: Server,
    pub(crate) row: Result<SettingRow, CommandError>,
}

impl SettingRequest {
    /// Who asks, for the record.
    pub fn issuer(mut self, who: impl Into<String>) -> Self {
        if let Ok(row) = &mut self.row {
            row.issuer = who.into();
        }
        self
    }
}

impl IntoFuture for SettingRequest {
    type Output = Result<SettingRow, CommandError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    /// Stores the setting, sends it if the device is connected, and returns its row with its revision.
    fn into_future(self) -> Self::IntoFuture {
        let SettingRequest { server, row } = self;
        async move {
            let row = row?;
            let device = row.device;
            let Done::Setting(row) = ask(&server, &device, Work::Setting(Box::new(row))).await? else {
                return Err(CommandError::Busy);
            };
            let shared = server.shared();
            if shared.registry.connected(&device).is_some() && shared.refresh(device).await.is_err() {
                shared.registry.tell(&device, Message::Setting(row.clone()));
            }
            Ok(*row)
        }
        .boxed()
    }
}

/// Has a caller's work on this device committed.
pub(crate) async fn ask(server: &Server, device: &DeviceId, work: Work) -> Result<Done, CommandError> {
    let answer = server.shared().queues.of(device).ask(work).ok_or(CommandError::Busy)?;
    answer.await.map_err(|_| CommandError::Busy)?.map_err(|refuse| match refuse {
        Refuse::TooManyCommands(n) => CommandError::TooMany(n),
        Refuse::NoSuchCommand(id) => CommandError::NoSuchCommand(id),
        Refuse::Rejected(why) => CommandError::Rejected(why),
        _ => CommandError::Busy,
    })
}
