//! What a frame does to a server, and what it writes.

use super::*;

impl Host {
    pub(crate) fn frame(
        &mut self,
        now: u64,
        link: LinkId,
        frame: &mut [u8],
        store: &MemoryStore,
    ) -> Vec<Act> {
        self.touched = true;
        let (at, wall, wall_now, len) = (self.micros(now), self.wall(), self.wall_now(now), frame.len());
        let fresh = Tag(self.random());
        let (nonce, server) = (self.random(), self.number);
        let holds = self.clock_holds(now, store);
        let gated = GatedStore { memory: store.clone(), gate: self.gate.clone() };
        let recheck = self.recheck;
        let Some(conn) = self.conns.get_mut(&link) else { return vec![] };
        let event = match conn.session.handle_frame(at, frame) {
            Ok(Some(event)) => event,
            Ok(None) => return vec![],
            Err(error) => {
                self.log.say(now, || format!("server closes: {error}"));
                self.conns.remove(&link);
                return vec![Act::Close(link)];
            }
        };
        let mut acts = vec![];
        match event {
            Event::Hello(hello) => {
                conn.hello = Some(hello);
                conn.down = Downlink::new(&hello, at);
                if holds {
                    self.clock_refusals += 1;
                    return self.refuse(link, Refusal::Busy, "the server's clock is not set");
                }
                // A memory store that fails here refuses as busy.
                let Some(Ok(resume)) = gated.load(&hello.device).now_or_never() else {
                    return self.refuse(link, Refusal::Busy, "the store is away");
                };
                match judge(&resume, &hello, fresh) {
                    Verdict::Collision => {
                        self.log.say(now, || format!("collision: {}", hello.device));
                        return self.refuse(link, Refusal::IdentityInUse, "another board has this identity");
                    }
                    Verdict::Welcome(identity) => {
                        let mut sheets = resume.catalogs.iter().filter_map(|c| Sheet::read(c.hash, &c.bytes));
                        conn.sheet = sheets.find(|s| s.hash == hello.catalog);
                        conn.wants_catalog = conn.sheet.is_none() || recheck;
                        self.recheck &= !conn.wants_catalog;
                        conn.older = resume
                            .catalogs
                            .iter()
                            .filter_map(|c| Sheet::read(c.hash, &c.bytes))
                            .map(Arc::new)
                            .collect();
                        let rebased = identity.meeting == sensock_store::work::Meeting::Rebased;
                        conn.times = Times::new(identity.boot, &resume).rebased(rebased);
                        conn.identity = Some(identity);
                        let pending = resume.commands.iter().filter(|c| !c.state.is_settled()).count()
                            + resume.settings.iter().filter(|s| s.revision > hello.settings).count();
                        let proposal = Proposal {
                            boot_shift: identity.shift,
                            tag: identity.tag,
                            marks: identity.marks,
                            want_catalog: conn.wants_catalog,
                            pending: pending as u16,
                            store: store_id(store),
                            nonce,
                        };
                        let _ = conn.session.welcome(proposal);
                    }
                }
            }
            Event::Proved => {
                if let (Some(hello), Some(identity), Some(bounds)) =
                    (conn.hello, conn.identity, conn.session.bounds())
                {
                    let bounds = Bounds { lo: bounds.lo + wall, hi: bounds.hi + wall, ..bounds };
                    let zero = bounds.moment(Tick(0));
                    let work = HelloWork {
                        hello,
                        proposed: identity,
                        firmware: String::new(),
                        started: (Some(zero.0), Some(zero.1)),
                        connection: ConnectionRow {
                            id: fresh.0,
                            device: hello.device,
                            boot: identity.boot,
                            server,
                            peer: format!("link {}", link.0),
                            from_us: wall_now,
                            to_us: None,
                            reason: String::new(),
                            asleep_until_us: None,
                            account: Account::default(),
                            records: 0,
                            bytes: 0,
                        },
                        anchor: Some(anchor(hello.device, identity.boot, server, bounds)),
                        store: store_id(store),
                        now_us: wall_now,
                    };
                    self.push(now, link, Work::Hello(Box::new(work)), None);
                }
            }
            Event::Data(data) => {
                conn.sleep_said = false;
                let Some(facts) = facts(conn, wall, wall_now) else { return vec![] };
                let (lane, mut intake) = (data.lane, Intake::default());
                if let Err(error) = intake.add(&facts, &data, len) {
                    self.log.say(now, || format!("server closes: {error}"));
                    self.conns.remove(&link);
                    return vec![Act::Close(link)];
                }
                if let Some(mut pending) = intake.take(lane) {
                    if let (Some(bounds), Some(identity), Some(hello)) =
                        (conn.session.bounds(), conn.identity, conn.hello)
                        && !pending.work.readings.is_empty()
                    {
                        let bounds = Bounds { lo: bounds.lo + wall, hi: bounds.hi + wall, ..bounds };
                        if conn.anchored.is_none_or(|a| bounds.tick.since(a) >= 600_000) {
                            conn.anchored = Some(bounds.tick);
                            pending.work.anchors.push(anchor(hello.device, identity.boot, server, bounds));
                        }
                    }
                    let release = Some((lane, pending.records, pending.bytes as usize));
                    self.push(now, link, Work::Records(pending.work), release);
                }
            }
            Event::Floor { lane, floor } => {
                if let (Some(hello), Some(facts)) = (conn.hello, facts(conn, wall, wall_now)) {
                    let between_us = facts.between(floor.floor.boot(), floor.span);
                    let lane = LaneId { device: hello.device, lane };
                    let work = Work::Floor(FloorWork { lane, floor, between_us, now_us: wall_now });
                    self.push(now, link, work, None);
                }
            }
            Event::Boots(boots) => {
                let mut rows = vec![];
                for (i, old) in boots.as_slice().iter().enumerate() {
                    let Some(hello) = conn.hello else { continue };
                    if !conn.times.knows(old.boot) {
                        rows.push(BootRow {
                            device: hello.device,
                            boot: old.boot,
                            tag: Tag::NONE,
                            catalog: old.catalog,
                            firmware: String::new(),
                            seen_us: wall_now,
                            started: (None, None),
                            last_tick: old.last_tick,
                            account: Account::default(),
                            rebased_by: 0,
                        });
                    }
                    conn.times.heard_of(old, i < boots.moved().len());
                }
                if !rows.is_empty() {
                    let rows = Work::Rows(Box::new(Batch { boots: rows, ..Batch::default() }));
                    self.push(now, link, rows, None);
                }
            }
            Event::Catalog(part) => {
                conn.catalog.extend_from_slice(part.bytes);
                if conn.catalog.len() == part.total as usize {
                    let (hash, bytes) = (part.hash, std::mem::take(&mut conn.catalog));
                    conn.sheet = Sheet::read(hash, &bytes);
                    if let Some(hello) = conn.hello {
                        let catalogs = vec![CatalogRow { device: hello.device, hash, bytes }];
                        let rows = Work::Rows(Box::new(Batch { catalogs, ..Batch::default() }));
                        self.push(now, link, rows, None);
                    }
                }
            }
            Event::ClockFault => self.log.say(now, || "clock fault".to_owned()),
            Event::Sleep(sleep) => {
                if let (Some(hello), true) = (conn.hello, sleep.ends_boot) {
                    let work = Work::Ended(hello.device, sleep.lasts);
                    self.push(now, link, work, None);
                }
                if let Some(conn) = self.conns.get_mut(&link) {
                    conn.sleep_said = true;
                }
            }
            Event::Bye(bye) => {
                if let (Some(hello), true) = (conn.hello, bye.ends_boot) {
                    let work = Work::Ended(hello.device, bye.lasts);
                    self.push(now, link, work, None);
                }
                self.conns.remove(&link);
                acts.push(Act::Close(link));
            }
            _ => {}
        }
        acts
    }

