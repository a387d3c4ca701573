//! What time brings, and what goes out: the end of silence, the timer, frames that are due.

use std::future::Future as _;
use std::task::{Context, Poll, ready};

use sensock::Micros;
use sensock::wire::hello::End;

use super::{Leaving, Live};
use crate::events::Event;
use crate::pipe::Pipe;

/// Not more waits to be written than this before the session is asked for more.
const UNSENT_MAX: usize = 4_096;

impl Live {
    /// Whether time brought the connection to its end.
    pub(super) fn overdue(&mut self, now: Micros) {
        if self.session.poll_timeout().is_some_and(|due| now >= due)
            && self.session.handle_timeout(now).is_err()
        {
            self.end(End::Silent, "nothing came for too long");
        }
        if now >= self.renew_at {
            self.leave(End::Closed, 0, "a day has passed: come again at once, for new keys");
        }
    }

    /// Arms the timer; ready if something is due already.
    pub(super) fn poll_timer(&mut self, now: Micros, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(due) = self.session.poll_timeout() else { return Poll::Pending };
            let wall = &self.shared.wall;
            // What is overdue waits for the other end to read: look again soon.
            let due = if due <= now { now.plus_ms(50) } else { due };
            let at = wall.instant(due);
            let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
            // A timer that fires early is armed again; only an earlier moment needs another one.
            if timer.is_elapsed() || at < timer.deadline() {
                timer.as_mut().reset(at);
            }
            ready!(timer.as_mut().poll(cx));
            if wall.now() >= due {
                return Poll::Ready(());
            }
        }
    }

    /// Renders what is due, as long as the other end takes it.
    pub(super) fn transmit(&mut self, now: Micros, pipe: &mut dyn Pipe) {
        let mut out = [0; 256];
        // A device that sleeps is told no more: the next wake brings it. Nor is one that is turned away.
        let no_more = self.leaving.as_ref().is_some_and(|l| matches!(l.end, End::Slept | End::Refused));
        while pipe.unsent() < UNSENT_MAX {
            // The buffer is as large as the contract wants.
            let len = match self.session.poll_transmit(now, &mut out).unwrap_or(0) {
                0 if no_more => 0,
                0 => self.down.frame(&mut self.session, self.shared.wall.offset(), &mut out),
                len => len,
            };
            if len == 0 {
                break;
            }
            pipe.send(&out[..len]);
        }
        let Some(leaving) = &self.leaving else { return };
        if self.ending.is_none()
            && self.outstanding == 0
            && self.intake.is_empty()
            && pipe.unsent() < UNSENT_MAX
        {
            let Leaving { end, retry_ms, text } = **leaving;
            if let Ok(len) = self.session.bye(end, retry_ms, text, &mut out) {
                pipe.send(&out[..len]);
            }
            if let (End::Slept, Some(until_us)) = (end, self.asleep_until_us()) {
                self.shared.events.send(Event::Asleep { device: self.own.device, until_us });
            }
            self.end(end, if text.is_empty() { end.words() } else { text });
        } else if let (Some(ending), true) = (&self.ending, self.goodbye) {
            let end = ending.end;
            if let Ok(len) = self.session.bye(end, 0, &ending.reason, &mut out) {
                pipe.send(&out[..len]);
            }
        }
    }
}
