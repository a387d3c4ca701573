//! The sampling loop in virtual time, without any network.

use core::cell::Cell;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Waker};

use app::{Outbox, Recording, Sample, Sensor, application, catalogue};
use embassy_time::{Duration, Instant, MockDriver, Timer};
use sensock::Lane;
use sensock_device::{Boot, Buffers, Device, EmbassyClock, Key, Node};

/// Runs `future` for `ms` milliseconds. Each of them it is polled twice: a timer that is due already wants to be asked again.
fn run_for<F: Future>(mut future: core::pin::Pin<&mut F>, ms: u64) {
    for _ in 0..ms {
        for _ in 0..2 {
            assert!(
                future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(),
                "it never ends"
            );
        }
        MockDriver::get().advance(Duration::from_millis(1));
    }
}

fn started<'a>(outbox: &'a Outbox<4096>, buffers: &'a mut Buffers<512>) -> Device<'a> {
    let node =
        Node { id: "bench", key: Key::Insecure, catalog: &catalogue::CATALOGUE, boot: Boot::Number(1) };
    outbox.start(&node, EmbassyClock, buffers).0
}

/// A sensor that takes its time: once much longer than an interval.
struct Slow<'a> {
    count: u32,
    begun: &'a Cell<Instant>,
}

impl Sensor for Slow<'_> {
    async fn read(&mut self) -> Sample {
        self.begun.set(Instant::now());
        self.count += 1;
        let takes = if self.count == 4 { 3_700 } else { 300 };
        Timer::after(Duration::from_millis(takes)).await;
        Sample { temperature: 20.0, humidity: f32::NAN }
    }
}

// One test: the clock is the process's.
#[test]
fn records_lie_on_a_grid_whatever_else_takes_its_time() {
    let period = u64::from(catalogue::INTERVAL_DEFAULT_MS);

    let (outbox, mut buffers, late) = (Outbox::new(), Buffers::new(), Cell::new(0));
    let device = started(&outbox, &mut buffers);
    run_for(pin!(application::sample(device, Recording::starting_at(0), &late)), 10 * period);
    // The first at once, nobody to send them to, and every one is kept.
    assert_eq!((device.status().accepted, device.status().waiting), (10, 10));
    assert_eq!(late.get(), 0);

    let (outbox, mut buffers, late) = (Outbox::new(), Buffers::new(), Cell::new(0));
    let device = started(&outbox, &mut buffers);
    let (zero, begun) = (Instant::now(), Cell::new(Instant::MIN));
    let mut sampling = pin!(application::sample(device, Slow { count: 0, begun: &begun }, &late));
    // The fourth is begun at 3 s and done at 6.7 s. That of 4 s is taken then, those of 5 and 6 s are not made up for, that of 7 s is on time.
    run_for(sampling.as_mut(), 6_800);
    assert_eq!(device.status().accepted, 4);
    run_for(sampling.as_mut(), 10 * period);
    let on_grid = (begun.get() - zero).as_millis() % period;
    assert_eq!(on_grid, 0, "the long one moved the grid");
    assert_eq!(late.get(), 2_700_000, "from 4 s, when the fifth was due, until 6.7 s");
    assert!(device.stored(Lane::Readings) == sensock::Position::NONE);
}
