//! One device, as applications command and configure it.

use std::marker::PhantomData;
use std::time::Duration;

use sensock::catalog::{Command, Policy, READ_NOW, Setting, Shape, Shaped, Values};
use sensock::limits::BODY_MAX;
use sensock::{BadDeviceId, CatalogView, CommandId, DeviceId};
use sensock_store::work::{CommandWork, Done, Work};
use sensock_store::{CommandRow, CommandState, SettingRow};

use crate::error::CommandError;
use crate::request::{CommandRequest, SettingRequest, TextRequest, ask};
use crate::server::Server;
use crate::ticket::{TextTicket, Ticket};

/// A device, connected or not.
#[derive(Clone, Debug)]
pub struct DeviceHandle {
    server: Server,
    device: Result<DeviceId, BadDeviceId>,
}

/// Where a device is, as far as this server knows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceState {
    /// Connected here.
    Connected {
        /// Its address.
        peer: String,
        /// Its boot number.
        boot: u32,
        /// Since when, in us since 1970.
        since_us: i64,
    },
    /// It said that it sleeps.
    Asleep {
        /// Until when, in us since 1970.
        until_us: i64,
    },
    /// Its connection ended, and it has not come back to this server.
    Offline,
    /// It did not come back in time.
    Lost,
    /// This server has not met it since its start.
    Unseen,
}

/// How long "read now" waits for a device that is away.
const READ_NOW_TTL: Duration = Duration::from_secs(60);

impl DeviceHandle {
    pub(crate) fn new(server: Server, device: Result<DeviceId, BadDeviceId>) -> Self {
        DeviceHandle { server, device }
    }

    /// Asks the device to do something, within `ttl`. Awaited, it is stored and on its way, or waits for a device that is away; the
    /// ticket tells how it ends.
    ///
    /// A newer command of the same key replaces one that still waits, unless [`CommandRequest::keep_all`].
    pub fn command<Q: Shaped, A: Shaped>(
        &self,
        command: &Command<Q, A>,
        body: Q,
        ttl: Duration,
    ) -> CommandRequest<A> {
        let mut buf = [0; BODY_MAX];
        let body = body.encode(&mut buf).map(|n| buf[..n].to_vec()).map_err(|_| CommandError::TooLarge);
        self.request(command.key(), command.name(), command.policy(), body, ttl)
    }

    /// Asks for a reading now; the answer is the position of the record that followed.
    pub fn read_now(&self) -> CommandRequest<u64> {
        self.command(&READ_NOW, (), READ_NOW_TTL)
    }

    /// A command by its name and a value as text, as the device's stored catalogue states them: for command lines and forms.
    ///
    /// # Errors
    /// No such command (with the names there are), or a text that is no such value.
    pub async fn command_text(
        &self,
        name: &str,
        text: &str,
        ttl: Duration,
    ) -> Result<TextTicket, CommandError> {
        self.command_text_request(name, text, ttl).await?.await
    }

    /// As [`DeviceHandle::command_text`], to say who asks or under which key before it is awaited.
    ///
    /// # Errors
    /// As there.
    pub async fn command_text_request(
        &self,
        name: &str,
        text: &str,
        ttl: Duration,
    ) -> Result<TextRequest, CommandError> {
        let device = self.device?;
        let bytes = self.catalog(device).await?;
        let unknown = |names: Vec<&str>| unknown(device, "command", name, &names);
        let built_in = READ_NOW.entry();
        let view = CatalogView::new(&bytes).ok();
        let mut entries = view.iter().flat_map(|v| v.commands()).chain([built_in]);
        let Some(entry) = entries.find(|c| c.name == name) else {
            return Err(unknown(
                view.iter().flat_map(|v| v.commands()).map(|c| c.name).chain([built_in.name]).collect(),
            ));
        };
        let body = body_of(entry.request, text)?;
        let request = self.request(entry.key, entry.name, entry.policy, Ok(body), ttl);
        Ok(TextRequest { request, answer: entry.answer })
    }

    /// Sets desired state: it is stored, and reaches the device now or when it comes back; the latest value wins.
    pub fn set<T: Shaped>(&self, setting: &Setting<T>, value: T) -> SettingRequest {
        let mut buf = [0; BODY_MAX];
        let body = value.encode(&mut buf).map(|n| buf[..n].to_vec()).map_err(|_| CommandError::TooLarge);
        self.setting(setting.key(), setting.name(), body)
    }

    /// A setting by its name and a value as text, as [`DeviceHandle::command_text`].
    ///
    /// # Errors
    /// As there.
    pub async fn set_text(&self, name: &str, text: &str) -> Result<SettingRow, CommandError> {
        self.set_text_request(name, text).await?.await
    }

