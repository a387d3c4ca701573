//! The node: measures, records, obeys, and keeps a connection to the server at 10.0.2.100:7070.
#![no_std]
#![no_main]

use app::{Board, Boot, Outbox, Recording, Samples};
use embassy_executor::Spawner;
use embassy_net::{Ipv4Address, Stack};
use lx106::emulator_entropy::random;
use lx106::{ID, URGENT, console, net};

static OUTBOX: Outbox<8192> = Outbox::new();
static SAMPLES: Samples = Samples::new();

/// Where `startup.S` goes.
// SAFETY: the name is this function's alone.
#[unsafe(no_mangle)]
extern "C" fn program() -> ! {
    console::print(concat!("node ", env!("CARGO_PKG_VERSION"), " "));
    console::print(ID);
    console::print("\n");
    lx106::run(|spawner: Spawner| {
        let (Ok(sampling), Ok(node)) = (sampling(), node(net::start(spawner))) else {
            console::fail("the node was started before");
        };
        URGENT.start().spawn(sampling);
        spawner.spawn(node);
    })
}

/// In an interrupt, whatever else the board computes.
#[embassy_executor::task]
async fn sampling() -> ! {
    app::sample(&SAMPLES, Recording::starting_at(0)).await
}

#[embassy_executor::task]
async fn node(stack: Stack<'static>) -> ! {
    let board = Board {
        id: ID,
        random,
        stack,
        server: (Ipv4Address::new(10, 0, 2, 100), 7070),
        boot: Boot::Unknown,
        outbox: &OUTBOX,
        // The emulated board has no LED, but a console.
        led: |on| console::print(if on { "led on\n" } else { "led off\n" }),
    };
    app::run(board, &SAMPLES).await
}
