//! What the images share: a panic handler as small as there is, values that the compiler cannot see through, and one
//! outbox for a program without interrupts.
#![no_std]

use core::cell::RefCell;
use core::hint::black_box;
use core::panic::PanicInfo;
use sensock::batch::Cell;
use sensock::device::{Carry, Outbox, OutboxMut, Policy, Share};
use sensock::error::Misuse;
use sensock::wire::data::Outcome;
use sensock::{CommandId, Lane, Position, Reading, Tick};

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// A number that the compiler does not know.
pub fn number() -> u32 {
    black_box(0)
}

/// A number of 64 bits that the compiler does not know.
pub fn long() -> u64 {
    black_box(0)
}

/// Bytes from outside.
pub fn input() -> &'static [u8] {
    black_box(&[])
}

/// Any lane.
pub fn lane() -> Lane {
    Lane::from_number(number() as u8).unwrap_or(Lane::Alarm)
}

/// Two readings that somebody made.
pub fn readings() -> [Reading; 2] {
    black_box([Reading { quantity: 1, cell: Cell::Value(0) }; 2])
}

/// How many bytes of records the images' outbox has: those are the caller's choice, and no part of any figure.
pub const RECORDS: usize = 1024;

/// An outbox where nothing interrupts. Firmware takes a critical section in its place.
pub struct Alone(RefCell<Outbox<RECORDS>>);

// SAFETY: the images have one thread and no interrupts; besides, nobody runs them.
unsafe impl Sync for Alone {}

static OUTBOX: Alone = Alone(RefCell::new(Outbox::new()));

/// The outbox.
pub fn outbox() -> &'static Alone {
    black_box(&OUTBOX)
}

impl Share for Alone {
    fn with<R>(&self, f: impl FnOnce(&mut OutboxMut<'_>) -> R) -> R {
        self.0.with(f)
    }
}

/// All that an application says to an outbox: identity, sleep, policies, records, answers, and questions about how it stands.
pub fn application(o: &mut OutboxMut<'_>) {
    let now = Tick(long());
    match number() {
        0 => o.start(Some(number())),
        1 => match Carry::from_bytes(&black_box([0; Carry::LEN])) {
            Some(carry) => o.woke(&carry),
            None => o.start(None),
        },
        2 => o.policy(lane(), Policy::DropOldest, number()),
        3 => o.policy(lane(), Policy::DropNewest, number()),
        4 => o.policy(lane(), Policy::KeepLatest, number()),
        5 => told(o.record(lane(), now, &readings())),
        6 => told(o.reply(CommandId(number()), outcome(), input())),
        7 => told(o.applied(number(), black_box(None))),
        8 => o.expire(now),
        9 => drop(black_box(o.expires_at())),
        10 => drop(black_box(o.begin(CommandId(number())))),
        11 => o.begun_persists(CommandId(number())),
        12 => drop(black_box(o.carry().to_bytes())),
        13 => drop(black_box((o.is_drained(lane()), o.fill(lane()), o.high_water()))),
        14 => drop(black_box((o.next(lane()), o.acked(lane()), o.shift(), o.boot(), o.store()))),
        15 => o.limit_commands(number() as u8),
        _ => drop(black_box((o.wire(Position(long())), o.local_of(Position(long()))))),
    }
}

fn told(position: Result<Position, Misuse>) {
    black_box(position.ok());
}

/// How a command ended.
pub fn outcome() -> Outcome {
    match number() {
        0 => Outcome::Done,
        1 => Outcome::Expired,
        2 => Outcome::Unknown,
        code => Outcome::Refused(code as u8),
    }
}
