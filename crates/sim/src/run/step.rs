//! Where a device stands, and how it gets there.

use super::*;

impl Run {
    /// Whether device `i` is in this step.
    pub(super) fn is_in(&self, i: usize, step: Step) -> bool {
        let d = &self.devices[i];
        let b = &self.world.boards[d.board.0];
        if !b.on {
            return step == Step::Sleeping && d.asleep;
        }
        let Some(link) = b.link else { return step == Step::Offline };
        let l = &self.world.links[link.0];
        let host = &self.world.hosts[l.host.0];
        let Some(conn) = host.conns.get(&link) else { return false };
        let live = b.session.is_live();
        let serves = live && conn.confirmed;
        let drained = |lane: Lane| b.outbox.borrow_mut().as_mut().is_drained(lane);
        match step {
            Step::Offline | Step::Sleeping => false,
            Step::Dialing => conn.hello.is_none(),
            Step::Hello => conn.hello.is_some() && !live,
            Step::Unconfirmed => live && !conn.confirmed,
            Step::Catalogue => serves && conn.wants_catalog,
            Step::Idle => {
                let still =
                    l.up.is_empty() && l.down.is_empty() && b.waiting.is_empty() && !conn.down.keeps_awake();
                serves
                    && still
                    && !host.is_storing(b.id)
                    && !b.session.is_leaving()
                    && Lane::ALL.into_iter().all(drained)
            }
            Step::Data => serves && l.up.backlog() > 0,
            Step::Commit => serves && host.is_storing(b.id),
            Step::Ack => {
                let told = |lane: Lane| {
                    let mut outbox = b.outbox.borrow_mut();
                    let outbox = outbox.as_mut();
                    outbox.wire(outbox.acked(lane))
                };
                serves
                    && !host.is_storing(b.id)
                    && !l.down.is_empty()
                    && [Lane::Alarm, Lane::Readings]
                        .into_iter()
                        .any(|lane| self.oracle.mark(d.book, lane) > told(lane))
            }
            Step::Command => serves && conn.down.keeps_awake() && drained(Lane::Control),
            Step::Reply => serves && !drained(Lane::Control),
            Step::Leaving => b.session.is_leaving(),
        }
    }

    /// Does what brings device `i` to the step.
    pub(super) fn lead(&mut self, i: usize, step: Step) {
        let board = self.devices[i].board;
        let link = self.world.boards[board.0].link;
        match step {
            Step::Offline => {
                if let Some(link) = link {
                    self.world.cut(link);
                }
                if self.devices[i].chance.percent(30) {
                    // More than an outbox holds.
                    for _ in 0..self.devices[i].chance.pick(50..500) {
                        self.sample(i, None);
                    }
                }
            }
            Step::Dialing | Step::Hello | Step::Unconfirmed | Step::Catalogue => {
                if step == Step::Catalogue {
                    self.world.hosts.iter_mut().for_each(|h| h.recheck = true);
                }
                if let Some(link) = link {
                    self.world.cut(link);
                }
                self.dial(i);
            }
            Step::Idle => {}
            Step::Data | Step::Commit | Step::Ack => {
                for _ in 0..self.devices[i].chance.pick(1..12) {
                    self.sample(i, Some(Lane::Readings));
                }
            }
            Step::Command | Step::Reply => self.order(i),
            Step::Leaving | Step::Sleeping => self.sleep(i),
        }
    }
}
