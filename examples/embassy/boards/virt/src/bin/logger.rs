//! The logger: an interrupt samples a hundred times a second, flash keeps what the server at 10.0.2.100:7070 has not stored.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use app::logger::{Logger, Samples, Taken, log};
use app::{Outbox, Recording, Sample};
use embassy_executor::Spawner;
use embassy_net::{Ipv4Address, Stack};
use embassy_time::{Instant, Timer};
use embedded_storage_async::nor_flash::NorFlash as _;
use sensock::Position;
use sensock_device::flash::Flash;
use virt::emulator_entropy::random;
use virt::flash::Chip;
use virt::{ID, console, metronome, net};

static OUTBOX: Outbox<8192> = Outbox::new();
static SAMPLES: Samples = Samples::new();
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// Microseconds between two samples.
const EVERY_US: u32 = 10_000;
/// The part of the chip that holds the outbox: sixteen pages. The page behind it is for others.
const OUTBOX_AT: core::ops::Range<u32> = 0..16 * PAGE;
const PAGE: u32 = Chip::ERASE_SIZE as u32;

#[riscv_rt::entry]
fn main() -> ! {
    virt::run(|spawner: Spawner| {
        let (Ok(logger), Ok(others)) = (logger(net::start(spawner)), others()) else {
            console::fail("the logger was started before");
        };
        spawner.spawn(logger);
        spawner.spawn(others);
    })
}

/// In the interrupt. A sample that finds no room is missing in the sequence: the server's rows would show it.
fn sample() {
    let k = TAKEN.load(Ordering::Relaxed);
    TAKEN.store(k.wrapping_add(1), Ordering::Relaxed);
    let (temperature, humidity) = Recording::hundredths(k as usize);
    let sample =
        Sample { temperature: f32::from(temperature) / 100.0, humidity: f32::from(humidity) / 100.0 };
    if SAMPLES.try_send(Taken { sample, at: Instant::now() }).is_err() {
        console::fail("the queue is full");
    }
}

#[embassy_executor::task]
async fn logger(stack: Stack<'static>) -> ! {
    let Ok(flash) = Flash::new(Chip::new(), OUTBOX_AT) else {
        console::fail("the chip is too small");
    };
    metronome::start(EVERY_US, sample);
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
        console::print_number(SAMPLES.len() as u32);
        console::print("\n");
    }
}
