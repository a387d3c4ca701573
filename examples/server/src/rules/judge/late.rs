//! What came too late for its turn: when it is judged again, and what becomes of it.

use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use super::again::Again;
use super::task::Holder;
use super::{Judge, known};
use crate::rules::alarms::settle::{Found as SettledAs, settle};

/// How long records must not have come late before what came late is judged again from the store, and how long they may go on.
pub(super) const SETTLED: Duration = Duration::from_secs(1);
const AT_LAST: Duration = Duration::from_secs(10);

/// Since when records come late, and when the last did.
#[derive(Debug, Default)]
pub(super) struct Late {
    since: Option<Instant>,
    last: Option<Instant>,
}

impl Late {
    fn has_settled(&self) -> bool {
        self.last.is_some_and(|at| at.elapsed() >= SETTLED)
            || self.since.is_some_and(|at| at.elapsed() >= AT_LAST)
    }
}

impl Holder<'_> {
    /// Takes down since when records come late.
    pub(super) fn mind_late(&mut self, before: Option<u64>, judge: &mut Judge) {
        let now = Instant::now();
        let reached = self.again.as_ref().map(|again| again.at_ms);
        if reached.is_some_and(|at_ms| judge.late_from_ms().is_some_and(|late_ms| late_ms >= at_ms)) {
            // What is being judged again comes to it yet.
            judge.late_from_ms = before;
        }
        if judge.late_from_ms() != before {
            self.late.last = Some(now);
        }
        if judge.late_from_ms().is_some() {
            self.late.since.get_or_insert(now);
            self.late.last.get_or_insert(now);
        }
    }

    /// Judges a stretch of the past, if there is something to judge again; whether there was.
    pub(super) async fn judge_again(&mut self, judge: &mut Judge) -> Result<bool> {
        let began = Instant::now();
        if began < self.rests_until {
            return Ok(false);
        }
        if self.again.is_none()
            && let Some(found) = judge.found_in_memory()
        {
            self.rests_until = Instant::now() + began.elapsed() * 9;
            self.late = Late::default();
            let (from_ms, to_ms) = (found.from_ms, judge.watermark_ms());
            let changes = (!found.is_same).then(|| found.changes.clone());
            let (before, after) = (found.instead_of, found.changes.len());
            tracing::debug!(zone = self.zone.name, before, after, "judged again from memory");
            judge.replace_recent(found);
            // What comes out the same needs no rows of its own: the log goes with the next.
            if let Some(changes) = changes {
                self.settle(judge, &SettledAs { from_ms, to_ms, changes: &changes, checkpoints: &[] })
                    .await?;
            }
            return Ok(true);
        }
        let goes_on = self.judge_past(judge).await;
        self.rests_until = Instant::now() + began.elapsed() * 9;
        goes_on
    }

    /// The same from the store, a stretch at once.
    async fn judge_past(&mut self, judge: &mut Judge) -> Result<bool> {
        if let Some(from_ms) = judge.late_from_ms().filter(|_| self.late.has_settled()) {
            let begin_ms = judge.begin_ms.min(from_ms);
            if let Some(again) = self.again.take() {
                judge.gives_up(again.begin_ms);
            }
            let from_ms = judge.late_from_ms().unwrap_or(from_ms);
            self.again = match judge.recent(from_ms) {
                Some((at_ms, brain)) => Some(Again::recent(self.zone, (at_ms, brain.clone()), begin_ms)),
                None => {
                    let known = known::before(self.store, self.zone, from_ms).await?;
                    Again::from(self.zone, known, begin_ms)
                }
            };
            if let Some(again) = &mut self.again {
                again.told_from_ms = judge.told_from_ms;
            }
            judge.judges_again(from_ms);
            self.late = Late::default();
        }
        let Some(again) = &mut self.again else { return Ok(false) };
        if !again.go_on(self.store, &judge.read, judge.watermark_ms()).await? {
            return Ok(true);
        }
        let Some(again) = self.again.take() else { return Ok(false) };
        if judge.late_from_ms().is_some_and(|from_ms| from_ms < judge.watermark_ms()) {
            // More came late meanwhile: once it has settled, it begins before that.
            judge.gives_up(again.begin_ms);
            return Ok(false);
        }
        if !judge.changes().is_empty() && !self.keep(judge).await? {
            anyhow::bail!("another server has taken over");
        }
        let Again { brain, begin_ms, from_ms, changes, checkpoints, .. } = again;
        judge.replace(brain, begin_ms, from_ms, &changes);
        let to_ms = judge.watermark_ms();
        let (changes, checkpoints) = (&changes[..], &checkpoints[..]);
        self.settle(judge, &SettledAs { from_ms, to_ms, changes, checkpoints }).await?;
        self.checkpoint_ms = to_ms;
        Ok(true)
    }

    async fn settle(&mut self, judge: &mut Judge, found: &SettledAs<'_>) -> Result<()> {
        let next = self.next();
        let kept = settle(self.store, self.zone, &self.lease, judge, next, found).await?;
        let Some(kept) = kept else { anyhow::bail!("another server has taken over") };
        self.written(next);
        judge.kept();
        self.done(kept);
        Ok(())
    }
}
