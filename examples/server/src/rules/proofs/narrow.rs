//! How long an alarm waits behind a backlog where bytes are slow.

use sensock_testkit::proxy::{Line, Proxy, Way};
use sensock_testkit::rng::Rng;

use super::*;
use crate::rules::tests::over;

/// Bits a second, each way.
const RATE: u32 = 250_000;
const ROUND_TRIP: Duration = Duration::from_millis(100);
/// What the proxy holds, and what the sockets on the device's side of it are asked to hold.
const BUFFER: usize = 1_024;
/// What a device's buffers of 512 bytes give to the line at once.
const FRAME: u32 = 512;
/// The short form runs unoptimised beside other tests. An alarm that waits behind its backlog takes several times as long even so.
const BESIDE_OTHERS: Duration = Duration::from_secs(2);

/// While a device drains a long backlog over a narrow line, 99 of 100 of its alarms are stored within the round trip, two frame times and a
/// commit.
///
/// The commit is what the machine takes beside it for two bare flushes, since a commit may have to wait for one that is under way: of these
/// too the slowest of a hundred is left out. What is later than that has been waiting at the server for a machine that others keep busy.
///
/// Nothing is added for what lies in buffers. The proxy's 1 KiB and some 5 KiB of Linux's own between device and proxy (no socket gets
/// smaller: see `Proxy::with_buffer`) are more than the two frames' worth that a device keeps under way (SPEC 9.4), and would hold an alarm
/// up for 0.2 s if it filled them. So this proves the device's own bound, not the kernel's.
#[tokio::test(flavor = "multi_thread")]
async fn prove_an_alarm_overtakes_a_backlog_on_a_narrow_line() {
    let (records, alarms) = effort::size((10_000, 3), (100_000, 120));
    let directory = tempfile::tempdir().unwrap();
    let house = House::judging(&sqlite(&directory), zone(1, 1_000, LATENESS)).await;
    let proxy = Arc::new(Proxy::with_buffer(listen(&house.server), BUFFER).unwrap());
    proxy.set(Line::narrow(RATE, ROUND_TRIP));
    proxy.refuse(true);
    let line = proxy.clone();
    let (device, _) = over::<4_194_304, _>(name(0), move || {
        let line = line.clone();
        async move { line.dial().await }
    });
    // Noise leaves a record some 2.5 bytes, so that the backlog lasts as long as the alarms.
    let mut noise = Rng::new(250);
    for _ in 0..records {
        let (celsius, percent) =
            (20.0 + noise.within(0..512) as f32 / 100.0, 40.0 + noise.within(0..256) as f32 / 10.0);
        device.record(&[TEMPERATURE.is(celsius), HUMIDITY.is(percent)]).unwrap();
    }
    proxy.refuse(false);
    let draining = async {
        while device.status().waiting as usize > records - records / 50 {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, draining).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let machine = machine(directory.path().to_owned(), 2, stop.clone());
    let (began, left, carried) = (Instant::now(), device.status().waiting, proxy.carried(Way::Up));
    let mut took = Vec::new();
    for alarm in 0..alarms {
        // Each comes at another time of the frames that are under way.
        sleep(Duration::from_millis(150 + alarm * 37 % 101)).await;
        let at = Instant::now();
        let position = device.alarm(&[TEMPERATURE.is(70.0), HUMIDITY.is(50.0)]).unwrap().0.cast_signed();
        took.push(timeout(PATIENCE, stored(&house, position, at)).await.unwrap());
    }
    let (waiting, carried) = (device.status().waiting, proxy.carried(Way::Up) - carried);
    let rate = carried as f64 * 8.0 / 1_000.0 / began.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    let commit = part(&mut machine.join().unwrap(), 99);
    let frames = Duration::from_secs_f64(2.0 * f64::from(FRAME * 8) / f64::from(RATE));
    let limit = ROUND_TRIP + frames + commit + effort::size(BESIDE_OTHERS, Duration::ZERO);
    let (half, nearly_all, all) = (part(&mut took, 50), part(&mut took, 99), part(&mut took, 100));
    println!(
        "{alarms} alarms, while {left} to {waiting} of {records} records waited and {rate:.0} of {} kbit/s were in use: stored after {half:.1?} \
         (half), {nearly_all:.1?} (99 %), {all:.1?} (all)",
        RATE / 1_000
    );
    println!(
        "round trip {ROUND_TRIP:?}, two frames {frames:.1?}, two bare flushes beside it {commit:.1?} (99 %): the limit is {limit:.1?}"
    );
    assert!(
        waiting as usize > records / 10,
        "the backlog was nearly over at the last alarm: {waiting} records were left"
    );
    assert!(nearly_all < limit, "{nearly_all:?}, where {limit:?} is promised");
    house.close().await;
}
