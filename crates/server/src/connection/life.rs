//! The life of a connection, from its first byte to its last.

use std::future::{Future, poll_fn};
use std::mem;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use sensock::limits::FRAME_HARD_MAX;
use tracing::Span;

use super::Live;
use super::handshake::{self, Peername};
use crate::limits::Turn;
use crate::pipe::{CoveredPipe, Pipe};
use crate::registry::Open;
use crate::server::Server;

/// A connection from its proof on, in one piece. A server lives for as long as it has connections.
pub(super) struct Served {
    live: Option<Live>,
    /// Boxed: where nobody listens there is none.
    span: Option<Box<Span>>,
    pipe: CoveredPipe,
    _open: Open,
    _server: Server,
}

/// Where a connection stands in its life: a pointer, so that its task is small. What a part needs is given back with it.
enum Life<M, F> {
    /// The handshake.
    Meeting(Pin<Box<M>>),
    Served(Box<Served>),
    /// Its last words leave.
    Ending(Pin<Box<F>>),
    Over,
}

/// Serves a transport from its first byte to its last; one too many is not `open`.
pub(crate) fn run(
    server: Server,
    pipe: Box<dyn Pipe>,
    peer: Peername,
    open: Option<Open>,
) -> impl Future<Output = ()> + Send + 'static {
    let mut life = Life::Meeting(Box::pin(meet(server, pipe, peer, open)));
    poll_fn(move |cx| life.poll(cx, last_words))
}

impl<M, F> Life<M, F>
where
    M: Future<Output = Option<Box<Served>>>,
    F: Future<Output = ()>,
{
    fn poll(&mut self, cx: &mut Context<'_>, last_words: impl Fn(Box<Served>) -> F) -> Poll<()> {
        loop {
            match self {
                Life::Meeting(meeting) => {
                    *self = ready!(meeting.as_mut().poll(cx)).map_or(Life::Over, Life::Served);
                }
                Life::Served(served) => {
                    ready!(served.poll(cx));
                    let has_more_to_say = served.end();
                    if let (Life::Served(served), true) = (mem::replace(self, Life::Over), has_more_to_say) {
                        *self = Life::Ending(Box::pin(last_words(served)));
                    }
                }
                Life::Ending(ending) => {
                    ready!(ending.as_mut().poll(cx));
                    *self = Life::Over;
                }
                Life::Over => return Poll::Ready(()),
            }
        }
    }
}

impl Served {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _inside = self.span.as_deref().map(Span::enter);
        self.live.as_mut().map_or(Poll::Ready(()), |live| live.poll(cx, &mut self.pipe))
    }

    /// Its device is not connected any more. Returns whether there are last words.
    fn end(&mut self) -> bool {
        let _inside = self.span.as_deref().map(Span::enter);
        self.live.take().is_some_and(|live| live.goodbye)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end();
    }
}

/// Meets a device, or turns it away.
async fn meet(
    server: Server,
    pipe: Box<dyn Pipe>,
    peer: Peername,
    open: Option<Open>,
) -> Option<Box<Served>> {
    let Some(open) = open else {
        tracing::warn!(peer = peer.words, "closed without a word: far too many connections");
        return None;
    };
    let shared = server.shared();
    let max = shared.options.limits.bad_handshakes;
    match peer.ip.map_or(Turn::In, |ip| shared.offenders.turn(ip, max)) {
        Turn::In => {}
        Turn::Away { news: true } => {
            tracing::warn!(
                peer = peer.words,
                max,
                "an address is turned away until its minute is over: too many of its handshakes failed or hang; whatever \
                 device is behind it waits too"
            );
            return None;
        }
        Turn::Away { news: false } => {
            tracing::debug!(
                peer = peer.words,
                "turned away: too many of this address's handshakes failed of late"
            );
            return None;
        }
    }
    let mut pipe = CoveredPipe::new(pipe);
    let met = handshake::shake(server.shared(), &mut pipe, &peer).await?;
    pipe.proved();
    let live = Live::new(server.shared().clone(), *met, &peer);
    let own = &live.own;
    let span = tracing::info_span!("connection", device = %own.device, boot = own.boot, id = own.id, peer = peer.words);
    let span = (!span.is_disabled()).then(|| Box::new(span));
    Some(Box::new(Served { live: Some(live), span, pipe, _open: open, _server: server }))
}

async fn last_words(mut served: Box<Served>) {
    finish(&mut served.pipe).await;
}

/// Writes what is left, says that it was all, and lets the other end read it: within a second.
pub(super) async fn finish(pipe: &mut dyn Pipe) {
    let drained = async {
        poll_fn(|cx| {
            ready!(pipe.poll_flush(cx))?;
            pipe.poll_close(cx)
        })
        .await?;
        // Unread bytes would make the system throw away what was just written.
        while poll_fn(|cx| pipe.poll_frames(cx, FRAME_HARD_MAX, &mut |_| ControlFlow::Continue(())))
            .await
            .is_ok()
        {}
        Ok::<_, std::io::Error>(())
    };
    let _late = tokio::time::timeout(Duration::from_secs(1), drained).await;
}
