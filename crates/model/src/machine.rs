//! The model for the checker, and what an exploration found.

use std::sync::Arc;
use std::time::{Duration, Instant};

use stateright::{Checker as _, Model, Property};

use crate::calm::Calm;
use crate::scope::{Bug, Scope};
use crate::state::State;
use crate::step::Action;
use crate::store::{Cause, Ticket};

/// The protocol within a scope, right or with a mistake.
#[derive(Clone, Debug)]
pub struct Machine {
    scope: Scope,
    bug: Option<Bug>,
    calm: Arc<Calm>,
}

/// What an exploration came to.
#[derive(Clone, Debug)]
pub struct Found {
    /// States that are not the same.
    pub states: usize,
    /// The longest shortest way to one of them.
    pub depth: usize,
    /// The longest way to rest from any of them.
    pub height: u16,
    /// How long it took.
    pub took: Duration,
    /// Broken promises, each with the shortest way there.
    pub broken: Vec<(&'static str, Vec<Action>)>,
    /// Things that happened somewhere.
    pub reached: Vec<&'static str>,
}

impl Machine {
    /// The protocol as it is.
    pub fn new(scope: Scope) -> Machine {
        Machine { scope, bug: None, calm: Arc::default() }
    }

    /// With a mistake.
    pub fn with(scope: Scope, bug: Bug) -> Machine {
        Machine { scope, bug: Some(bug), calm: Arc::default() }
    }

    /// Visits every state, or, with a mistake, goes on until a promise is broken.
    pub fn explore(self, threads: usize) -> Found {
        let begin = Instant::now();
        let calm = self.calm.clone();
        let until = match self.bug {
            None => stateright::HasDiscoveries::All,
            Some(_) => stateright::HasDiscoveries::AnyFailures,
        };
        let checker = self.checker().threads(threads).finish_when(until).spawn_bfs().join();
        let (mut broken, mut reached) = (Vec::new(), Vec::new());
        for (name, path) in checker.discoveries() {
            match name.strip_prefix("there is ") {
                Some(what) => reached.push(what),
                None => broken.push((name, path.into_actions())),
            }
        }
        reached.sort_unstable();
        Found {
            states: checker.unique_state_count(),
            depth: checker.max_depth(),
            height: calm.height(),
            took: begin.elapsed(),
            broken,
            reached,
        }
    }
}

impl Model for Machine {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::start(self.scope)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        state.actions(self.bug, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        Some(state.then(action, self.bug))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let ends = move |m: &Machine, s: &State| m.calm.longest(s, m.bug).is_some();
        let mut all = vec![
            Property::<Self>::always("what was accepted is stored once", |_, s| s.stored_once()),
            Property::<Self>::always("acknowledged means committed", |_, s| s.acked_is_committed()),
            Property::<Self>::always("a gap's cause is true", |_, s| s.causes_are_true()),
            Property::<Self>::always("a command runs at most once", |_, s| s.commands_are_honest()),
            Property::<Self>::always("both ends keep to the protocol", |_, s| s.is_orderly()),
            Property::<Self>::always("at rest everything is stored", |m, s| {
                !s.rests(m.bug) || s.is_settled()
            }),
            Property::<Self>::always("every order comes to rest", ends),
        ];
        if self.bug.is_some() {
            return all;
        }
        all.push(Property::<Self>::sometimes("there is rest", |_, s| s.rests(None)));
        let scope = self.scope;
        if scope.reboots > 0 && scope.memory {
            all.push(Property::<Self>::sometimes("there is a tail that died", |_, s| gap(s, Cause::Power)));
        }
        if scope.restores > 0 {
            all.push(Property::<Self>::sometimes("there is a gap of the store", |_, s| gap(s, Cause::Store)));
        }
        if scope.drops > 0 {
            all.push(Property::<Self>::sometimes("there is a drop", |_, s| gap(s, Cause::Dropped)));
        }
        if scope.cuts > 0 && scope.records > 0 {
            all.push(Property::<Self>::sometimes("there is a late commit", |_, s| s.is_late()));
        }
        if scope.commands > 0 {
            let done = |_: &Self, s: &State| s.store.ticket == Ticket::Done;
            all.push(Property::<Self>::sometimes("there is a command that ran", done));
        }
        if scope.commands > 0 && scope.reboots > 0 {
            let unknown = |_: &Self, s: &State| s.store.ticket == Ticket::Unknown;
            all.push(Property::<Self>::sometimes("there is a command of which nobody knows", unknown));
        }
        all
    }
}

fn gap(s: &State, cause: Cause) -> bool {
    s.store.gaps.iter().any(|g| g.3 == cause)
}
