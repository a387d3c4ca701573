//! The life of a device that sleeps most of the time: wake, send, hear what is wanted, sleep.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use sensock::device::Carry;

use crate::clock::{Clock, ClockFor};
use crate::device::{Device, millis, until};

/// How a wake ended: see [`Device::cycle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slept {
    /// What to keep in memory that survives, before power goes down.
    pub carry: Carry,
    /// The server knows that the device sleeps. If not, it was not reached in time, or its last word was lost.
    pub told: bool,
    /// Positions that are not stored. They are lost, and will be accounted for at the next wake.
    pub unsent: u32,
}

impl<'a> Device<'a> {
    /// One wake of a device that sleeps most of the time: brings what was recorded to the server, lets it say what it wants, and says how
    /// long the device will sleep. Then power down for `asleep`, with [`Slept::carry`] in memory that survives.
    ///
    /// `network` is the dial loop of any other device; it is dropped when the wake is over. What arrives for the device is dealt with before
    /// it sleeps: run the tasks that obey and apply settings beside this. It returns once the server has stored everything, and after `awake` at
    /// the latest, dialling included: a server that is away does not drain a battery. The boot has ended then: no record is taken any more.
    ///
    /// ```ignore
    /// let node = Node { id: "bog-7", key, catalog: &BOG, boot: Boot::kept(&rtc::read()) };
    /// let (device, mut runner) = OUTBOX.start(&node, EmbassyClock, &mut buffers);
    /// let mut keep = |carry: &Carry| rtc::write(&carry.to_bytes());
    /// runner.keep(&mut keep);
    /// device.record(&[TEMPERATURE.is(read())])?;
    /// let network = async { /* the dial loop */ };
    /// let wake = device.cycle(EmbassyClock, AWAKE, ASLEEP, network);
    /// let Either3::First(slept) = select3(wake, obey, tune).await else { unreachable!() };
    /// rtc::write(&slept.carry.to_bytes());
    /// board::deep_sleep(ASLEEP)
    /// ```
    ///
    /// Cancel safe as [`Device::deep_sleep`].
    pub async fn cycle<'c, C: ClockFor<'c>>(
        &self,
        clock: C,
        awake: impl Into<Duration>,
        asleep: impl Into<Duration>,
        network: impl Future,
    ) -> Slept {
        let now = self.now();
        let end = now.plus(millis(awake.into()));
        let mut over = pin!(clock.clock().wait_until(end));
        let mut network = pin!(network);
        self.shared.with(|_, desk| desk.wish_for_night(millis(asleep.into()), now));
        let _wish = Wish(*self);
        let mut asleep = pin!(until(self.shared, |_, desk, _| desk.night.is_none()));
        let told = poll_fn(|cx| {
            if asleep.as_mut().poll(cx).is_ready() {
                return Poll::Ready(self.shared.with(|_, desk| desk.slept));
            }
            // A network that gave up will not do better later.
            if network.as_mut().poll(cx).is_ready() || over.as_mut().poll(cx).is_ready() {
                return Poll::Ready(false);
            }
            Poll::Pending
        })
        .await;
        self.shared.with(|_, desk| desk.ended = true);
        Slept { carry: self.carry(), told, unsent: self.status().waiting }
    }
}

/// A wish that nobody waits for is taken back.
struct Wish<'a>(Device<'a>);

impl Drop for Wish<'_> {
    fn drop(&mut self) {
        self.0.shared.with(|_, desk| desk.night = None);
    }
}