    /// As [`DeviceHandle::set_text`], to say who asks before it is awaited.
    ///
    /// # Errors
    /// As there.
    pub async fn set_text_request(&self, name: &str, text: &str) -> Result<SettingRequest, CommandError> {
        let device = self.device?;
        let bytes = self.catalog(device).await?;
        let view = CatalogView::new(&bytes).ok();
        let Some(entry) = view.iter().flat_map(|v| v.settings()).find(|s| s.name == name) else {
            let names: Vec<&str> = view.iter().flat_map(|v| v.settings()).map(|s| s.name).collect();
            return Err(unknown(device, "setting", name, &names));
        };
        Ok(self.setting(entry.key, entry.name, body_of(entry.shape, text)))
    }

    /// Takes a command back, if it still waits; its row as it is now.
    ///
    /// # Errors
    /// There is no such command, or the server is overloaded.
    pub async fn cancel(&self, id: u64) -> Result<CommandRow, CommandError> {
        let device = self.device?;
        let now_us = self.server.shared().wall.now_us();
        let work = CommandWork::Cancel { device, id: number(id)?, now_us };
        match ask(&self.server, &device, Work::Command(work)).await? {
            Done::Command(row, _) => Ok(*row),
            _ => Err(CommandError::Busy),
        }
    }

    /// The ticket of an earlier command, for example after a restart.
    ///
    /// # Errors
    /// There is no such command among the device's unsettled and its newest 64 settled ones, or the store does not answer.
    pub async fn ticket<A: Shaped>(&self, id: u64) -> Result<Ticket<A>, CommandError> {
        let device = self.device?;
        let shared = self.server.shared();
        let id = number(id)?;
        let ticket = Ticket::new(&shared.tickets, device, id);
        match shared.command(device, id).await.map_err(CommandError::Store)? {
            Some(_) => Ok(ticket),
            None => Err(CommandError::NoSuchCommand(id)),
        }
    }

    /// Where it is, as far as this server knows.
    pub fn state(&self) -> DeviceState {
        let Ok(device) = &self.device else { return DeviceState::Unseen };
        let registry = &self.server.shared().registry;
        if let Some(c) = registry.connected(device) {
            return DeviceState::Connected { peer: c.peer.to_string(), boot: c.boot, since_us: c.since_us };
        }
        match registry.away(device) {
            None => DeviceState::Unseen,
            Some(away) if away.lost_at.is_none() => DeviceState::Lost,
            Some(away) => {
                away.asleep_until_us.map_or(DeviceState::Offline, |until_us| DeviceState::Asleep { until_us })
            }
        }
    }

    async fn catalog(&self, device: DeviceId) -> Result<Vec<u8>, CommandError> {
        let resume = self.server.shared().backend.load(device).await.map_err(CommandError::Store)?;
        let hash = resume.device.as_ref().map_or(0, |d| d.catalog);
        Ok(resume.catalogs.into_iter().find(|c| c.hash == hash).map(|c| c.bytes).unwrap_or_default())
    }

    fn request<A>(
        &self,
        key: u16,
        name: &str,
        policy: Policy,
        body: Result<Vec<u8>, CommandError>,
        ttl: Duration,
    ) -> CommandRequest<A> {
        let created_us = self.server.shared().wall.stamp_us();
        let row = self.device.map_err(CommandError::from).and_then(|device| {
            Ok(CommandRow {
                device,
                id: CommandId(0),
                key,
                name: name.to_owned(),
                policy,
                body: body?,
                issuer: String::new(),
                idempotency_key: None,
                keep_all: false,
                created_us,
                deadline_us: created_us.saturating_add(ttl.as_micros().min(i64::MAX as u128) as i64),
                state: CommandState::Queued,
                answer: Vec::new(),
                settled_us: None,
            })
        });
        CommandRequest { server: self.server.clone(), row, answer: PhantomData }
    }

    fn setting(&self, key: u16, name: &str, body: Result<Vec<u8>, CommandError>) -> SettingRequest {
        let set_us = self.server.shared().wall.stamp_us();
        let row = self.device.map_err(CommandError::from).and_then(|device| {
            Ok(SettingRow {
                device,
                key,
                name: name.to_owned(),
                revision: 0,
                body: body?,
                issuer: String::new(),
                set_us,
                applied_us: None,
                refused: None,
            })
        });
        SettingRequest { server: self.server.clone(), row }
    }
}

fn number(id: u64) -> Result<CommandId, CommandError> {
    u32::try_from(id).map(CommandId).map_err(|_| CommandError::NoSuchCommand(CommandId(u32::MAX)))
}

fn body_of(shape: Shape, text: &str) -> Result<Vec<u8>, CommandError> {
    let mut buf = [0; BODY_MAX];
    let len = Values::encode_text(shape, text, &mut buf)
        .map_err(|e| CommandError::Value(format!("\"{text}\" is not {shape}: {e}")))?;
    Ok(buf[..len].to_vec())
}

fn unknown(device: DeviceId, what: &'static str, name: &str, names: &[&str]) -> CommandError {
    let nearest = if names.is_empty() {
        "; its catalogue is not stored yet, or lists none".to_owned()
    } else {
        format!("; it has: {}", names.join(", "))
    };
    CommandError::NoSuchName { device: device.to_string(), what, name: name.to_owned(), nearest }
}
