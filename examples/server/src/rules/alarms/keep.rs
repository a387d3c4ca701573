//! One commit of a judge: alarms, what is to be done about them, how far it read, what it knows, and the log.

use std::collections::BTreeSet;

use sensock_rules::{Level, Owner};
use sensock_sql::{Arg, OwnTx, SqlError, SqlStore};

use super::open::{Next, Opened, open};
use super::{is_raised, level};
use crate::rules::act::{About, Look, Task};
use crate::rules::judge::Judge;
use crate::rules::judge::again::Checkpoint;
use crate::rules::judge::brain::{self, Change};
use crate::rules::lease::Lease;
use crate::rules::zone::{Action, What, When, Zone};
use crate::show::time::lasting;

/// How long checkpoints are kept: what comes later than this is judged from a new beginning.
pub(crate) const CHECKPOINTS_MS: u64 = 8 * 86_400_000;

/// What a commit led to.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// What is to be done now; it is stored as begun.
    pub(crate) tasks: Vec<Task>,
    /// Whether more is to be done than these: look into the rows.
    pub(crate) look: Look,
    /// Decisions against doing something, for the person who watches.
    pub(crate) said: Vec<String>,
    /// Changes that nobody has been told of.
    pub(crate) changes: Vec<Change>,
    /// Actions that were taken for alarms which others now stand for.
    pub(crate) taken: BTreeSet<i64>,
}

/// Keeps all that is new. `None`: another server holds the zone now, and nothing was written.
pub(crate) async fn keep(
    store: &SqlStore,
    zone: &Zone,
    lease: &Lease,
    judge: &Judge,
    next: Next,
    checkpoint: Option<&Checkpoint>,
) -> Result<Option<Kept>, SqlError> {
    let Opened { mut tx, now_us, mut kept } = match open(store, zone, lease, judge, next).await? {
        Ok(opened) => opened,
        Err(instead) => return Ok(instead),
    };
    for change in judge.changes() {
        write(&mut tx, zone, change, next.segment, now_us, &mut kept).await?;
        kept.changes.push(change.clone());
    }
    if let Some(checkpoint) = checkpoint {
        checkpoints(&mut tx, zone, std::slice::from_ref(checkpoint)).await?;
    }
    tx.commit().await?;
    Ok(Some(kept))
}

pub(crate) async fn checkpoints(
    tx: &mut OwnTx,
    zone: &Zone,
    checkpoints: &[Checkpoint],
) -> Result<(), SqlError> {
    for Checkpoint { at_ms, state } in checkpoints {
        let name = Arg::Text(&zone.name);
        let old = at_ms.saturating_sub(CHECKPOINTS_MS);
        let delete = "DELETE FROM rule_checkpoint WHERE zone = ? AND (at_ms = ? OR at_ms < ?)";
        tx.execute(delete, &[name, (*at_ms).into(), old.into()]).await?;
        let insert = "INSERT INTO rule_checkpoint (zone, at_ms, rules, state) VALUES (?, ?, ?, ?)";
        let args = [name, (*at_ms).into(), brain::rules_id(zone).into(), Arg::Bytes(state)];
        tx.execute(insert, &args).await?;
    }
    Ok(())
}

/// Writes one change into the row of its alarm, and decides what is done about it.
pub(crate) async fn write(
    tx: &mut OwnTx,
    zone: &Zone,
    change: &Change,
    segment: i64,
    now_us: i64,
    kept: &mut Kept,
) -> Result<(), SqlError> {
    let key = brain::text_key(zone, &change.key);
    let find = "SELECT worst, changes FROM alarm WHERE alarm_key = ?";
    let known = tx.rows(find, &[Arg::Text(&key)]).await?.into_iter().next();
    let ended = (!is_raised(change.to)).then_some(change.at_us);
    let (n, is_worst) = match known {
        None => {
            insert(tx, zone, &key, change, ended, now_us).await?;
            (1, true)
        }
        Some(row) => {
            let (before, n) = (level(&row.text(0)?), row.int(1)?.saturating_add(1));
            let worst = before.max(change.to);
            let update = "UPDATE alarm SET level = ?, worst = ?, changed_us = ?, ended_us = ?, changes = ?, withdrawn_us = NULL \
                          WHERE alarm_key = ?";
            let args = [
                change.to.word().into(),
                worst.word().into(),
                change.at_us.into(),
                ended.into(),
                n.into(),
                Arg::Text(&key),
            ];
            tx.execute(update, &args).await?;
            // The words are those of its worst moment.
            (n, change.to >= before)
        }
    };
    if is_raised(change.to) && is_worst {
        let update = "UPDATE alarm SET score = ?, words = ? WHERE alarm_key = ?";
        tx.execute(update, &[change.score.into(), Arg::Text(&change.words), Arg::Text(&key)]).await?;
    }
    let insert = "INSERT INTO alarm_change (alarm_key, n, at_us, level, score, words, segment, written_us) \
                  VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    let args = [
        Arg::Text(&key),
        n.into(),
        change.at_us.into(),
        change.to.word().into(),
        change.score.into(),
        Arg::Text(&change.words),
        segment.into(),
        now_us.into(),
    ];
    tx.execute(insert, &args).await?;
    decide(tx, zone, &key, change, now_us, kept).await
}

