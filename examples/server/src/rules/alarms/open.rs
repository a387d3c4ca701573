//! How each commit of a judge begins: the lease is renewed, and what is known, how far was read and the log are written.

use sensock_sql::{Arg, OwnTx, SqlError, SqlStore};

use super::keep::Kept;
use crate::rules::act::Look;
use crate::rules::judge::Judge;
use crate::rules::judge::brain;
use crate::rules::lease::Lease;
use crate::rules::zone::Zone;

/// What a commit adds to the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next {
    pub(crate) segment: i64,
    /// Whether the log is played from behind it: what is known then is kept with it.
    pub(crate) checkpoint: bool,
}

/// A commit under way.
pub(super) struct Opened {
    pub(super) tx: OwnTx,
    /// Now, by the database's clock.
    pub(super) now_us: i64,
    pub(super) kept: Kept,
}

/// Begins one. The inner error is the answer in its place: `None` if another server holds the zone now; or that this very segment was
/// committed before, and the answer got lost.
pub(super) async fn open(
    store: &SqlStore,
    zone: &Zone,
    lease: &Lease,
    judge: &Judge,
    next: Next,
) -> Result<Result<Opened, Option<Kept>>, SqlError> {
    let mut tx = store.begin_own().await?;
    if !lease.renew(&mut tx).await? {
        return Ok(Err(None));
    }
    let now_us = tx.now_us().await?;
    let known = Known { positions: judge.positions(), state: judge.state() };
    if !state(&mut tx, zone, &known, next.segment).await? {
        return Ok(Err(Some(Kept { look: Look::Begun, ..Kept::default() })));
    }
    log(&mut tx, zone, judge, next.segment, now_us).await?;
    if next.checkpoint {
        checkpoint(&mut tx, zone, &known, next.segment, now_us).await?;
    }
    Ok(Ok(Opened { tx, now_us, kept: Kept::default() }))
}

struct Known {
    positions: Vec<u8>,
    state: Vec<u8>,
}

/// Writes what is known and how far was read; false if this very segment is there already.
async fn state(tx: &mut OwnTx, zone: &Zone, known: &Known, segment: i64) -> Result<bool, SqlError> {
    let update = "UPDATE rule_zone SET segments = ?, rules = ?, positions = ?, state = ? WHERE zone = ? AND segments < ?";
    let args = [
        segment.into(),
        brain::rules_id(zone).into(),
        Arg::Bytes(&known.positions),
        Arg::Bytes(&known.state),
        Arg::Text(&zone.name),
        segment.into(),
    ];
    Ok(tx.execute(update, &args).await? == 1)
}

async fn log(tx: &mut OwnTx, zone: &Zone, judge: &Judge, segment: i64, now_us: i64) -> Result<(), SqlError> {
    let entries = serde_json::to_vec(&judge.entries()).unwrap_or_default();
    let insert = "INSERT INTO rule_log (zone, segment, rules, written_us, entries) VALUES (?, ?, ?, ?, ?)";
    let args = [
        Arg::Text(&zone.name),
        segment.into(),
        brain::rules_id(zone).into(),
        now_us.into(),
        Arg::Bytes(&entries),
    ];
    tx.execute(insert, &args).await.map(drop)
}

async fn checkpoint(
    tx: &mut OwnTx,
    zone: &Zone,
    known: &Known,
    segment: i64,
    now_us: i64,
) -> Result<(), SqlError> {
    let insert = "INSERT INTO rule_log_checkpoint (zone, segment, rules, written_us, positions, state) VALUES (?, ?, ?, ?, ?, ?)";
    let args = [
        Arg::Text(&zone.name),
        segment.into(),
        brain::rules_id(zone).into(),
        now_us.into(),
        Arg::Bytes(&known.positions),
        Arg::Bytes(&known.state),
    ];
    tx.execute(insert, &args).await.map(drop)
}
