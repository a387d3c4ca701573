//! Page 11: your own board, with esp-hal, embassy-rp or any HAL that embassy-net runs on.
//!
//! `examples/embassy` in the repository is a firmware in two halves: `app` knows no chip, `boards` know nothing else. Six steps make yours of it.
//!
//! # 1. Begin with the board that is nearest
//! | you have | copy | what it is |
//! |---|---|---|
//! | an ESP32 with esp-hal | `boards/esp32c3` | Wi-Fi by esp-radio, which allocates; nothing else does |
//! | an RP2040 or RP2350 with embassy-rp | `boards/pico-w` | Wi-Fi by cyw43; you bring its firmware |
//! | another HAL with an embassy-net driver | either: exchange what is below the stack | |
//! | a bare chip | `boards/mps2`, `boards/virt` | a clock, an executor that sleeps, a network driver: some 400 lines |
//!
//! Beside it copy `app/src/application.rs` and `app/src/catalogue.rs`, some 150 lines: these become your program.
//!
//! # 2. Say what it measures and obeys
//! In `catalogue.rs`, as on [page 2](super::_02_your_catalogue). Numbers are for good: a number that was used once is not used for something else.
//! ```
//! use sensock::{Catalog, Command, Quantity, Setting};
//!
//! const SOIL: Quantity<f32> = Quantity::new(1, "soil-moisture", "%").scale(-1);
//! const VALVE: Command<bool, bool> = Command::new(1, "valve");
//! const INTERVAL: Setting<u32> = Setting::new(1, "interval-ms");
//! const GARDEN: Catalog<'_> =
//!     Catalog::new("garden-node 0.1.0", &[SOIL.entry()], &[VALVE.entry()], &[INTERVAL.entry()]);
//! assert!(GARDEN.len() < 100); // bytes; the server asks for them once
//! ```
//!
//! # 3. Bring the network up
//! Your HAL's own example does that: it ends with an embassy-net `Stack`, on which DHCP is at work, and with a task that drives it. Nobody waits for
//! the network: it may come up an hour later. Give `embassy_net::new` a seed that differs from boot to boot, of the chip's random numbers.
//!
//! # 4. Give it a sensor and something to switch
//! ```ignore
//! struct Probe(Adc);
//!
//! impl Sensor for Probe {
//!     async fn read(&mut self) -> Sample {
//!         match self.0.read().await {
//!             Ok(volts) => Sample { moisture: percent(volts) },
//!             Err(_) => Sample { moisture: f32::NAN }, // stored as a fault, not as a number
//!         }
//!     }
//! }
//!
//! static SAMPLES: Samples = Samples::new();
//!
//! #[embassy_executor::task]
//! async fn sampling(probe: Probe) -> ! {
//!     app::sample(&SAMPLES, probe).await
//! }
//!
//! urgent.spawn(sampling(Probe(adc))?); // an executor that runs in an interrupt: your HAL's InterruptExecutor
//! let board = Board { id: "garden-3", random, stack, server: (Ipv4Address::new(192, 168, 1, 10), 7070), boot: Boot::Unknown,
//!                     outbox: &OUTBOX, led: |on| valve.set(on) };
//! app::run(board, &SAMPLES).await
//! ```
//! A handshake multiplies for 0.1 to 0.5 s, and its executor does nothing else meanwhile. Sampling has one of its own for that reason.
//! A value that could not be measured is a [fault](crate::Fault), and the server shows it as one:
//! ```
//! use sensock::batch::Cell;
//! use sensock::{Fault, Quantity};
//!
//! const SOIL: Quantity<f32> = Quantity::new(1, "soil-moisture", "%").scale(-1);
//! assert_eq!(SOIL.is(31.4).cell, Cell::Value(314));
//! assert_eq!(SOIL.is(f32::NAN).cell, Cell::Fault(Fault::NOT_A_NUMBER.0));
//! ```
//!
//! # 5. Choose how much it outlives
//! `static OUTBOX: Outbox<8192>` holds some 500 records of two readings; [page 3](super::_03_the_outbox) sizes it. What stands in it at a reset depends on
//! what the board remembers:
//!
//! | `Boot` | the board has | at a reset |
//! |---|---|---|
//! | `Unknown` | nothing | the server numbers the boot; what was not stored is a gap of unknown length |
//! | `Number` | a counter in flash or EEPROM, written before the start | the same, and two servers cannot disagree about the boot |
//! | `Woke` | memory that outlives deep sleep | nothing is lost by sleeping |
//! | `Flash` | a region of flash, the `flash` feature | nothing that was persisted is lost |
//!
//! # 6. Flash it, and look at what arrives
//! ```console
//! $ sensockd keys add garden-3 --keys keys.txt              # the key goes into the firmware: page 13
//! $ sensockd run --keys keys.txt --listen 0.0.0.0:7070 --store sqlite:readings.sqlite
//! $ sensockd status --store sqlite:readings.sqlite          # connected, boot, last reading, what waits
//! $ sensockd command garden-3 valve on --store sqlite:readings.sqlite
//! $ sensockd why garden-3 2h..now --store sqlite:readings.sqlite   # if something is missing: who was away, since when, and why
//! ```
//! Then pull the plug of the access point for some minutes: the readings of that time arrive afterwards, each with the moment at which it was measured.
//!
//! # If something does not work
//! | what you see | look at |
//! |---|---|
//! | never connected | the address in `main`, a firewall, `embassy_net`'s `config_v4()`: does the board have an address? |
//! | refused | the sentence in `runner.said()`: it says what to do |
//! | resets when Wi-Fi starts | the supply: radios draw 300 mA for a moment |
//! | ends when linking: `_critical_section_1_0_acquire` | one feature of your HAL or of `cortex-m` gives a critical section: exactly one |
//! | `compare_exchange` does not exist | a core without compare-and-swap (Cortex-M0, RV32IMC): `portable-atomic` with `critical-section` |
//! | a core that is always busy | the executor's idle: `wfi`, not a loop |
//!
//! # What was not run on silicon
//! All of the boards. `mps2` (Cortex-M3) and `virt` (RV32IMC) run under QEMU at each test run, against the real server, with links that are cut
//! and a server that is restarted. `esp32c3` and `pico-w` are compiled at each test run and have never been started. So radios, supplies, drifting crystals and
//! real flash are untested here: tell us what you find.
