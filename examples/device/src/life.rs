//! The life of a process: its devices are started, work, and end in order.

use anyhow::{Context as _, Result};
use catalog::{CELLAR, INTERVAL, RELAY};
use example_device::boot_file::next_boot;
use example_device::flash_file::FlashFile;
use example_device::private::random;
use example_device::replay::Recording;
use example_device::source::Source;
use sensock::Catalog;
use sensock::seal::Credential;
use sensock_device::flash::{Acceptance, Flash};
use sensock_device::{Boot, Buffers, Device, Key, Node, Runner, TokioClock};
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};

use crate::cli::{Cli, Outbox, Plan};
use crate::dial::Way;
use crate::report::Report;
use crate::{dial, duty};

/// Memory for the records of one device: about 25,000 of two readings.
const OUTBOX: usize = 256 * 1024;
/// The largest frame.
const FRAME: usize = 1024;
/// Size of an outbox in a file.
const FLASH: u32 = 1 << 20;

/// What all devices of the process measure with.
enum Sensors {
    Room,
    Recording(&'static Recording),
}

/// Runs all devices until they have nothing more to do.
pub(crate) async fn live(cli: &Cli) -> Result<()> {
    let plans = cli.plans().map_err(anyhow::Error::msg)?;
    let keys = cli.keys(&plans).map_err(anyhow::Error::msg)?;
    let (sensors, catalog) = sensors(cli)?;
    let stop = end_on_ctrl_c();
    // From here on a Ctrl-C is heard.
    tokio::task::yield_now().await;
    let local = LocalSet::new();
    let mut devices = JoinSet::new();
    for (plan, key) in plans.into_iter().zip(keys) {
        let source = match &sensors {
            Sensors::Room => Source::synthetic(plan.seed, cli.interval()),
            Sensors::Recording(recording) => Source::replay(recording, cli.speed),
        };
        devices.spawn_local_on(one(cli.clone(), (plan, key), catalog, source, stop.clone()), &local);
    }
    local
        .run_until(async {
            while let Some(ended) = devices.join_next().await {
                ended??;
            }
            Ok(())
        })
        .await
}

/// One device, from its start to its last stored record.
async fn one(
    cli: Cli,
    (plan, key): (Plan, Option<Credential>),
    catalog: &'static Catalog<'static>,
    source: Source,
    stop: watch::Receiver<bool>,
) -> Result<()> {
    let report = Report::new(plan.id, cli.report);
    let tls = cli.tls_pin.map(|pin| pin.connector("sensock/1")).transpose()?;
    let way = |runner| Way { runner, servers: cli.servers.clone(), tls };
    match &plan.outbox {
        Outbox::Ram => {
            let number = plan.boot_file.as_deref().map(next_boot).transpose()?;
            let (device, runner) = start(&plan, key, catalog, number.map_or(Boot::Unknown, Boot::Number))?;
            work(&cli, device, way(runner), number.unwrap_or(0), source, report, stop).await;
        }
        Outbox::File(path) => {
            let named = || format!("the outbox {}", path.display());
            let file = FlashFile::open(path, FLASH as usize)?;
            let mut flash = Flash::new(file, 0..FLASH).with_context(named)?;
            let boot = flash.recover(catalog, Acceptance::WhenPersisted).await.with_context(named)?;
            let number = if let Boot::Flash(recovered) = &boot { recovered.boot() } else { 0 };
            let (device, runner) = start(&plan, key, catalog, boot)?;
            tokio::select! {
                // A write to a file never waits, so the end of the work finds the flash between two of them.
                error = flash.run(device) => return Err(error).with_context(named),
                () = work(&cli, device, way(runner), number, source, report, stop) => {}
            }
        }
    }
    Ok(())
}

/// A device is there for as long as its process: its memory is like a static, but there may be any number of them.
fn start(
    plan: &Plan,
    key: Option<Credential>,
    catalog: &'static Catalog<'static>,
    boot: Boot,
) -> Result<(Device<'static>, Runner<'static, TokioClock>)> {
    let outbox: &'static sensock_device::Outbox<OUTBOX> = Box::leak(Box::default());
    let buffers: &'static mut Buffers<FRAME> = Box::leak(Box::default());
    let clock: &'static TokioClock = Box::leak(Box::default());
    let id: &'static str = plan.id.as_str().to_owned().leak();
    let key = key.map_or(Key::Insecure, |key| Key::Sealed(Box::leak(Box::new(key)), random));
    let node = Node { id, key, catalog, boot };
    outbox.try_start(&node, clock, buffers).with_context(|| format!("{id} cannot start"))
}

/// Records, obeys and sends until there is nothing more to record and everything is stored.
async fn work(
    cli: &Cli,
    device: Device<'static>,
    mut way: Way,
    boot: u32,
    source: Source,
    report: Report,
    stop: watch::Receiver<bool>,
) {
    report.boot(boot);
    way.runner.backoff_between(cli.redial_ms.min(500), cli.redial_ms);
    let sampling = duty::Sampling {
        persistent: cli.outbox != Outbox::Ram,
        alarm_every: cli.alarm_every,
        most: cli.max_records,
    };
    let teller = duty::Teller::new(device, boot, report);
    let all = async {
        duty::sample(device, source, sampling, report, stop).await;
        if device.status().waiting > 0 {
            report.say(&format!("no more records; {} wait to be stored", device.status().waiting));
        }
        device.drain().await;
        teller.acked();
        report.drained();
        report.say(&format!("everything is stored: {} records", device.status().accepted));
        device.close();
        // The server is told, if it is there; it does not matter if it is not.
        while device.is_connected() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = all => {}
        () = dial::network(way, report) => {}
        () = duty::obey(device, report) => {}
        () = teller.run() => {}
    }
}

/// What is measured, and what the devices say of themselves.
fn sensors(cli: &Cli) -> Result<(Sensors, &'static Catalog<'static>)> {
    let Some(path) = &cli.replay else { return Ok((Sensors::Room, &CELLAR)) };
    let recording: &'static Recording = Box::leak(Box::new(Recording::open(path)?));
    crate::report::complain(recording.notes().to_string().trim_end());
    let quantities = Vec::leak(recording.entries());
    let commands: &'static [_] = const { &[RELAY.entry()] };
    let settings: &'static [_] = const { &[INTERVAL.entry()] };
    let catalog =
        Catalog::new(concat!("example-device ", env!("CARGO_PKG_VERSION")), quantities, commands, settings);
    Ok((Sensors::Recording(recording), Box::leak(Box::new(catalog))))
}

/// Ctrl-C ends the recording, a second one the process.
fn end_on_ctrl_c() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            // There is always a receiver while a device works.
            let _nobody = sender.send(true);
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(130);
            }
        }
        // Without signals the recording ends by itself, or with the process.
        std::future::pending::<()>().await;
    });
    receiver
}
