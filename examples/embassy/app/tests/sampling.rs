//! The sampling loop in virtual time, without any network.

use core::cell::Cell;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use app::{Outbox, Recording, Sample, Samples, Sensor, Worst, application, catalogue};
use embassy_futures::join::join;
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

    let (outbox, mut buffers, samples) = (Outbox::new(), Buffers::new(), Samples::new());
    let device = started(&outbox, &mut buffers);
    let both =
        join(application::sample(&samples, Recording::starting_at(0)), application::record(device, &samples));
    run_for(pin!(both), 10 * period);
    // The first at once, nobody to send them to, and every one is kept.
    assert_eq!((device.status().accepted, device.status().waiting), (10, 10));
    assert_eq!(samples.worst(), Worst::default());

    let (outbox, mut buffers, samples) = (Outbox::new(), Buffers::new(), Samples::new());
    let device = started(&outbox, &mut buffers);
    let (zero, begun) = (Instant::now(), Cell::new(Instant::MIN));
    let slow = Slow { count: 0, begun: &begun };
    let mut both = pin!(join(application::sample(&samples, slow), application::record(device, &samples)));
    // The fourth is begun at 3 s and done at 6.7 s. That of 4 s is taken then, those of 5 and 6 s are not made up for, that of 7 s is on time.
    run_for(both.as_mut(), 6_800);
    assert_eq!(device.status().accepted, 4);
    run_for(both.as_mut(), 10 * period);
    let on_grid = (begun.get() - zero).as_millis() % period;
    assert_eq!(on_grid, 0, "the long one moved the grid");
    let worst = samples.worst();
    assert_eq!(worst.late_us, 2_700_000, "from 4 s, when the fifth was due, until 6.7 s");
    assert_eq!(worst.waited_us, 3_700_000, "as long as the longest was measured");
    assert_eq!(samples.worst(), Worst::default(), "told once");
    assert!(device.stored(Lane::Readings) == sensock::Position::NONE);

    recording_waits();
}

/// Whoever records is held up: what is taken meanwhile keeps its time, and what finds no room is counted and told.
fn recording_waits() {
    let (outbox, mut buffers, samples) = (Outbox::new(), Buffers::new(), Samples::new());
    let device = started(&outbox, &mut buffers);
    let mut sampling = pin!(samples.take(Duration::from_millis(10), Recording::starting_at(0)));
    let mut recording = pin!(application::record(device, &samples));
    let begin = Instant::now().as_millis();
    // Each as of its moment.
    run_for(sampling.as_mut(), 50);
    for k in 0..5 {
        let next = pin!(samples.next()).poll(&mut Context::from_waker(Waker::noop()));
        assert!(
            matches!(next, Poll::Ready(taken) if taken.at.as_millis() == begin + 10 * k),
            "{k}: {next:?}"
        );
    }
    // 130 samples, and room for 128.
    run_for(sampling.as_mut(), 1_300);
    assert_eq!((samples.waiting(), samples.missed()), (128, Some(2)));
    assert_eq!(samples.worst(), Worst::default(), "whoever waits, none is late");
    run_for(recording.as_mut(), 1);
    assert_eq!((samples.waiting(), device.status().accepted), (0, 128));
    assert_eq!(samples.worst(), Worst { late_us: 0, waited_us: 1_300_000 }, "the first");
    assert_eq!(samples.missed(), None, "told");
}
