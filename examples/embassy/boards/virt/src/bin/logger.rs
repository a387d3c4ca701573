//! The logger: an interrupt samples a hundred times a second, flash keeps what the server at 10.0.2.100:7070 has not stored.
#![no_std]
#![no_main]

use app::logger::{Logger, log};
use app::{Outbox, Recording, Samples};
use embassy_executor::Spawner;
use embassy_net::{Ipv4Address, Stack};
use embassy_time::{Duration, Instant, Timer};
use embedded_storage_async::nor_flash::NorFlash as _;
use sensock::Position;
use sensock_device::flash::Flash;
use virt::emulator_entropy::random;
use virt::flash::Chip;
use virt::{ID, URGENT, console, net};

static OUTBOX: Outbox<8192> = Outbox::new();
static SAMPLES: Samples = Samples::new();

/// Between two samples.
const INTERVAL: Duration = Duration::from_millis(10);
/// The part of the chip that holds the outbox: sixteen pages. The page behind it is for others.
const OUTBOX_AT: core::ops::Range<u32> = 0..16 * PAGE;
const PAGE: u32 = Chip::ERASE_SIZE as u32;

#[riscv_rt::entry]
fn main() -> ! {
    virt::run(|spawner: Spawner| {
        let (Ok(sampling), Ok(logger), Ok(others)) = (sampling(), logger(net::start(spawner)), others())
        else {
            console::fail("the logger was started before");
        };
        URGENT.start().spawn(sampling);
        spawner.spawn(logger);
        spawner.spawn(others);
    })
}

/// In an interrupt, even while the flash erases.
#[embassy_executor::task]
async fn sampling() -> ! {
    SAMPLES.take(INTERVAL, Recording::starting_at(0)).await
}

#[embassy_executor::task]
async fn logger(stack: Stack<'static>) -> ! {
    let Ok(flash) = Flash::new(Chip::new(), OUTBOX_AT) else {
        console::fail("the chip is too small");
    };
    let logger = Logger {
        id: ID,
        random,
        stack,
        server: (Ipv4Address::new(10, 0, 2, 100), 7070),
        outbox: &OUTBOX,
        flash,
        samples: &SAMPLES,
        led: |on| console::print(if on { "led on\n" } else { "led off\n" }),
        persisted,
    };
    log(logger).await
}

fn persisted(position: Position) {
    console::print("persisted ");
    console::print_number(position.boot());
    console::print("/");
    console::print_number(position.n());
    console::print("\n");
}

/// What else a firmware does with its flash: a page is erased now and then, which blocks everything but interrupts.
#[embassy_executor::task]
async fn others() -> ! {
    let mut chip = Chip::new();
    loop {
        Timer::after_millis(700).await;
        let begin = Instant::now();
        if chip.erase(OUTBOX_AT.end, OUTBOX_AT.end + PAGE).await.is_err() {
            console::fail("the erase failed");
        }
        let took = begin.elapsed().as_micros();
        console::print("erase_us=");
        console::print_number(took as u32);
        console::print(" queued=");
        console::print_number(SAMPLES.waiting() as u32);
        console::print("\n");
    }
}
