//! The example firmware for an ESP32-C3 with esp-hal and esp-radio. **Not run on silicon**: it is compile-checked only.
//!
//! What is yours stands in the constants below, in the key that it is built with (`SENSOCK_KEY=snk1... cargo esp32c3`), and in [`Chip`], which you replace by your sensor. The light is on GPIO 8.
#![no_std]
#![no_main]

use app::{Board, Boot, NoEntropy, Outbox, Sample, Samples, Sensor};
use embassy_executor::Spawner;
use embassy_net::{Config, Ipv4Address, Runner, StackResources};
use embassy_time::{Duration, Timer};
use esp_hal::clock::CpuClock;
use esp_hal::gpio::{Level, Output, OutputConfig};
use esp_hal::interrupt::Priority;
use esp_hal::rng::Rng;
use esp_hal::timer::timg::TimerGroup;
use esp_hal::tsens::{self, TemperatureSensor};
use esp_radio::wifi::sta::StationConfig;
use esp_radio::wifi::{AuthenticationMethodConfig, Config as Wifi, Interface, WifiController};
use esp_rtos::embassy::InterruptExecutor;
use static_cell::StaticCell;

/// The device's name. Each board has its own.
const ID: &str = "esp32c3";
/// The network's name and its password.
const NETWORK: (&str, &str) = ("network", "password");
/// Where the server listens.
const SERVER: (Ipv4Address, u16) = (Ipv4Address::new(192, 168, 1, 10), 7070);

static OUTBOX: Outbox<8192> = Outbox::new();
static SAMPLES: Samples = Samples::new();

esp_bootloader_esp_idf::esp_app_desc!();

#[esp_rtos::main]
async fn main(spawner: Spawner) -> ! {
    let chip = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
    // The radio allocates; nothing else does.
    esp_alloc::heap_allocator!(#[esp_hal::ram(reclaimed)] size: 64 * 1024);
    esp_alloc::heap_allocator!(size: 36 * 1024);
    // The radio's own tasks run on this timer: it is started first.
    esp_rtos::start(TimerGroup::new(chip.TIMG0).timer0, chip.FROM_CPU_INTR0);

    let Ok(radio) = WifiController::new(chip.WIFI, Default::default()) else { panic!("no Wi-Fi") };
    static RESOURCES: StaticCell<StackResources<3>> = StaticCell::new();
    let rng = Rng::new();
    let seed = u64::from(rng.random()) << 32 | u64::from(rng.random());
    let resources = RESOURCES.init(StackResources::new());
    let (stack, runner) =
        embassy_net::new(Interface::station(), Config::dhcpv4(Default::default()), resources, seed);
    let (Ok(join), Ok(drive)) = (join(radio), drive(runner)) else { panic!("spawned twice") };
    spawner.spawn(join);
    spawner.spawn(drive);

    let Ok(sensor) = TemperatureSensor::new(chip.TSENS, tsens::Config::default()) else {
        panic!("no temperature sensor")
    };
    // In an interrupt that no device of the chip has.
    static URGENT: StaticCell<InterruptExecutor<2>> = StaticCell::new();
    let urgent = URGENT.init(InterruptExecutor::new(chip.FROM_CPU_INTR2)).start(Priority::Priority2);
    let Ok(sampling) = sampling(Chip(sensor)) else { panic!("spawned twice") };
    urgent.spawn(sampling);
    let mut light = Output::new(chip.GPIO8, Level::Low, OutputConfig::default());
    let led = move |on: bool| light.set_level(on.into());
    let board = Board { id: ID, random, stack, server: SERVER, boot: Boot::Unknown, outbox: &OUTBOX, led };
    app::run(board, &SAMPLES).await
}

/// In an interrupt, whatever else the board computes.
#[embassy_executor::task]
async fn sampling(sensor: Chip) -> ! {
    app::sample(&SAMPLES, sensor).await
}

/// The chip's generator. It is a true one only while the radio runs, which it does when there is somebody to dial.
fn random(into: &mut [u8]) -> Result<(), NoEntropy> {
    Rng::new().read(into);
    Ok(())
}

/// The chip's own temperature, for want of a better sensor; it has none for humidity, which is stored as a fault.
struct Chip(TemperatureSensor<'static>);

impl Sensor for Chip {
    async fn read(&mut self) -> Sample {
        Sample { temperature: self.0.get_temperature().to_celsius(), humidity: f32::NAN }
    }
}

/// Keeps the board in the network.
#[embassy_executor::task]
async fn join(mut radio: WifiController<'static>) -> ! {
    let (Ok(name), Ok(password)) = (NETWORK.0.try_into(), NETWORK.1.try_into()) else {
        panic!("the network's name has more than 32 bytes, or its password more than 64")
    };
    let station = StationConfig::default()
        .with_ssid(name)
        .with_authentication(AuthenticationMethodConfig::Wpa2Personal(password));
    loop {
        if radio.set_config(&Wifi::Station(station.clone())).is_ok() && radio.connect_async().await.is_ok() {
            let _why = radio.wait_for_disconnect_async().await;
        }
        Timer::after(Duration::from_secs(5)).await;
    }
}

#[embassy_executor::task]
async fn drive(mut runner: Runner<'static, Interface>) -> ! {
    runner.run().await
}

/// Starts again: what the outbox held is lost, and the server accounts for it.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    esp_hal::system::software_reset()
}
