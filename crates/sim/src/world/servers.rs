//! What a scenario does with servers.

use super::*;

impl World {
    /// Another server over the same store.
    pub fn host(&mut self) -> HostId {
        let number = self.hosts.len() as u64 + 1;
        self.hosts.push(Host::new(number, self.now));
        HostId(self.hosts.len() - 1)
    }

    /// Changes a server's behaviour.
    pub fn hold_commits(&mut self, host: HostId, hold: bool) {
        let now = self.now;
        let h = &mut self.hosts[host.0];
        h.hold = hold;
        if !hold {
            h.commit_at = Some(now);
        }
    }

    /// How long the store takes for a commit, in us.
    pub fn slow_store(&mut self, host: HostId, commit_us: u64) {
        self.hosts[host.0].commit_us = commit_us;
    }

    /// How much of each lane a server lets be under way, on connections from now on.
    pub fn window(&mut self, host: HostId, records: u64, bytes: u64) {
        self.hosts[host.0].config.window = [sensock::wire::hello::Grant { records, bytes }; Lane::COUNT];
    }

    /// The largest frame that a server takes, on connections from now on.
    pub fn largest_frame(&mut self, host: HostId, bytes: u16) {
        self.hosts[host.0].config.max_frame = bytes;
    }

    /// The server dies in its next commit.
    pub fn crash_in_commit(&mut self, host: HostId, crash: Crash) {
        self.hosts[host.0].crash = Some(crash);
    }

    /// The server dies now; boards notice.
    pub fn crash(&mut self, host: HostId) {
        self.say(|| format!("server {} dies", host.0));
        let links: Vec<LinkId> = self.open.iter().copied().filter(|l| self.links[l.0].host == host).collect();
        links.into_iter().for_each(|l| self.close(l));
        self.sealed.iter_mut().for_each(|s| s.forget(host));
        let h = &mut self.hosts[host.0];
        let fresh = Host::new(h.number + 100, self.now);
        let old = std::mem::replace(h, fresh);
        {
            let mut gate = old.gate();
            (gate.fail, gate.steps) = (None, false);
        }
        (h.skew_us, h.log, h.gate, h.step_us) = (old.skew_us, old.log, old.gate.clone(), old.step_us);
        (h.commit_us, h.config, h.up) = (old.commit_us, old.config, false);
        h.poll_us = old.poll_us;
    }

    /// The server starts again.
    pub fn restart(&mut self, host: HostId) {
        self.hosts[host.0].started_us = self.now;
        self.hosts[host.0].up = true;
    }

    /// Whether the server runs.
    pub fn is_up(&self, host: HostId) -> bool {
        self.hosts[host.0].up
    }

    /// Sets a server's wall clock apart from the true time.
    pub fn skew(&mut self, host: HostId, skew_us: i64) {
        self.hosts[host.0].skew_us = skew_us;
    }

    /// Orders a command through a server; returns nothing: its row tells.
    pub fn command(&mut self, host: HostId, row: CommandRow) {
        let now = self.now;
        self.hosts[host.0].order(now, Work::Command(CommandWork::New(Box::new(row))));
    }

    /// A command's row as an operator would make it.
    pub fn new_command(
        &self,
        board: BoardId,
        key: u16,
        policy: sensock::catalog::Policy,
        ttl_ms: i64,
    ) -> CommandRow {
        CommandRow {
            device: self.boards[board.0].id,
            id: Default::default(),
            key,
            name: String::new(),
            policy,
            body: if key == 2 { vec![1] } else { vec![] },
            issuer: "operator".to_owned(),
            idempotency_key: None,
            keep_all: true,
            created_us: self.now as i64,
            deadline_us: self.now as i64 + ttl_ms * 1_000,
            state: CommandState::Queued,
            answer: vec![],
            settled_us: None,
        }
    }

    /// Puts any work into a server's queue.
    pub fn order(&mut self, host: HostId, work: Work) {
        let now = self.now;
        self.hosts[host.0].order(now, work);
    }

    /// Sets desired state.
    pub fn set(&mut self, host: HostId, board: BoardId, key: u16, body: Vec<u8>) {
        let row = SettingRow {
            device: self.boards[board.0].id,
            key,
            name: String::new(),
            revision: 0,
            body,
            issuer: "operator".to_owned(),
            set_us: self.now as i64,
            applied_us: None,
            refused: None,
        };
        self.order(host, Work::Setting(Box::new(row)));
    }

    /// What the servers said, in order of server.
    pub fn said(&self, words: &str) -> usize {
        self.hosts.iter().flat_map(|h| &h.log.lines).filter(|(_, e)| e.contains(words)).count()
    }
}
