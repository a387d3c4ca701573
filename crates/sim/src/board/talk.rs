//! What a board hears and says on a connection.

use super::*;
use sensock::catalog as wire;
use sensock::device::{Event, Transmit};

impl Board {
    pub(crate) fn start(&mut self, now: u64, link: LinkId) {
        (self.link, self.touched) = (Some(link), true);
        let account = Account { dial_attempts: 1, last_end: self.last_end as u8, ..Account::default() };
        let shift = self.outbox.with(|o| o.shift());
        let boots = self.flash.announce(shift);
        self.announced = boots.as_slice().iter().map(|b| b.boot - shift).collect();
        self.session.start(self.tick(now), account, boots);
    }

    pub(crate) fn drop_link(&mut self, end: End) {
        (self.link, self.touched) = (None, true);
        self.last_end = end;
        self.session.lost();
    }

    /// Takes a frame; false if the board closed the connection.
    pub(crate) fn frame(&mut self, now: u64, frame: &mut [u8], log: &mut Log) -> bool {
        self.touched = true;
        let tick = self.tick(now);
        let event = match self.session.handle_frame(&*self.outbox, tick, frame) {
            Ok(event) => event,
            Err(error) => {
                log.say(now, || format!("{} closes: {error}", self.id));
                return false;
            }
        };
        let news = match event {
            Some(Event::Connected { welcomed, .. }) => {
                log.say(now, || format!("{} connected {welcomed:?}", self.id));
                self.connected += 1;
                if let Some(life) = self.lives.last_mut() {
                    life.shift += welcomed.shifted_by;
                }
                if self.memory == Memory::Boot {
                    self.kept.shift += welcomed.shifted_by;
                }
                Some(News::Connected { shifted_by: welcomed.shifted_by })
            }
            Some(Event::Committed { lane, mark }) => Some(News::Acked { lane, mark }),
            Some(Event::Command(call)) => {
                let (id, key) = (call.id, call.key);
                log.say(now, || format!("{} is told command {id}", self.id));
                let once = call.policy == wire::Policy::Once;
                let ready = self.memory != Memory::Flash;
                let held = Held { id, key, once, body: call.body.to_vec(), ready, ran: false, answer_at: 0 };
                if !self.waiting.iter().any(|h| h.id == id) {
                    self.waiting.push(held);
                }
                if self.memory == Memory::Boot {
                    self.kept.begun = self.kept.begun.max(id);
                }
                None
            }
            Some(Event::Setting(setting)) => {
                self.settings.push((setting.key, setting.revision));
                let revision = setting.revision;
                // The control lane has room: the board answers few commands.
                let _ = self.outbox.with(|o| o.applied(revision, None));
                None
            }
            Some(Event::Refused(refused)) => {
                if !log.quiet {
                    self.refused.push(format!("{:?}: {}", refused.code, refused.text));
                }
                log.say(now, || format!("{} is refused: {}", self.id, refused.text));
                let in_use = refused.code == sensock::wire::hello::Refusal::IdentityInUse;
                self.told(News::Refused { backoff_ms: refused.backoff_ms, in_use });
                return false;
            }
            Some(Event::Bye(bye)) => {
                let retry_ms = bye.retry_ms;
                self.told(News::Bye { retry_ms });
                return false;
            }
            _ => None,
        };
        if let Some(news) = news {
            self.told(news);
        }
        self.answer(now);
        true
    }

    pub(super) fn told(&mut self, news: News) {
        if self.watched {
            self.news.push(news);
        }
    }

    /// Frames that are due, each with whether it holds readings; `backlog` is what is on its way of those already.
    pub(crate) fn frames(&mut self, now: u64, mut send: impl FnMut(&[u8], bool), backlog: usize) {
        let tick = self.tick(now);
        let mut buf = [0; 512];
        let mut written = 0;
        loop {
            match self.session.poll_transmit(&*self.outbox, tick, &mut buf) {
                Transmit::Frame(n) => {
                    let lane = data_lane(buf[0]);
                    let due = self.alarms_due > 0;
                    if lane == Some(Lane::Alarm) && due {
                        self.alarms_due = 0;
                        self.told(News::Behind(backlog + written));
                    } else if lane == Some(Lane::Readings) && due {
                        self.told(News::Overtaken);
                    }
                    let readings = lane == Some(Lane::Readings);
                    written += if readings { n } else { 0 };
                    send(&buf[..n], readings);
                }
                Transmit::Fetch { lane, from } => {
                    let supply = self.flash.read(lane, from, self.session.scratch_mut());
                    match supply {
                        Some(s) if self.is_announced(s.first.boot()) => self.session.supply(lane, s),
                        Some(_) => {
                            self.again = true;
                            return;
                        }
                        None => self.session.supply_none(&*self.outbox, lane),
                    }
                }
                Transmit::Idle => return,
            }
        }
    }

    /// A boot that one frame had no room for is announced on the next connection.
    fn is_announced(&self, boot: u32) -> bool {
        boot >= self.outbox.with(|o| o.boot()) || self.announced.contains(&boot)
    }
}

/// The lane of a Data frame, by its first byte.
fn data_lane(first: u8) -> Option<Lane> {
    let header = sensock::wire::header::Header::parse(first).ok()?;
    (header.kind == Some(sensock::wire::header::Kind::Data)).then(|| Lane::from_number(header.lane)).flatten()
}
