//! The exploration finds every mistake that the model can express: without this, its silence would prove nothing.
#![allow(clippy::print_stdout, reason = "a proof shows its figures")]

use sensock_model::{Bug, Machine, Scope};

/// The smallest scope in which a mistake shows.
fn scope(bug: Bug) -> Scope {
    let quiet = Scope::QUIET;
    match bug {
        Bug::AckBeforeCommit => Scope { records: 1, crashes: 1, ..quiet },
        Bug::NoDedup | Bug::StaleMark => Scope { records: 2, cuts: 1, ..quiet },
        Bug::FloorIgnored => Scope { records: 2, drops: 1, ..quiet },
        Bug::PositionReused => Scope { records: 2, reboots: 1, rollbacks: 1, ..quiet },
        Bug::BegunTooLate | Bug::SentIntoOldBoot => Scope { commands: 1, reboots: 1, ..quiet },
        Bug::TailOpen => Scope { records: 1, reboots: 1, ..quiet },
        Bug::ExpiredThoughSent => Scope { commands: 1, lates: 1, ..quiet },
        Bug::SentAgain => Scope { memory: false, commands: 1, reboots: 1, ..quiet },
        Bug::AnswerAwaited => Scope { commands: 1, restores: 1, ..quiet },
        Bug::SentForgotten => Scope { commands: 1, cuts: 1, ..quiet },
        Bug::WelcomeIsFinal => Scope { records: 2, drops: 1, cuts: 1, ..quiet },
        Bug::CauseForgotten => Scope { servers: 1, records: 2, crashes: 1, cuts: 1, drops: 1, ..quiet },
        Bug::HelloNotJudgedAgain => Scope { records: 1, reboots: 1, cuts: 1, ..quiet },
    }
}

#[test]
fn every_planted_mistake_is_found() {
    for bug in Bug::ALL {
        let found = Machine::with(scope(bug), bug).explore(2);
        let Some((promise, way)) = found.broken.first() else {
            panic!("{bug:?} was not found in {} states", found.states);
        };
        println!(
            "{bug:?}: \"{promise}\" is broken after {} steps, {} states, {:.1?}",
            way.len(),
            found.states,
            found.took
        );
    }
}
