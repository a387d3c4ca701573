//! Zones that are judged while the server runs, and the lines that they say.

use anyhow::{Result, ensure};
use sensock_server::Server;
use sensock_sql::SqlStore;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::alarms::trail::Keeping;
use super::judge;
use super::zone::Zone;

/// A line for the person who watches.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// Whether a person should do something.
    pub(crate) loud: bool,
}

/// Where those lines go. They are a view: when nobody reads them they are dropped, the store has it all.
#[derive(Clone, Debug)]
pub(crate) struct Say(mpsc::Sender<Said>);

impl Say {
    /// A way to a reader.
    pub(crate) fn channel() -> (Say, mpsc::Receiver<Said>) {
        let (sender, receiver) = mpsc::channel(256);
        (Say(sender), receiver)
    }

    pub(crate) fn line(&self, text: String) {
        let _full_or_gone = self.0.try_send(Said { text, loud: false });
    }

    pub(crate) fn loud(&self, text: String) {
        let _full_or_gone = self.0.try_send(Said { text, loud: true });
    }
}

/// Zones that are judged, until they are stopped.
pub(crate) struct Rules {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Rules {
    /// Begins to judge zones over this store, and to act through this server. Zones are kept for the process's life, as their tables are.
    ///
    /// # Errors
    /// Two zones of one name, or a name that cannot be a key in the store.
    pub(crate) fn start(
        server: &Server,
        store: &SqlStore,
        zones: Vec<Zone>,
        keeping: Keeping,
        say: &Say,
    ) -> Result<Rules> {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut names: Vec<String> = Vec::new();
        for zone in zones {
            let name = &zone.name;
            let plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
            ensure!(
                (1..=64).contains(&name.len()) && name.chars().all(plain),
                "a zone is called \"{name}\": alarms are kept under that name, so use up to 64 letters, digits, '.', '-' and '_'"
            );
            ensure!(!names.contains(name), "two zones are called {name}: rename one of the files");
            names.push(name.clone());
            let zone: &'static Zone = Box::leak(Box::new(zone));
            tasks.spawn(judge::task::run(
                zone,
                server.clone(),
                store.clone(),
                say.clone(),
                keeping,
                stopped.clone(),
            ));
        }
        Ok(Rules { tasks, stop })
    }

    /// Ends: keeps what is known, and gives the leases back.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        let _in_time = tokio::time::timeout(std::time::Duration::from_secs(5), ended).await;
        self.tasks.shutdown().await;
    }
}
