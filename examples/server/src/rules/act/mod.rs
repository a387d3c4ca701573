//! Acting: what was decided and stored with an alarm is done, once, and how it went is stored too.
//!
//! ```text
//! device    commands and settings      webhook   a POST of JSON      program   a program, without a shell
//! ```
//!
//! An action is a row before anything moves, and its alarm's key goes with it: a command is stored under that key, so that neither a restart
//! nor a second server commands twice; a webhook carries it, for the other end to tell a repetition. A program has no such key and is begun
//! once: if the server ends meanwhile, its row says that nobody knows.

mod device;
mod program;
pub(crate) mod webhook;

use std::time::Duration;

use anyhow::Result;
use sensock_server::Server;
use sensock_sql::{Arg, SqlStore};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use super::running::Say;
use super::zone::{Action, What, Zone};
use crate::show::time::now_us;

/// How long is waited after rows could not be read.
const AGAIN: Duration = Duration::from_secs(1);

/// One action that waits to be done.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) alarm: String,
    pub(crate) number: i64,
    pub(crate) what: What,
    /// Older than this it is not begun any more.
    pub(crate) until_us: i64,
    /// The alarm, as webhooks and programs get it.
    pub(crate) json: String,
}

/// What an alarm is, for those who are told.
pub(crate) struct About<'a> {
    pub(crate) alarm: &'a str,
    pub(crate) hazard: &'a str,
    pub(crate) level: &'a str,
    /// In hundredths.
    pub(crate) score: i64,
    pub(crate) words: &'a str,
    pub(crate) began_us: i64,
    /// When the change was that is acted on.
    pub(crate) at_us: i64,
}

/// Which rows are to be looked through for what is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Look {
    #[default]
    No,
    /// Those that wait.
    Waiting,
    /// Also those that somebody else has begun and not ended.
    Begun,
}

impl Task {
    pub(crate) fn new(zone: &Zone, number: i64, action: &Action, about: &About<'_>) -> Self {
        let json = serde_json::json!({
            "alarm": about.alarm, "zone": zone.name, "hazard": about.hazard, "when": action.when.word(),
            "level": about.level, "score": about.score as f64 / 100.0, "words": about.words,
            "began_us": about.began_us, "at_us": about.at_us,
        });
        Task {
            alarm: about.alarm.to_owned(),
            number,
            what: action.what.clone(),
            until_us: until_us(action, about.at_us),
            json: json.to_string(),
        }
    }

    /// What makes doing it twice the same as once.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.alarm, self.number)
    }
}

/// Does what it is given, and what waits, for as long as it is left to.
pub(crate) async fn run(
    zone: &'static Zone,
    server: Server,
    store: SqlStore,
    mut tasks: UnboundedReceiver<(Vec<Task>, Look)>,
    say: Say,
) {
    let mut under_way = JoinSet::new();
    let mut look = Look::Begun;
    loop {
        if look > Look::No {
            match waiting(zone, &store, look == Look::Begun).await {
                Ok(tasks) => {
                    for task in tasks {
                        under_way.spawn(finish(task, server.clone(), store.clone(), say.clone()));
                    }
                    look = Look::No;
                }
                Err(error) => say.loud(format!("what is to be done about alarms cannot be read: {error:#}")),
            }
        }
        while under_way.try_join_next().is_some() {}
        match tokio::time::timeout(AGAIN, tasks.recv()).await {
            Ok(Some((tasks, more))) => {
                look = look.max(more);
                for task in tasks {
                    under_way.spawn(finish(task, server.clone(), store.clone(), say.clone()));
                }
            }
            Ok(None) => return,
            Err(_) => {}
        }
    }
}

fn until_us(action: &Action, at_us: i64) -> i64 {
    at_us.saturating_add(i64::try_from(action.max_age.as_micros()).unwrap_or(i64::MAX))
}

