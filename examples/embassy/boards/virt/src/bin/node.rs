//! The node: measures, records, obeys, and keeps a connection to the server at 10.0.2.100:7070.
#![no_std]
#![no_main]

use app::{Board, Boot, Outbox, Recording};
use embassy_executor::Spawner;
use embassy_net::{Ipv4Address, Stack};
use virt::emulator_entropy::random;
use virt::{ID, console, net};

static OUTBOX: Outbox<8192> = Outbox::new();

#[riscv_rt::entry]
fn main() -> ! {
    console::print(concat!("node ", env!("CARGO_PKG_VERSION"), " "));
    console::print(ID);
    console::print("\n");
    virt::run(|spawner: Spawner| match node(net::start(spawner)) {
        Ok(task) => spawner.spawn(task),
        Err(_) => console::fail("the node was started before"),
    })
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
        sensor: Recording::starting_at(0),
        // The machine has none.
        led: |on| console::print(if on { "led on\n" } else { "led off\n" }),
    };
    app::run(board).await
}
