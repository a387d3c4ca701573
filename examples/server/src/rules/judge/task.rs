//! The loop of one zone: take the lease, go on from what is known, read the feed, keep what changes, let act.

use std::time::Duration;

use anyhow::{Context as _, Result};
use sensock::DeviceId;
use sensock_server::Server;
use sensock_sql::SqlStore;
use sensock_store::Failure;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::again::{Again, Checkpoint};
use super::brain::{self, rules_id};
use super::intake::ms;
use super::late::{Late, SETTLED};
use super::{Judge, known};
use crate::rules::act::{self, Look, Task};
use crate::rules::alarms::open::Next;
use crate::rules::alarms::trail::{self, Keeping, Pruned};
use crate::rules::alarms::{is_raised, keep::keep};
use crate::rules::lease::{Lease, Left};
use crate::rules::running::Say;
use crate::rules::zone::{LOOK_BACK_MS, Zone};
use crate::show::time::{lasting, now_us};

/// How often a lease is renewed that lasts for ten seconds.
const RENEW: Duration = Duration::from_secs(3);
/// What was read is kept at least so often; what changes is kept at once.
const KEEP: Duration = Duration::from_secs(10);
/// Every hour of event time it is kept what is known, to judge again from there.
const CHECKPOINT_MS: u64 = 3_600_000;
/// What happened longer ago is told as such.
const FRESH_US: i64 = 60_000_000;
/// How long is waited between two batches of the log that are deleted: live alarms go first.
const PRUNE: Duration = Duration::from_secs(1);
/// How long is waited after an error of the store.
const PAUSE: Duration = Duration::from_millis(200);

