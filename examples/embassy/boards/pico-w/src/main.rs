//! The example firmware for a Raspberry Pi Pico W with embassy-rp and cyw43. **Not run on silicon**: it is compile-checked only.
//!
//! What is yours stands in the constants below, in the key that it is built with (`SENSOCK_KEY=snk1... cargo pico-w`), and in [`Chip`], which you replace by your sensor. The radio's firmware is not part of this
//! repository: `build.rs` says how to bring it.
#![no_std]
#![no_main]

use app::{Board, Boot, NoEntropy, Outbox, Sample, Samples, Sensor};
use cyw43::{Control, JoinOptions, NetDriver, SpiBus, aligned_bytes};
use cyw43_pio::{DEFAULT_CLOCK_DIVIDER, PioSpi};
use embassy_executor::{InterruptExecutor, Spawner};
use embassy_net::{Config, Ipv4Address, Runner, StackResources};
use embassy_rp::adc::{self, Adc, Channel};
use embassy_rp::clocks::RoscRng;
use embassy_rp::gpio::{Level, Output};
use embassy_rp::interrupt;
use embassy_rp::peripherals::{DMA_CH0, PIO0};
use embassy_rp::pio::{self, Pio};
use embassy_rp::{bind_interrupts, dma};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use embassy_time::{Duration, Timer};
use static_cell::StaticCell;

/// The device's name. Each board has its own.
const ID: &str = "pico-w";
/// The network's name and its password.
const NETWORK: (&str, &str) = ("network", "password");
/// Where the server listens.
const SERVER: (Ipv4Address, u16) = (Ipv4Address::new(192, 168, 1, 10), 7070);

static OUTBOX: Outbox<8192> = Outbox::new();
static SAMPLES: Samples = Samples::new();
/// Runs in an interrupt that no device of the chip has.
static URGENT: InterruptExecutor = InterruptExecutor::new();
/// The light is on the radio's side, so the radio's task switches it.
static LIGHT: Signal<CriticalSectionRawMutex, bool> = Signal::new();

type Radio = SpiBus<Output<'static>, PioSpi<'static, PIO0, 0>>;

bind_interrupts!(struct Interrupts {
    ADC_IRQ_FIFO => adc::InterruptHandler;
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>;
    PIO0_IRQ_0 => pio::InterruptHandler<PIO0>;
});

#[embassy_executor::main]
async fn main(spawner: Spawner) -> ! {
    let chip = embassy_rp::init(Default::default());
    let mut pio = Pio::new(chip.PIO0, Interrupts);
    let select = Output::new(chip.PIN_25, Level::High);
    let dma = dma::Channel::new(chip.DMA_CH0, Interrupts);
    let spi = PioSpi::new(
        &mut pio.common,
        pio.sm0,
        DEFAULT_CLOCK_DIVIDER,
        pio.irq0,
        select,
        chip.PIN_24,
        chip.PIN_29,
        dma,
    );
    static STATE: StaticCell<cyw43::State> = StaticCell::new();
    let state = STATE.init(cyw43::State::new());
    let firmware = aligned_bytes!(concat!(env!("OUT_DIR"), "/43439A0.bin"));
    let nvram = aligned_bytes!(concat!(env!("OUT_DIR"), "/nvram_rp2040.bin"));
    let power = Output::new(chip.PIN_23, Level::Low);
    let (device, control, radio) = cyw43::new(state, power, spi, firmware, nvram).await;

    static RESOURCES: StaticCell<StackResources<3>> = StaticCell::new();
    let resources = RESOURCES.init(StackResources::new());
    let (stack, runner) =
        embassy_net::new(device, Config::dhcpv4(Default::default()), resources, RoscRng.next_u64());
    let (Ok(radio), Ok(join), Ok(drive)) = (run_radio(radio), join(control), drive(runner)) else {
        panic!("spawned twice")
    };
    spawner.spawn(radio);
    spawner.spawn(join);
    spawner.spawn(drive);

    let adc = Adc::new(chip.ADC, Interrupts, adc::Config::default());
    let sensor = Chip { adc, channel: Channel::new_temp_sensor(chip.ADC_TEMP_SENSOR) };
    let Ok(sampling) = sampling(sensor) else { panic!("spawned twice") };
    URGENT.start(interrupt::SWI_IRQ_0).spawn(sampling);
    let led = |on| LIGHT.signal(on);
    let board = Board { id: ID, random, stack, server: SERVER, boot: Boot::Unknown, outbox: &OUTBOX, led };
    app::run(board, &SAMPLES).await
}

#[interrupt]
unsafe fn SWI_IRQ_0() {
    // SAFETY: this is its interrupt, which is enabled when it is started.
    unsafe { URGENT.on_interrupt() };
}

/// In an interrupt, whatever else the board computes.
#[embassy_executor::task]
async fn sampling(sensor: Chip) -> ! {
    app::sample(&SAMPLES, sensor).await
}

/// The ring oscillator's bits. RP2040 has no better source, and its data sheet promises little of this one: each byte is made of eight, and the
/// library mixes what never repeats into them.
fn random(into: &mut [u8]) -> Result<(), NoEntropy> {
    for byte in into {
        *byte = (0..8).fold(0, |all: u8, _| all.rotate_left(1) ^ RoscRng.next_u32() as u8);
    }
    Ok(())
}

/// The chip's own temperature, for want of a better sensor; it has none for humidity, which is stored as a fault.
struct Chip {
    adc: Adc<'static, adc::Async>,
    channel: Channel<'static>,
}

impl Sensor for Chip {
    async fn read(&mut self) -> Sample {
        // RP2040's data sheet, 4.9.5: 0.706 V at 27 °C, 1.721 mV less a degree; 3.3 V are 4,096 steps.
        let temperature = match self.adc.read(&mut self.channel).await {
            Ok(steps) => 27.0 - (f32::from(steps) * 3.3 / 4_096.0 - 0.706) / 0.001_721,
            Err(_) => f32::NAN,
        };
        Sample { temperature, humidity: f32::NAN }
    }
}

#[embassy_executor::task]
async fn run_radio(runner: cyw43::Runner<'static, Radio>) -> ! {
    runner.run().await
}

/// Brings the board into the network, and switches the light.
#[embassy_executor::task]
async fn join(mut control: Control<'static>) -> ! {
    control.init(aligned_bytes!(concat!(env!("OUT_DIR"), "/43439A0_clm.bin"))).await;
    while control.join(NETWORK.0, JoinOptions::new(NETWORK.1.as_bytes())).await.is_err() {
        Timer::after(Duration::from_secs(5)).await;
    }
    loop {
        control.gpio_set(0, LIGHT.wait().await).await;
    }
}

#[embassy_executor::task]
async fn drive(mut runner: Runner<'static, NetDriver<'static>>) -> ! {
    runner.run().await
}

/// Starts again: what the outbox held is lost, and the server accounts for it.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}
