//! What a device does beside its network: sample, obey, and tell what became of its records.

use std::cell::Cell;
use std::time::Duration;

use catalog::{INTERVAL, RELAY};
use example_device::source::Source;
use sensock::{Lane, Position, Reading};
use sensock_device::{Device, Misuse};
use tokio::select;
use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep_until};

use crate::report::Report;

/// How records are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampling {
    /// A record counts as accepted once it would survive the process.
    pub(crate) persistent: bool,
    /// Every n-th record is an alarm as well.
    pub(crate) alarm_every: Option<u64>,
    /// End after so many.
    pub(crate) most: Option<u64>,
}

/// Records what the source gives until it ends, `sampling` says so, or `stop`.
pub(crate) async fn sample(
    device: Device<'_>,
    mut source: Source,
    sampling: Sampling,
    report: Report,
    mut stop: watch::Receiver<bool>,
) {
    let mut due = Instant::now();
    let mut before = Vec::new();
    for count in 1..=sampling.most.unwrap_or(u64::MAX) {
        let Some(sample) = source.next_sample() else { return };
        // The first record is made at once.
        let pause = if before.is_empty() { Duration::ZERO } else { sample.after };
        due = (due + pause).max(Instant::now());
        loop {
            select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                seconds = device.setting(&INTERVAL) => {
                    source.set_interval(seconds);
                    due = due.min(Instant::now() + Duration::from_secs(seconds.into()));
                    report.say(&format!("records every {seconds} s from now on"));
                }
                // Nothing was measured yet: the first record, a moment later, is the answer.
                () = device.read_now(), if !before.is_empty() => {
                    report.say("a reading now, as the server wishes");
                    accept(device, Lane::Readings, &before, sampling, report).await;
                }
                () = sleep_until(due) => break,
            }
        }
        accept(device, Lane::Readings, &sample.readings, sampling, report).await;
        if sampling.alarm_every.is_some_and(|n| count.is_multiple_of(n)) {
            accept(device, Lane::Alarm, &sample.readings, sampling, report).await;
        }
        before = sample.readings;
    }
}

async fn accept(device: Device<'_>, lane: Lane, readings: &[Reading], sampling: Sampling, report: Report) {
    let accepted: Result<Position, Misuse> = match lane {
        Lane::Alarm => device.alarm(readings),
        _ => device.record(readings),
    };
    match accepted {
        Ok(position) => {
            if sampling.persistent {
                device.persisted(lane, position).await;
            }
            report.accepted(lane, position, readings);
        }
        Err(misuse) => report.say(&format!("a record was not taken: {misuse}")),
    }
}

/// Switches the relay as the server says.
pub(crate) async fn obey(device: Device<'_>, report: Report) {
    loop {
        device
            .next_command()
            .await
            .on(&RELAY, |on| {
                report.say(if on { "the relay is on" } else { "the relay is off" });
                Ok(on)
            })
            .otherwise_refuse();
    }
}

/// Tells of one boot what the server has acknowledged.
#[derive(Debug)]
pub(crate) struct Teller {
    device: Device<'static>,
    boot: u32,
    told: Cell<[Position; Lane::COUNT]>,
    report: Report,
}

impl Teller {
    /// Nothing was told yet.
    pub(crate) fn new(device: Device<'static>, boot: u32, report: Report) -> Self {
        Self { device, boot, told: Cell::default(), report }
    }

    /// Tells whenever a session begins, and what was acknowledged.
    pub(crate) async fn run(&self) {
        let mut tick = interval(Duration::from_millis(20));
        let mut sessions = 0;
        loop {
            tick.tick().await;
            let status = self.device.status();
            if status.connected && status.sessions != sessions {
                sessions = status.sessions;
                self.report.say(&format!("connected; {} records wait", status.waiting));
            }
            self.acked();
        }
    }

    /// Tells what was acknowledged since the last call, of this boot: what earlier boots left in flash was theirs to tell.
    pub(crate) fn acked(&self) {
        let mut told = self.told.get();
        for (lane, before) in Lane::ALL.into_iter().zip(&mut told) {
            let now = self.device.stored(lane);
            if now > *before && now.boot() == self.boot {
                *before = now;
                self.report.acked(lane, now);
            }
        }
        self.told.set(told);
    }
}