    pub(super) fn refuse(&mut self, link: LinkId, code: Refusal, text: &str) -> Vec<Act> {
        let mut out = [0; 256];
        let Some(mut conn) = self.conns.remove(&link) else { return vec![] };
        match conn.session.refuse(code, code.backoff_ms(), text, &mut out) {
            Ok(n) => vec![Act::Down(link, out[..n].to_vec()), Act::Close(link)],
            Err(_) => vec![Act::Close(link)],
        }
    }

    pub(crate) fn bye(&mut self, link: LinkId, reason: End, retry_ms: u32) -> Vec<Act> {
        let mut out = [0; 256];
        let Some(mut conn) = self.conns.remove(&link) else { return vec![] };
        match conn.session.bye(reason, retry_ms, "", &mut out) {
            Ok(n) => vec![Act::Down(link, out[..n].to_vec()), Act::Close(link)],
            Err(_) => vec![Act::Close(link)],
        }
    }

    /// Frames that are due, and commands and settings that may go.
    pub(crate) fn frames(&mut self, now: u64) -> Vec<Act> {
        let at = self.micros(now);
        let (wall, wall_now) = (self.wall(), self.wall_now(now));
        let mut acts = vec![];
        let mut works = vec![];
        let mut buf = [0; 4096];
        for (link, conn) in &mut self.conns {
            while let Ok(n @ 1..) = conn.session.poll_transmit(at, &mut buf) {
                acts.push(Act::Down(*link, buf[..n].to_vec()));
            }
            let (true, Some(identity)) = (conn.confirmed, conn.identity) else { continue };
            conn.down.send_next(identity.boot, wall_now, |work, _| works.push((*link, work)));
            while let n @ 1.. = conn.down.frame(&mut conn.session, wall, &mut buf) {
                acts.push(Act::Down(*link, buf[..n].to_vec()));
            }
        }
        for (link, work) in works {
            self.push(now, link, Work::Command(work), None);
        }
        let sleepers: Vec<LinkId> =
            self.conns.iter().filter(|(l, c)| self.may_sleep(**l, c)).map(|(l, _)| *l).collect();
        sleepers.into_iter().for_each(|link| acts.extend(self.bye(link, End::Slept, 0)));
        acts
    }

    /// Whether the device said Sleep last, all that it sent is committed, and nothing is wanted of it.
    fn may_sleep(&self, link: LinkId, conn: &Conn) -> bool {
        let up = self.queue.iter().any(|q| q.origin.link == Some(link))
            || self.committing.as_ref().is_some_and(|c| c.origins.iter().any(|o| o.link == Some(link)));
        conn.sleep_said && conn.confirmed && !conn.down.keeps_awake() && !up
    }
}

/// What decoding needs to know.
fn facts(conn: &Conn, wall: i64, wall_now: i64) -> Option<Facts<'_>> {
    let (hello, identity, bounds) = (conn.hello?, conn.identity?, conn.session.bounds()?);
    let live = Bounds { lo: bounds.lo + wall, hi: bounds.hi + wall, ..bounds };
    let facts = Facts {
        device: hello.device,
        boot: identity.boot,
        times: &conn.times,
        sheet: conn.sheet.as_ref(),
        older: &conn.older,
        now: (live, wall_now),
    };
    Some(facts)
}
