//! Rule A, and what follows a commit.

use std::task::Poll;

use super::*;
use crate::gate::poll;

impl Host {
    /// Runs the queue through rule A: begins a transaction, or goes on with the one under way.
    pub(crate) fn commit(&mut self, now: u64, store: &MemoryStore) -> Vec<Act> {
        self.touched = true;
        if self.committing.is_none() {
            self.commit_at = None;
            if self.hold || self.queue.is_empty() {
                return vec![];
            }
            if self.crash == Some(Crash::Before) {
                return vec![Act::Crash];
            }
            let (origins, works) =
                std::mem::take(&mut self.queue).into_iter().map(|q| (q.origin, q.work)).unzip();
            self.begin(now, store, origins, works);
        }
        let Some(under_way) = &mut self.committing else { return vec![] };
        let Poll::Ready((works, results)) = poll(under_way.future.as_mut()) else {
            under_way.next_at = now + self.step_us.max(1);
            return vec![];
        };
        let Some(Committing { origins, .. }) = self.committing.take() else { return vec![] };
        let results = match results {
            Ok(results) => results,
            Err(error) => {
                self.log.say(now, || format!("store: {error}"));
                self.begin(now + 50_000, store, origins, works);
                return vec![];
            }
        };
        if self.crash == Some(Crash::AfterCommit) {
            return vec![Act::Crash];
        }
        if !self.queue.is_empty() {
            self.commit_at.get_or_insert(now + self.commit_us);
        }
        let mut acts = vec![];
        for ((origin, work), result) in origins.into_iter().zip(works).zip(results) {
            acts.extend(self.done(now, Queued { origin, work }, result));
        }
        acts
    }

    fn begin(&mut self, at: u64, store: &MemoryStore, origins: Vec<Origin>, works: Vec<Work>) {
        let mut devices: Vec<DeviceId> = works.iter().filter_map(Work::device).collect();
        devices.sort_unstable();
        devices.dedup();
        {
            let mut gate = self.gate();
            (gate.at, gate.steps) = (0, self.step_us > 0);
        }
        let store = GatedStore { memory: store.clone(), gate: self.gate.clone() };
        let future = Box::pin(async move {
            let results = commit(&store, &works).await;
            (works, results)
        });
        self.committing = Some(Committing { origins, future, next_at: at, devices });
    }

    pub(super) fn done(&mut self, now: u64, queued: Queued, result: Result<Done, Refuse>) -> Vec<Act> {
        let mut acts = vec![];
        let from = queued.origin.link;
        if let (Some(link), Some((lane, records, bytes))) = (from, queued.origin.release)
            && let Some(conn) = self.conns.get_mut(&link)
        {
            conn.outstanding -= bytes;
            conn.session.release(lane, records, bytes);
        }
        match result {
            Ok(Done::Hello(mut done)) => {
                let device = match &queued.work {
                    Work::Hello(w) => w.hello.device,
                    _ => return acts,
                };
                for row in &done.settled {
                    self.log.say(now, || format!("command {} is {:?}", row.id, row.state));
                }
                for gap in &done.gaps {
                    self.log.say(now, || format!("gap {}..{} {}", gap.first, gap.last, gap.cause));
                }
                // Takeover: the connection that proved itself live last wins.
                let old: Vec<LinkId> = (self.conns.iter())
                    .filter(|(l, c)| {
                        Some(**l) != from && c.confirmed && c.hello.is_some_and(|h| h.device == device)
                    })
                    .map(|(l, _)| *l)
                    .collect();
                for link in old {
                    acts.extend(self.bye(link, End::Takeover, 0));
                }
                if let Some(conn) = from.and_then(|l| self.conns.get_mut(&l)) {
                    conn.confirmed = true;
                    conn.session.confirm(done.identity.marks);
                    conn.times.passed(&done.identity.marks);
                    conn.down.confirmed(&mut done);
                    self.queue.append(&mut conn.held);
                    self.commit_at.get_or_insert(now + self.commit_us);
                }
            }
            Ok(Done::Appended(appended)) => {
                let lane = match &queued.work {
                    Work::Records(w) => w.lane.lane,
                    Work::Floor(w) => w.lane.lane,
                    _ => return acts,
                };
                for row in &appended.settled {
                    self.log.say(now, || format!("command {} is {:?}", row.id, row.state));
                }
                for gap in &appended.gaps {
                    self.log.say(now, || format!("gap {}..{} {}", gap.first, gap.last, gap.cause));
                }
                if let Some(conn) = from.and_then(|l| self.conns.get_mut(&l)) {
                    if let Work::Records(work) = &queued.work {
                        work.replies.iter().for_each(|r| conn.down.replied(&mut conn.session, r.command));
                        let revisions: Vec<u32> = work.applied.iter().map(|a| a.revision).collect();
                        conn.down.applied(&revisions);
                    }
                    if appended.rewind && appended.mark < conn.session.mark(lane) {
                        // It was put back: only a Hello can say what it has lost.
                        self.log
                            .say(now, || "server closes: the store went back to an earlier state".to_owned());
                        acts.extend(from.map(|l| self.bye(l, End::Closed, 1_000)).unwrap_or_default());
                    } else if appended.rewind {
                        let current = &mut conn.epochs[lane.index()];
                        if *current == queued.origin.epoch {
                            *current += 1;
                            conn.sleep_said = false;
                            conn.session.rewind(lane, appended.mark.next());
                        }
                    } else {
                        conn.session.committed(lane, appended.mark);
                    }
                }
            }
            Ok(Done::Command(row, _)) => {
                self.log.say(now, || format!("command {} is {:?}", row.id, row.state));
                let sent = matches!(queued.work, Work::Command(CommandWork::Sent { .. }));
                let conn = match from {
                    Some(link) => self.conns.get_mut(&link),
                    None => self.conn_of(row.device),
                };
                if let Some(conn) = conn
                    && let Some(identity) = conn.identity
                {
                    if sent {
                        conn.down.stored(row.id, Some(*row), identity.boot);
                    } else {
                        conn.down.deliver(*row, identity.boot);
                    }
                }
            }
            Ok(Done::Setting(row)) => {
                if let Some(conn) = self.conn_of(row.device) {
                    conn.down.set(*row);
                }
            }
            Ok(Done::Rows) => {
                if let (Some(conn), Work::Rows(rows)) =
                    (from.and_then(|l| self.conns.get_mut(&l)), &queued.work)
                    && !rows.catalogs.is_empty()
                {
                    conn.wants_catalog = false;
                    conn.session.catalog_stored();
                }
            }
            Ok(_) => {}
            Err(_) if let Work::Command(CommandWork::Sent { id, .. }) = &queued.work => {
                if let Some(conn) = from.and_then(|l| self.conns.get_mut(&l)) {
                    conn.down.stored(*id, None, 0);
                }
            }
            Err(Refuse::Busy) => {
                acts.extend(from.map(|l| self.bye(l, End::Refused, 5_000)).unwrap_or_default())
            }
            Err(error) => {
                self.log.say(now, || format!("refused: {error}"));
                acts.extend(from.map(|l| self.bye(l, End::Refused, 300_000)).unwrap_or_default());
            }
        }
        acts
    }
}
