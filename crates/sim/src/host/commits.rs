//! Rule A, and what follows a commit.

use super::*;

impl Host {
    /// Runs the queue through rule A.
    pub(crate) fn commit(&mut self, now: u64, store: &MemoryStore) -> Vec<Act> {
        self.commit_at = None;
        if self.hold || self.queue.is_empty() {
            return vec![];
        }
        if self.crash == Some(Crash::Before) {
            return vec![Act::Crash];
        }
        let works: Vec<Work> = self.queue.iter().map(|q| q.work.clone()).collect();
        let results = match commit(store, &works).now_or_never() {
            Some(Ok(results)) => results,
            Some(Err(MemoryError::Told(..))) => {
                self.commit_at = Some(now + 50_000);
                return vec![];
            }
            other => {
                self.events.push(format!("{now:>12} store: {other:?}"));
                return vec![];
            }
        };
        if self.crash == Some(Crash::AfterCommit) {
            return vec![Act::Crash];
        }
        let queue = std::mem::take(&mut self.queue);
        let mut acts = vec![];
        for (queued, result) in queue.into_iter().zip(results) {
            acts.extend(self.done(now, queued, result));
        }
        acts
    }

    pub(super) fn done(&mut self, now: u64, queued: Queued, result: Result<Done, Refuse>) -> Vec<Act> {
        let mut acts = vec![];
        if let (Some(link), Some((lane, records, bytes))) = (queued.link, queued.release)
            && let Some(conn) = self.conns.get_mut(&link)
        {
            conn.session.release(lane, records, bytes);
        }
        match result {
            Ok(Done::Hello(done)) => {
                let device = match &queued.work {
                    Work::Hello(w) => w.hello.device,
                    _ => return acts,
                };
                for row in done.settled {
                    self.events.push(format!("{now:>12} command {} is {:?}", row.id, row.state));
                }
                for gap in &done.gaps {
                    self.events.push(format!("{now:>12} gap {}..{} {}", gap.first, gap.last, gap.cause));
                }
                // Takeover: the connection that proved itself live last wins.
                let old: Vec<LinkId> = (self.conns.iter())
                    .filter(|(l, c)| {
                        Some(**l) != queued.link && c.confirmed && c.hello.is_some_and(|h| h.device == device)
                    })
                    .map(|(l, _)| *l)
                    .collect();
                for link in old {
                    acts.extend(self.bye(link, End::Takeover, 0));
                }
                if let Some(conn) = queued.link.and_then(|l| self.conns.get_mut(&l)) {
                    conn.confirmed = true;
                    conn.session.confirm(done.identity.marks);
                    conn.deliver = done.deliver.into();
                    conn.settings = done.settings.into();
                }
            }
            Ok(Done::Appended(appended)) => {
                let lane = match &queued.work {
                    Work::Records(w) => w.lane.lane,
                    Work::Floor(w) => w.lane.lane,
                    _ => return acts,
                };
                for row in &appended.settled {
                    self.events.push(format!("{now:>12} command {} is {:?}", row.id, row.state));
                }
                for gap in &appended.gaps {
                    self.events.push(format!("{now:>12} gap {}..{} {}", gap.first, gap.last, gap.cause));
                }
                if let Some(conn) = queued.link.and_then(|l| self.conns.get_mut(&l)) {
                    appended.settled.iter().for_each(|_| conn.session.answered());
                    if let Work::Records(work) = &queued.work {
                        conn.unapplied.retain(|r| !work.applied.iter().any(|a| a.revision == *r));
                    }
                    if appended.rewind {
                        conn.sleep_said = false;
                        conn.session.rewind(lane, appended.mark.next());
                    } else {
                        conn.session.committed(lane, appended.mark);
                    }
                }
            }
            Ok(Done::Command(row, _)) => {
                self.events.push(format!("{now:>12} command {} is {:?}", row.id, row.state));
                let moved = matches!(queued.work, Work::Command(CommandWork::Sent { .. }));
                if let Some(conn) = self.conn_of(row.device) {
                    conn.sending &= !moved;
                    match row.state {
                        sensock_store::CommandState::Queued => conn.deliver.push_back(*row),
                        sensock_store::CommandState::Sent(_) => acts.extend(self.send(now, &row)),
                        _ => {}
                    }
                }
            }
            Ok(Done::Setting(row)) => {
                if let Some(conn) = self.conn_of(row.device) {
                    conn.settings.push_back(*row);
                }
            }
            Ok(Done::Rows) => {
                if let (Some(conn), Work::Rows(rows)) =
                    (queued.link.and_then(|l| self.conns.get_mut(&l)), &queued.work)
                    && !rows.catalogs.is_empty()
                {
                    conn.session.catalog_stored();
                }
            }
            Ok(_) => {}
            Err(Refuse::Busy) => {
                acts.extend(queued.link.map(|l| self.bye(l, End::Refused, 5_000)).unwrap_or_default())
            }
            Err(error) => {
                self.events.push(format!("{now:>12} refused: {error}"));
                acts.extend(queued.link.map(|l| self.bye(l, End::Refused, 300_000)).unwrap_or_default());
            }
        }
        acts
    }
}