async fn insert(
    tx: &mut OwnTx,
    zone: &Zone,
    key: &str,
    change: &Change,
    ended: Option<i64>,
    now_us: i64,
) -> Result<(), SqlError> {
    let hazards = zone.table.table().hazards;
    let hazard = hazards.get(usize::from(change.key.hazard));
    let max_age_us = hazard.map_or(0, |hazard| i64::from(hazard.max_age_ms) * 1_000);
    let start = change.key.start;
    let insert = "INSERT INTO alarm (alarm_key, zone, hazard, rules, device, lane, position, began_us, changed_us, ended_us, \
                  level, worst, score, words, changes, historic, written_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)";
    let args = [
        key.into(),
        Arg::Text(&zone.name),
        hazard.map_or("", |hazard| hazard.name).into(),
        change.key.table.into(),
        zone.devices.get(usize::from(start.device)).map_or("", String::as_str).into(),
        start.lane.into(),
        start.position.into(),
        brain::us(zone, change.key.began).into(),
        change.at_us.into(),
        ended.into(),
        change.to.word().into(),
        change.to.max(change.from).word().into(),
        change.score.into(),
        Arg::Text(&change.words),
        (now_us.saturating_sub(change.at_us) > max_age_us).into(),
        now_us.into(),
    ];
    tx.execute(insert, &args).await.map(drop)
}

/// Decides once for each action of an alarm: what is to be done, and why something is not.
async fn decide(
    tx: &mut OwnTx,
    zone: &Zone,
    key: &str,
    change: &Change,
    now_us: i64,
    kept: &mut Kept,
) -> Result<(), SqlError> {
    let hazard = usize::from(change.key.hazard);
    let Some(of) = zone.table.table().hazards.get(hazard) else { return Ok(()) };
    for (action, number) in zone.actions.iter().zip(0i64..) {
        if action.hazard != hazard || !is_reached(action.when, change.to) {
            continue;
        }
        let find = "SELECT 1 FROM alarm_action WHERE alarm_key = ? AND action = ?";
        if !tx.rows(find, &[key.into(), number.into()]).await?.is_empty() {
            continue;
        }
        let (mut state, detail) = match of.owner {
            Owner::Device => ("device", "the device that carries these rules acts".to_owned()),
            _ if kept.taken.contains(&number) => {
                ("held back", "it was done for an alarm that this one stands for".to_owned())
            }
            _ => judge(tx, zone, action, number, change, now_us).await?,
        };
        let what = action.what.to_string();
        match state {
            // A program is begun once, so its row says that it has before it is.
            "waiting" if matches!(action.what, What::Program { .. }) => {
                kept.look = kept.look.max(Look::Waiting)
            }
            "waiting" => {
                state = "begun";
                let about = About {
                    alarm: key,
                    hazard: of.name,
                    level: change.to.word(),
                    score: change.score.into(),
                    words: &change.words,
                    began_us: brain::us(zone, change.key.began),
                    at_us: change.at_us,
                };
                kept.tasks.push(Task::new(zone, number, action, &about));
            }
            _ => kept.said.push(format!("{what}: {state}: {detail}")),
        }
        if state == "too old" {
            tx.execute("UPDATE alarm SET historic = 1 WHERE alarm_key = ?", &[key.into()]).await?;
        }
        let insert = "INSERT INTO alarm_action (alarm_key, action, zone, what, state, detail, at_us, decided_us) \
                      VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        let args = [
            key.into(),
            number.into(),
            Arg::Text(&zone.name),
            Arg::Text(&what),
            state.into(),
            Arg::Text(&detail),
            change.at_us.into(),
            now_us.into(),
        ];
        tx.execute(insert, &args).await?;
    }
    Ok(())
}

fn is_reached(when: When, to: Level) -> bool {
    match when {
        When::Warning => to >= Level::Warning,
        When::Critical => to >= Level::Critical,
        When::Cleared => !is_raised(to),
    }
}

async fn judge(
    tx: &mut OwnTx,
    zone: &Zone,
    action: &Action,
    number: i64,
    change: &Change,
    now_us: i64,
) -> Result<(&'static str, String), SqlError> {
    let micros = |time: std::time::Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    let (age_us, max_us) = (now_us.saturating_sub(change.at_us), micros(action.max_age));
    if age_us > max_us {
        return Ok((
            "too old",
            format!("it was {} ago, and nothing moves after {}", lasting(age_us), lasting(max_us)),
        ));
    }
    let every_us = micros(action.at_most_every);
    if every_us > 0 {
        let find = "SELECT MAX(decided_us) FROM alarm_action WHERE zone = ? AND action = ? \
                    AND state IN ('waiting', 'begun', 'done', 'failed', 'unknown')";
        let row = tx.rows(find, &[Arg::Text(&zone.name), number.into()]).await?.into_iter().next();
        let last_us = row.map_or(Ok(None), |row| row.maybe_int(0))?;
        if let Some(last_us) = last_us.filter(|last_us| now_us.saturating_sub(*last_us) < every_us) {
            let ago = lasting(now_us.saturating_sub(last_us));
            return Ok((
                "held back",
                format!("at most every {}, and the last was {ago} ago", lasting(every_us)),
            ));
        }
    }
    Ok(("waiting", String::new()))
}
