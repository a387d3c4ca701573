//! How each kind of signal is read, as functions that a table refers to: what a firmware's table has no rule for, its linker leaves out.

use super::{Around, Signal, State, daily, running, season, shaking, window};
use crate::Rule;

/// How one kind turns a value into a number, if it gives one yet.
type Read = fn(&mut State, &Signal<'_>, &mut Around<'_>, i32) -> Option<i32>;

/// The kinds that need more than the value, by [`Signal::kind`]; none where a table has no such rule.
#[derive(Clone, Copy)]
pub(crate) struct Kinds([Option<Read>; KINDS]);

const KINDS: usize = 7;

impl Kinds {
    /// Every kind: of a table that is not known yet when the program is linked.
    pub(crate) const ALL: Self = Self([
        Some(rate),
        Some(flow),
        Some(running),
        Some(daily),
        Some(standard),
        Some(shaking),
        Some(seasonal),
    ]);

    /// The kinds that these rules have.
    pub(crate) const fn of(rules: &[Rule<'_>]) -> Self {
        let (mut kinds, mut i) = (Self([None; KINDS]), 0);
        while i < rules.len() {
            let kind = rules[i].signal.kind();
            if kind < KINDS {
                kinds.0[kind] = Self::ALL.0[kind];
            }
            i += 1;
        }
        kinds
    }

    /// The number that this value gives, if it gives one yet.
    pub(crate) fn read(
        &self,
        state: &mut State,
        signal: &Signal<'_>,
        around: &mut Around<'_>,
        value: i32,
    ) -> Option<i32> {
        match signal {
            Signal::Value => Some(value),
            Signal::Silence => Some(0),
            _ => self.0.get(signal.kind()).copied().flatten()?(state, signal, around, value),
        }
    }
}

impl Signal<'_> {
    /// Its place among those that need more than the value; beyond them, if it does not.
    const fn kind(&self) -> usize {
        match self {
            Self::Rate(_) => 0,
            Self::Flow(_) => 1,
            Self::Running(_) => 2,
            Self::Daily(_) => 3,
            Self::Standard { .. } => 4,
            Self::Shaking(_) => 5,
            Self::Season(_) => 6,
            Self::Value | Self::Silence => KINDS,
        }
    }
}

fn rate(state: &mut State, signal: &Signal<'_>, around: &mut Around<'_>, value: i32) -> Option<i32> {
    let Signal::Rate(rate) = signal else { return None };
    if !matches!(state, State::Rate(_)) {
        *state = State::Rate(window::Window::NEW);
    }
    let State::Rate(window) = state else { return None };
    window.read(rate, around.at, value)
}

fn flow(state: &mut State, signal: &Signal<'_>, around: &mut Around<'_>, value: i32) -> Option<i32> {
    let Signal::Flow(flow) = signal else { return None };
    if !matches!(state, State::Flow(_)) {
        *state = State::Flow(window::Window::NEW);
    }
    let State::Flow(window) = state else { return None };
    flow.read(window, around.before, around.at, value)
}

fn running(state: &mut State, signal: &Signal<'_>, _: &mut Around<'_>, value: i32) -> Option<i32> {
    let Signal::Running(running) = signal else { return None };
    if !matches!(state, State::Running(_)) {
        *state = State::Running(running::Usual::NEW);
    }
    let State::Running(usual) = state else { return None };
    usual.read(running, value)
}

fn daily(state: &mut State, signal: &Signal<'_>, around: &mut Around<'_>, value: i32) -> Option<i32> {
    let Signal::Daily(daily) = signal else { return None };
    if !matches!(state, State::Daily(_)) {
        *state = State::Daily(daily::Hour::NEW);
    }
    let State::Daily(hour) = state else { return None };
    let at = around.hour();
    let first = usize::from(daily.first);
    let own = around.slots.get_mut(first..first.saturating_add(daily.slots.count()))?;
    hour.read(daily, own, at, value)
}

fn standard(_: &mut State, signal: &Signal<'_>, around: &mut Around<'_>, value: i32) -> Option<i32> {
    let Signal::Standard { slots, table } = signal else { return None };
    Some(value.saturating_sub(*table.get(slots.at(around.hour()))?))
}

fn shaking(state: &mut State, signal: &Signal<'_>, around: &mut Around<'_>, value: i32) -> Option<i32> {
    let Signal::Shaking(shaking) = signal else { return None };
    if !matches!(state, State::Shaking(_)) {
        *state = State::Shaking(shaking::Averages::NEW);
    }
    let State::Shaking(averages) = state else { return None };
    averages.read(shaking, around.before, value)
}

fn seasonal(state: &mut State, signal: &Signal<'_>, around: &mut Around<'_>, value: i32) -> Option<i32> {
    let Signal::Season(season) = signal else { return None };
    if !matches!(state, State::Season(_)) {
        *state = State::Season(season::Period::NEW);
    }
    let State::Season(period) = state else { return None };
    let at = around.hour();
    let first = usize::from(season.first);
    let own = around.slots.get_mut(first..first.saturating_add(season.memory()))?;
    period.read(season, own, at, value)
}

impl core::fmt::Debug for Kinds {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.0.iter().map(Option::is_some)).finish()
    }
}
