//! What a scenario does with boards.

use super::*;

impl World {
    /// A board with power.
    pub fn board(&mut self, name: &str, memory: Memory) -> BoardId {
        let id = self.board_off(name, memory);
        self.power_on(id);
        id
    }

    /// A board without power.
    ///
    /// # Panics
    /// If the name is no device id.
    pub fn board_off(&mut self, name: &str, memory: Memory) -> BoardId {
        let Ok(id) = DeviceId::new(name) else { panic!("{name} is no device id") };
        self.boards.push(Board::new(id, memory));
        BoardId(self.boards.len() - 1)
    }

    /// Power comes back: a new boot.
    pub fn power_on(&mut self, board: BoardId) {
        let now = self.now;
        let b = &mut self.boards[board.0];
        b.power_on(now);
        self.log.say(now, || format!("{} boots", b.id));
    }

    /// Power goes at once; what was in memory is gone. The server hears nothing of it.
    pub fn power_off(&mut self, board: BoardId) {
        let id = self.boards[board.0].id;
        self.say(|| format!("{id} loses power"));
        if let Some(link) = self.boards[board.0].link.take() {
            // A transport without its end: what was on its way still arrives, then silence.
            self.links[link.0].down.dead = true;
        }
        self.boards[board.0].power_off();
    }

    /// Changes a board before its next boot, or its crystal at once.
    pub fn tune(&mut self, board: BoardId, f: impl FnOnce(&mut Tuning<'_>)) {
        let now = self.now;
        let b = &mut self.boards[board.0];
        f(&mut Tuning {
            ppm: &mut b.ppm,
            policy: &mut b.policy,
            ttl_ms: &mut b.ttl_ms,
            hangs: &mut b.hangs,
            boot: &mut b.kept.boot,
            begun: &mut b.kept.begun,
            catalog: &mut b.catalog,
        });
        b.answer(now);
    }

    /// Another board with the same identity and the same memory.
    pub fn clone_board(&mut self, board: BoardId) -> BoardId {
        let (id, memory, kept, flash) = {
            let b = &self.boards[board.0];
            (b.id, b.memory, b.kept, b.flash.clone())
        };
        self.boards.push(Board::new(id, memory));
        let clone = BoardId(self.boards.len() - 1);
        (self.boards[clone.0].kept, self.boards[clone.0].flash) = (kept, flash);
        clone
    }

    /// Pins a store until the board's next boot.
    pub fn pin(&mut self, board: BoardId, store: StoreId) {
        self.boards[board.0].outbox.with(|o| o.pin(store));
    }

    /// Records two readings in the readings lane.
    pub fn record(&mut self, board: BoardId, t: f32) -> Option<Position> {
        self.record_in(board, Lane::Readings, t)
    }

    /// Records two readings in a lane.
    pub fn record_in(&mut self, board: BoardId, lane: Lane, t: f32) -> Option<Position> {
        let now = self.now;
        let position = self.boards[board.0].record(now, lane, t, 50.0);
        self.flush();
        position
    }

    /// Dials a server: a new connection. An old one stays as it is (half-open) unless it was cut.
    pub fn dial(&mut self, board: BoardId, host: HostId) -> LinkId {
        let (up, down) = self.delays;
        self.links.push(Link::new(board, host, up, down));
        let link = LinkId(self.links.len() - 1);
        if !self.hosts[host.0].up {
            self.links[link.0].closed = true;
            return link;
        }
        let now = self.now;
        self.open.push(link);
        let id = self.boards[board.0].id;
        let covers = self.sealed.as_mut().map(|s| Box::new(s.dial(&id)));
        self.links[link.0].covers = covers;
        self.say(|| format!("{id} dials server {} on link {}", host.0, link.0));
        self.hosts[host.0].accept(now, link);
        self.boards[board.0].start(now, link);
        self.flush();
        link
    }

    /// The device sleeps: for so long, with or without an end of the boot.
    pub fn sleep(&mut self, board: BoardId, for_ms: u32, ends_boot: bool) {
        self.boards[board.0].session.sleep(for_ms, ends_boot);
        self.flush();
    }

    /// Whether a session is live on the board.
    pub fn is_live(&self, board: BoardId) -> bool {
        self.boards[board.0].link.is_some() && self.boards[board.0].session.is_live()
    }

    /// Commands that the board ran: ids and keys, in order.
    pub fn ran(&self, board: BoardId) -> Vec<u32> {
        self.boards[board.0].ran.iter().map(|(id, _)| id.0).collect()
    }

    /// Settings that the board got: key and revision.
    pub fn settings(&self, board: BoardId) -> &[(u16, u32)] {
        &self.boards[board.0].settings
    }

    /// What servers told the board when they refused it.
    pub fn refusals(&self, board: BoardId) -> &[String] {
        &self.boards[board.0].refused
    }

    /// How often the board was connected.
    pub fn connected(&self, board: BoardId) -> usize {
        self.boards[board.0].connected
    }

    /// Whether everything that the board accepted in this lane is stored or explained, as the board knows it.
    pub fn is_drained(&self, board: BoardId, lane: Lane) -> bool {
        self.boards[board.0].outbox.with(|o| o.is_drained(lane))
    }

    /// The store that last acknowledged something to the board.
    pub fn board_store(&self, board: BoardId) -> StoreId {
        self.boards[board.0].store()
    }
}
