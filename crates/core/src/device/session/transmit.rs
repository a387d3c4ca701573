//! What is due to be written.

use super::*;

impl Session<'_> {
    /// Writes the next frame into `out`, which has room for a frame of the server's size (256 bytes until Welcome).
    pub fn poll_transmit(&mut self, outbox: &impl Share, now: Tick, out: &mut [u8]) -> Transmit {
        // A frame that does not fit is a buffer below 256 bytes: the caller broke the contract, nothing can be sent.
        match self.say(outbox, now, out) {
            Ok(0) if self.is_live() => {}
            Ok(len) if len > 0 => return Transmit::Frame(len),
            _ => return Transmit::Idle,
        }
        let room = out.len().min(self.max_frame);
        let out = &mut out[..room];
        outbox.with(|o| o.expire(now));
        for &lane in &Lane::ALL {
            let lane = if crate::planted!("alarm-starved") { Lane::ALL[2 - lane.index()] } else { lane };
            let due = self.lane_frame(outbox, now, lane, out);
            if due != Transmit::Idle {
                return due;
            }
        }
        match self.say_sleep(outbox, now, out) {
            Ok(len) if len > 0 => Transmit::Frame(len),
            _ => Transmit::Idle,
        }
    }

    /// Writes what goes before all records; returns its length, zero if there is nothing.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn say(&mut self, outbox: &impl Share, now: Tick, out: &mut [u8]) -> Result<usize, NoRoom> {
        if self.state == State::Hello && self.out.hello {
            let hello = outbox.with(|o| o.hello(&self.node, now, self.hello.account));
            self.slots = hello.command_slots;
            let len = hello.encode(out)?;
            self.out.hello = false;
            self.hello.at = now;
            self.state = State::AwaitWelcome;
            return Ok(len);
        }
        if !matches!(self.state, State::Live | State::Leaving) {
            return Ok(0);
        }
        let room = out.len().min(self.max_frame);
        let out = &mut out[..room];
        if self.out.proof {
            let waits = now < self.proof_by() && outbox.with(|o| o.has_tag_to_keep());
            if waits && !crate::planted!("tag-kept-late") {
                return Ok(0);
            }
        }
        // The proof is a Pong too: it has Welcome's nonce.
        let proof = core::mem::take(&mut self.out.proof).then_some(self.nonce);
        if let Some(id) = proof.or_else(|| self.out.pong.take().map(u64::from)) {
            return alive::pong(id, now, out);
        }
        if FLASH && core::mem::take(&mut self.out.boots) {
            return self.hello.boots.encode(out);
        }
        if let Some(offset) = self.out.catalog {
            let catalog = self.node.catalog;
            let total = catalog.len();
            let mut w = Writer::new(out);
            CatalogPart::head(catalog.hash(), total as u16, offset, &mut w);
            let n = catalog.copy_at(offset.into(), w.free());
            w.advance(n);
            let next = offset as usize + n;
            self.out.catalog = (next < total).then_some(next as u16);
            return w.finish();
        }
        if core::mem::take(&mut self.out.ping) {
            self.out.ping_pending = Some(now);
            self.out.pings = self.out.pings.wrapping_add(1);
            return alive::ping(self.out.pings, out);
        }
        if core::mem::take(&mut self.out.grease) {
            let mut w = Writer::new(out);
            w.u8(header::grease((self.nonce >> 2) as u8));
            w.u8(self.nonce as u8);
            return w.finish();
        }
        if let Some((reason, ends_boot)) = self.out.bye.take() {
            let lasts = outbox.with(|o| {
                if ends_boot {
                    o.end_boot(true);
                }
                o.lasts()
            });
            let bye = Bye { reason, retry_ms: 0, ends_boot, lasts, text: Text::EMPTY };
            self.state = State::Closed;
            return bye.encode(out);
        }
        Ok(0)
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn lane_frame(
        &mut self,
        outbox: &impl Share,
        now: Tick,
        lane: Lane,
        out: &mut [u8],
    ) -> Transmit {
        let i = lane.index();
        let scratch = &mut *self.scratch;
        let room = self.lanes[i].room(lane, out.len(), &self.pace);
        let out = &mut out[..room];
        if room == 0 || FLASH && self.fetching.is_some_and(|f| f.lane == lane) {
            return Transmit::Idle;
        }
        // Under the outbox's lock: only copying.
        let link = &mut self.lanes[i];
        let supply = self.supply.filter(|(l, _)| FLASH && *l == lane).map(|(_, s)| s);
        let held = FLASH && (self.supply.is_some() || self.fetching.is_some());
        // What was found, in place: a chip would copy the largest of the variants about.
        let (mut floor, mut items, mut wire) = (LaneFloor::default(), Supply::NONE, Position::NONE);
        #[repr(u8)]
        enum Found {
            Nothing,
            Floor,
            Fetch(Position),
            Items,
            Unread,
        }
        let found = outbox.with(|o| {
            o.prepare(lane);
            floor = o.floor(lane);
            if floor.floor > link.expect && !crate::planted!("floor-unsaid") {
                o.note_framed(lane, floor.floor);
                link.aim(o, lane, floor.floor);
                return Found::Floor;
            }
            if let Some(supply) = supply {
                (items, wire) = (supply, o.wire(supply.first));
                return if supply.first <= o.next(lane) { Found::Items } else { Found::Unread };
            }
            match link.flash.filter(|_| FLASH).map(|from| (from, o.in_flash(lane))) {
                // The scratch holds another lane's items: wait for its turn.
                Some((_, Some(_))) if held => return Found::Nothing,
                Some((from, Some(lowest))) => return Found::Fetch(from.max(lowest)),
                Some((_, None)) => link.leave_flash(o, lane),
                None => {}
            }
            if held || !o.has_at(lane, &link.cursor) {
                return Found::Nothing;
            }
            if FLASH && o.is_behind(lane, &link.cursor) {
                // The ring let go of what flash holds.
                link.flash = Some(Position::new(o.boot(), link.cursor.n));
                return Found::Fetch(Position::new(o.boot(), link.cursor.n));
            }
            let copied = o.copy(lane, &link.cursor, scratch);
            let first = Position::new(o.boot(), copied.n);
            let complete = o.is_whole_from(o.local_of(link.expect));
            items = Supply { len: copied.len, first, tick: copied.tick, complete };
            wire = o.wire(first);
            Found::Items
        });
        match found {
            Found::Floor => {
                self.goes_on_elsewhere(lane);
                return flow::floor(lane, &floor, out).map_or(Transmit::Idle, Transmit::Frame);
            }
            Found::Fetch(from) if FLASH => {
                self.fetching = Some(Fetch { lane, from, stale: false });
                return Transmit::Fetch { lane, from };
            }
            Found::Unread if FLASH => return self.unread(outbox, now, lane, out),
            Found::Nothing | Found::Fetch(_) | Found::Unread => return Transmit::Idle,
            Found::Items => {}
        }
        if items.len == 0 {
            return if supply.is_some() { self.unread(outbox, now, lane, out) } else { Transmit::Idle };
        }
        let link = &mut self.lanes[i];
        if wire < link.expect {
            // Never: the cursor stands where the server expects the next. What it has is not framed under another position.
            return Transmit::Idle;
        }
        // Outside of the lock: encoding.
        let batch = Batch {
            bytes: &self.scratch[..items.len],
            first: wire,
            tick: items.tick,
            hole: Cause::Flash,
            complete: items.complete,
        };
        let framed = outbound::frame(lane, &mut link.context, link.expect, &batch, out);
        if framed.positions == 0 {
            // Every item of ours fits the smallest frame.
            return match supply.is_some() && out.len() >= FRAME_MIN_MAX {
                true => self.unread(outbox, now, lane, out),
                false => Transmit::Idle,
            };
        }
        link.sent(&framed);
        if lane == Lane::Readings {
            self.pace.sent(&framed, now);
        }
        outbox.with(|o| o.note_framed(lane, framed.next));
        self.last_sent_data = now;
        if supply.is_some() {
            let rest = items.len - framed.taken;
            self.scratch.copy_within(framed.taken..items.len, 0);
            let first = items.first.plus(framed.positions.into());
            link.flash = Some(first);
            self.supply =
                (rest > 0).then_some((lane, Supply { len: rest, first, tick: framed.tick, complete: true }));
        } else {
            crate::device::queue::Queue::advance(
                &mut link.cursor,
                framed.taken,
                framed.positions,
                framed.tick,
            );
        }
        Transmit::Frame(framed.len)
    }

    /// What flash gave cannot be read as items: the lane goes on with memory, and what lies between becomes a gap. Nothing in memory is ever
    /// unreadable.
    pub(super) fn unread(&mut self, outbox: &impl Share, now: Tick, lane: Lane, out: &mut [u8]) -> Transmit {
        self.supply = None;
        let link = &mut self.lanes[lane.index()];
        outbox.with(|o| link.leave_flash(o, lane));
        self.lane_frame(outbox, now, lane, out)
    }
}
