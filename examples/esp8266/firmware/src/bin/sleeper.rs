//! The sleeper: wakes, measures, tells the server at 10.0.2.100:7070, and sleeps until the next reset.
#![no_std]
#![no_main]

use app::sleeper::{Woke, wake};
use app::{Board, Outbox, Recording};
use embassy_executor::Spawner;
use embassy_net::{Ipv4Address, Stack};
use embassy_time::Timer;
use lx106::emulator_entropy::random;
use lx106::reset::{reset, rtc};
use lx106::{ID, console, net};

static OUTBOX: Outbox<4096> = Outbox::new();

/// Where `startup.S` goes.
// SAFETY: the name is this function's alone.
#[unsafe(no_mangle)]
extern "C" fn program() -> ! {
    lx106::run(|spawner: Spawner| match sleeper(net::start(spawner)) {
        Ok(task) => spawner.spawn(task),
        Err(_) => console::fail("the sleeper was started before"),
    })
}

#[embassy_executor::task]
async fn sleeper(stack: Stack<'static>) -> ! {
    let board = Board {
        id: ID,
        random,
        stack,
        server: (Ipv4Address::new(10, 0, 2, 100), 7070),
        boot: rtc().boot(),
        outbox: &OUTBOX,
        led: |on| console::print(if on { "led on\n" } else { "led off\n" }),
    };
    let Woke { slept, awake, asleep } = wake(board, Recording::starting_at(0), rtc()).await;
    console::print("slept boot=");
    console::print_number(slept.carry.boot);
    console::print(" told=");
    console::print_number(slept.told.into());
    console::print(" unsent=");
    console::print_number(slept.unsent);
    console::print(" awake_us=");
    console::print_number(awake.as_micros() as u32);
    console::print("\n");
    // The power is off, but for a clock that counts down.
    Timer::after(asleep).await;
    reset()
}