/// Judges a zone whenever this server holds its lease, until it is stopped.
pub(crate) async fn run(
    zone: &'static Zone,
    server: Server,
    store: SqlStore,
    say: Say,
    keeping: Keeping,
    mut stop: watch::Receiver<bool>,
) {
    let mut waits = false;
    while !*stop.borrow() {
        match Lease::take(&store, &zone.name, server.id()).await {
            Ok(Some((lease, left))) => {
                waits = false;
                let mut holder = Holder::new(zone, &server, &store, &say, lease, left, keeping);
                let ended = holder.hold(stop.clone()).await;
                match ended {
                    Ok(()) => {}
                    Err(error) => say.loud(format!("zone {}: {error:#}", zone.name)),
                }
            }
            Ok(None) if !waits => {
                waits = true;
                say.line(format!(
                    "zone {}: another server judges it; this one takes over if that ends",
                    zone.name
                ));
            }
            Ok(None) => {}
            // Another server has made the row at this very moment.
            Err(error) if error.failure() == Failure::Rejected => {}
            Err(error) => say.loud(format!("zone {}: who judges it cannot be read: {error}", zone.name)),
        }
        tokio::select! {
            () = sleep(Duration::from_secs(1)) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
}

/// This server, while it holds a zone.
pub(super) struct Holder<'a> {
    pub(super) zone: &'static Zone,
    pub(super) server: &'a Server,
    pub(super) store: &'a SqlStore,
    pub(super) say: &'a Say,
    pub(super) lease: Lease,
    pub(super) left: Left,
    pub(super) segment: i64,
    keeping: Keeping,
    /// When a checkpoint of the log was written, and when something that can go is looked for again.
    checkpoint: Option<Instant>,
    prune_at: Instant,
    pub(super) acts: UnboundedSender<(Vec<Task>, Look)>,
    pub(super) again: Option<Again>,
    pub(super) checkpoint_ms: u64,
    pub(super) late: Late,
    /// Until then the past must wait: nine tenths of the time are for what is live.
    pub(super) rests_until: Instant,
}

impl<'a> Holder<'a> {
    fn new(
        zone: &'static Zone,
        server: &'a Server,
        store: &'a SqlStore,
        say: &'a Say,
        lease: Lease,
        left: Left,
        keeping: Keeping,
    ) -> Self {
        Self {
            zone,
            server,
            store,
            say,
            segment: left.segments,
            keeping,
            checkpoint: None,
            prune_at: Instant::now() + PRUNE,
            lease,
            left,
            acts: unbounded_channel().0,
            again: None,
            checkpoint_ms: 0,
            late: Late::default(),
            rests_until: Instant::now(),
        }
    }

    /// Judges until another server holds the zone, or until it is stopped.
    async fn hold(&mut self, mut stop: watch::Receiver<bool>) -> Result<()> {
        let (acts, tasks) = unbounded_channel();
        self.acts = acts;
        let Some(mut judge) = self.judge().await? else { return Ok(()) };
        let mut acting = JoinSet::new();
        acting.spawn(act::run(self.zone, self.server.clone(), self.store.clone(), tasks, self.say.clone()));
        let devices: Vec<DeviceId> = self.zone.devices.iter().filter_map(|d| DeviceId::new(d).ok()).collect();
        let mut feed = self.server.feed_of(self.store, &devices, judge.cursor());
        let (mut kept, mut renewed) = (Instant::now(), Instant::now());
        while !*stop.borrow() {
            let until_ms = ms(self.server.stored_until_us());
            let items = match feed.now().await {
                Ok(items) => items,
                Err(error) => {
                    tracing::warn!(zone = self.zone.name, %error, "the feed cannot be read");
                    sleep(PAUSE).await;
                    if renewed.elapsed() >= RENEW {
                        if !self.renew().await? {
                            return Ok(());
                        }
                        renewed = Instant::now();
                    }
                    continue;
                }
            };
            let late_ms = judge.late_from_ms();
            judge.take(&items, now_ms());
            if feed.is_current() || judge.has_alarm(until_ms) {
                judge.idle(until_ms);
            }
            self.mind_late(late_ms, &mut judge);
            let due = judge.is_news() && kept.elapsed() >= KEEP;
            if !judge.changes().is_empty() || due {
                if !self.keep(&mut judge).await? {
                    return Ok(());
                }
                (kept, renewed) = (Instant::now(), Instant::now());
            } else if renewed.elapsed() >= RENEW {
                if !self.renew().await? {
                    return Ok(());
                }
                renewed = Instant::now();
            }
            if self.prune_at <= Instant::now() && !self.prune().await? {
                return Ok(());
            }
            if self.judge_again(&mut judge).await? {
                continue;
            }
            if items.is_empty() {
                let until = self.wakes_at(&judge);
                tokio::select! {
                    () = feed.changed() => {}
                    () = sleep_until(until) => {}
                    _ = stop.wait_for(|stop| *stop) => {}
                }
            }
        }
        if judge.is_news() && !self.keep(&mut judge).await? {
            return Ok(());
        }
        Ok(self.lease.give_back(self.store).await?)
    }

    /// What the last holder knew, or else a new beginning.
    async fn judge(&mut self) -> Result<Option<Judge>> {
        let Left { rules, positions, state, .. } = &self.left;
        if *rules == rules_id(self.zone)
            && let Some(judge) = Judge::restore(self.zone, positions, state)
        {
            self.checkpoint_ms = judge.watermark_ms();
            return Ok(Some(judge));
        }
        let read = known::marks(self.store, self.zone).await?;
        let begin_ms = now_ms().saturating_sub(self.zone.lateness.as_millis() as u64);
        let mut judge = Judge::begin(self.zone, begin_ms, read).context("its rules cannot be used")?;
        let ended = known::end_old_alarms(self.store, self.zone).await?;
        if ended > 0 {
            self.say.loud(format!(
                "zone {}: its rules have changed; {ended} alarms of the old ones are ended, look whether they are over",
                self.zone.name
            ));
        }
        // What is stored already teaches what is usual, and gives historic alarms; of past years, those of the last days.
        let look_back_ms = self.zone.look_back_ms();
        let told_from_ms =
            if look_back_ms > LOOK_BACK_MS { begin_ms.saturating_sub(LOOK_BACK_MS) } else { 0 };
        let from_ms = begin_ms.saturating_sub(look_back_ms);
        if !judge.read.is_empty()
            && let Some(first_ms) = known::first_ms(self.store, self.zone, (from_ms, begin_ms)).await?
        {
            judge.learns_from(first_ms, told_from_ms);
        }
        self.checkpoint_ms = begin_ms;
        Ok(if self.keep(&mut judge).await? { Some(judge) } else { None })
    }

    /// Keeps all that is new and says it; false if another server holds the zone now.
    pub(super) async fn keep(&mut self, judge: &mut Judge) -> Result<bool> {
        let at_ms = judge.watermark_ms();
        let is_time =
            judge.late_from_ms().is_none() && at_ms >= self.checkpoint_ms.saturating_add(CHECKPOINT_MS);
        let checkpoint = is_time.then(|| Checkpoint { at_ms, state: judge.brain.save() });
        let next = self.next();
        loop {
            let kept = keep(self.store, self.zone, &self.lease, judge, next, checkpoint.as_ref());
            match kept.await {
                Ok(None) => return Ok(false),
                Ok(Some(kept)) => {
                    self.written(next);
                    if let Some(checkpoint) = checkpoint {
                        self.checkpoint_ms = checkpoint.at_ms;
                    }
                    judge.kept();
                    self.done(kept);
                    return Ok(true);
                }
                // The lease runs out meanwhile if the store stays away, and then this ends with `None`.
                Err(error) => {
                    tracing::warn!(zone = self.zone.name, %error, "alarms cannot be stored; it is tried again");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// What the next commit adds to the log.
    pub(super) fn next(&self) -> Next {
        let checkpoint = self.checkpoint.is_none_or(|at| at.elapsed() >= self.keeping.checkpoint);
        Next { segment: self.segment + 1, checkpoint }
    }

    /// It is there.
    pub(super) fn written(&mut self, next: Next) {
        self.segment = next.segment;
        if next.checkpoint {
            self.checkpoint = Some(Instant::now());
        }
    }

    /// Deletes a batch of what need not be kept of the log; false if another server holds the zone now.
    async fn prune(&mut self) -> Result<bool> {
        let pruned = trail::prune(self.store, self.zone, &self.lease, &self.keeping).await;
        let again = match pruned {
            Ok(Pruned::NotHeld) => return Ok(false),
            Ok(Pruned::More) => PRUNE,
            Ok(Pruned::All) => self.keeping.looks_every(),
            Err(error) => {
                tracing::warn!(zone = self.zone.name, %error, "the log cannot be pruned; it is tried again");
                self.keeping.looks_every()
            }
        };
        self.prune_at = Instant::now() + again;
        Ok(true)
    }

    fn tell(&self, change: &brain::Change) {
        let zone = &self.zone.name;
        let age_us = now_us().saturating_sub(change.at_us);
        if age_us > FRESH_US {
            self.say.line(format!(
                "alarm of {} ago: {} ({zone}, {})",
                lasting(age_us),
                change.words,
                change.to
            ));
            return;
        }
        match is_raised(change.to) && change.to > change.from {
            true => self.say.loud(format!("ALARM {} ({zone}, {})", change.words, change.to)),
            false => self.say.line(format!("alarm {} ({zone})", change.words)),
        }
    }

    pub(super) fn done(&self, kept: crate::rules::alarms::keep::Kept) {
        kept.changes.iter().for_each(|change| self.tell(change));
        kept.said.into_iter().for_each(|said| self.say.line(said));
        if !kept.tasks.is_empty() || kept.look != Look::No {
            // It ends only after this.
            let _goes_on = self.acts.send((kept.tasks, kept.look));
        }
    }

    async fn renew(&self) -> Result<bool> {
        let mut tx = match self.store.begin_own().await {
            Ok(tx) => tx,
            Err(error) => {
                tracing::warn!(zone = self.zone.name, %error, "the lease cannot be renewed; it is tried again");
                return Ok(true);
            }
        };
        let held = self.lease.renew(&mut tx).await?;
        tx.commit().await?;
        Ok(held)
    }

    /// When something is to be done although nothing comes.
    fn wakes_at(&self, judge: &Judge) -> Instant {
        let past = judge.late_from_ms().is_some() || self.again.is_some();
        let longest = if past { SETTLED / 4 } else { Duration::from_secs(1) };
        let due = judge.due_ms().map(|due| Duration::from_millis(due.saturating_sub(now_ms())));
        let wakes_at = Instant::now() + due.unwrap_or(longest).min(longest);
        // The past goes on as soon as it has rested.
        if self.again.is_some() { wakes_at.min(self.rests_until) } else { wakes_at }
    }
}

fn now_ms() -> u64 {
    ms(now_us())
}