/// What waits, each now `begun`. The first time, also what somebody else has begun and not ended.
async fn waiting(zone: &'static Zone, store: &SqlStore, first: bool) -> Result<Vec<Task>> {
    let mut tx = store.begin_own().await?;
    let sql = "SELECT t.alarm_key, t.action, t.state, t.at_us, a.hazard, a.level, a.score, a.words, a.began_us \
               FROM alarm_action t JOIN alarm a ON a.alarm_key = t.alarm_key \
               WHERE t.zone = ? AND (t.state = 'waiting' OR (? = 1 AND t.state = 'begun')) ORDER BY t.decided_us, t.action";
    let rows = tx.rows(sql, &[Arg::Text(&zone.name), first.into()]).await?;
    let now = now_us();
    let mut tasks = Vec::new();
    for row in rows {
        let (alarm, number, at_us) = (row.text(0)?, row.int(1)?, row.int(3)?);
        let action = usize::try_from(number).ok().and_then(|number| zone.actions.get(number));
        let begun = row.text(2)? == "begun";
        let end = match action.map(|action| &action.what) {
            None => Some(("unknown", "the rules have no such action any more")),
            Some(What::Program { .. }) if begun => {
                Some(("unknown", "the server ended while the program ran"))
            }
            Some(_) if action.is_some_and(|action| until_us(action, at_us) < now) => {
                Some(("too old", "its time was over before it was begun"))
            }
            Some(_) => None,
        };
        let (state, detail) = end.unwrap_or(("begun", ""));
        let update = "UPDATE alarm_action SET state = ?, detail = ? WHERE alarm_key = ? AND action = ?";
        tx.execute(update, &[state.into(), detail.into(), Arg::Text(&alarm), number.into()]).await?;
        let (Some(action), None) = (action, end) else { continue };
        let (hazard, level, words) = (row.text(4)?, row.text(5)?, row.text(7)?);
        let about = About {
            alarm: &alarm,
            hazard: &hazard,
            level: &level,
            score: row.int(6)?,
            words: &words,
            began_us: row.int(8)?,
            at_us,
        };
        tasks.push(Task::new(zone, number, action, &about));
    }
    tx.commit().await?;
    Ok(tasks)
}

/// Does it, and writes how it went.
async fn finish(task: Task, server: Server, store: SqlStore, say: Say) {
    let done = match &task.what {
        What::Command { device, name, value } => device::command(&server, &task, device, name, value).await,
        What::Setting { device, name, value } => device::setting(&server, &task, device, name, value).await,
        What::Webhook { url, ca } => webhook::post(&task, url, ca.as_deref()).await,
        What::Program { path, arguments } => program::run(&task, path, arguments).await,
    };
    let (state, detail) = match done {
        Ok(detail) => ("done", detail),
        Err(error) => ("failed", format!("{error:#}")),
    };
    let text = format!("{}: {state}: {detail}", task.what);
    match state {
        "done" => say.line(text),
        _ => say.loud(text),
    }
    for attempt in 0..5 {
        match write(&store, &task, state, &detail).await {
            Ok(()) => return,
            Err(error) if attempt == 4 => say.loud(format!("{} is not written: {error:#}", task.key())),
            Err(_) => tokio::time::sleep(Duration::from_millis(100 << attempt)).await,
        }
    }
}

async fn write(store: &SqlStore, task: &Task, state: &str, detail: &str) -> Result<()> {
    let mut tx = store.begin_own().await?;
    let update =
        "UPDATE alarm_action SET state = ?, detail = ?, done_us = ? WHERE alarm_key = ? AND action = ?";
    let args = [state.into(), detail.into(), now_us().into(), Arg::Text(&task.alarm), task.number.into()];
    tx.execute(update, &args).await?;
    Ok(tx.commit().await?)
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            What::Command { device, name, value } => write!(f, "command to {device}: {name} {value}"),
            What::Setting { device, name, value } => write!(f, "setting of {device}: {name} = {value}"),
            // Only where it leads: an address may hold a token.
            What::Webhook { url, .. } => write!(f, "webhook {}", webhook::Address::words(url)),
            What::Program { path, .. } => write!(f, "program {}", path.display()),
        }
    }
}
