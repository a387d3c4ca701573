//! What the device prints: plain sentences for people, and with `--report` one line for each thing that a program checks.
//!
//! ```text
//! boot ID BOOT                                  before the first record of a boot
//! accepted ID LANE BOOT N QUANTITY=VALUE …      a record is accepted (in an outbox file: written)
//! acked ID LANE BOOT N                          the server stored this one and all before it
//! drained ID                                    nothing waits any more, and nothing will be recorded
//! ```
//! A lane is its number, a value the integer at the quantity's scale, or `f` and the number of a fault. A line is
//! written in one piece after what it says has happened, so a killed process has told nothing that is not so.

use std::io::Write as _;

use sensock::batch::Cell;
use sensock::{DeviceId, Lane, Position, Reading};

/// Prints for one device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    id: DeviceId,
    for_programs: bool,
}

impl Report {
    /// Prints what programs check only if `for_programs`.
    pub(crate) fn new(id: DeviceId, for_programs: bool) -> Self {
        Self { id, for_programs }
    }

    /// A sentence for people.
    pub(crate) fn say(&self, what: &str) {
        line(&format!("{}: {what}", self.id), false);
    }

    /// This is the boot whose records follow.
    pub(crate) fn boot(&self, boot: u32) {
        self.tell(|id| format!("boot {id} {boot}"));
    }

    /// A record was accepted.
    pub(crate) fn accepted(&self, lane: Lane, position: Position, readings: &[Reading]) {
        self.tell(|id| {
            let mut text = format!("accepted {id} {} {} {}", lane.index(), position.boot(), position.n());
            for reading in readings {
                match reading.cell {
                    Cell::Value(value) => text.push_str(&format!(" {}={value}", reading.quantity)),
                    Cell::Fault(code) => text.push_str(&format!(" {}=f{code}", reading.quantity)),
                }
            }
            text
        });
    }

    /// The server acknowledged up to here.
    pub(crate) fn acked(&self, lane: Lane, position: Position) {
        self.tell(|id| format!("acked {id} {} {} {}", lane.index(), position.boot(), position.n()));
    }

    /// Everything is stored.
    pub(crate) fn drained(&self) {
        self.tell(|id| format!("drained {id}"));
    }

    fn tell(&self, text: impl FnOnce(&DeviceId) -> String) {
        if self.for_programs {
            line(&text(&self.id), true);
        }
    }
}

/// Writes a line in one piece. People's lines go to standard error, so that programs read only theirs.
fn line(text: &str, for_programs: bool) {
    let text = format!("{text}\n");
    // Nobody listens any more: the device goes on recording.
    let _unheard = if for_programs {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush())
    } else {
        std::io::stderr().lock().write_all(text.as_bytes())
    };
}

/// A sentence about the process.
pub(crate) fn complain(what: &str) {
    if !what.is_empty() {
        line(&format!("example-device: {what}"), false);
    }
}
