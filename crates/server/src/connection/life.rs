//! The life of a connection, from its first byte to its last.

use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
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

/// A connection from its proof on. A server lives for as long as it has connections.
struct Served {
    live: Option<Box<Live>>,
    /// Boxed: where nobody listens there is none.
    span: Option<Box<Span>>,
    pipe: CoveredPipe,
    _open: Open,
    _server: Server,
}

/// Serves a transport from its first byte to its last; one too many is not `open`.
///
/// Of what the handshake needs nothing is kept here: the future is as large as the quiet part wants it.
pub(crate) fn run(
    server: Server,
    pipe: Box<dyn Pipe>,
    peer: Peername,
    open: Option<Open>,
) -> impl Future<Output = ()> + Send + 'static {
    let meeting = Box::pin(meet(server, pipe, peer, open));
    async move {
        let Some(mut served) = meeting.await else { return };
        poll_fn(|cx| served.poll(cx)).await;
        let goodbye = served.live.as_ref().is_some_and(|live| live.goodbye);
        served.end();
        if goodbye {
            // Boxed, as it is for the end only.
            Box::pin(finish(&mut served.pipe)).await;
        }
    }
}

impl Served {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _inside = self.span.as_deref().map(Span::enter);
        self.live.as_mut().map_or(Poll::Ready(()), |live| live.poll(cx, &mut self.pipe))
    }

    fn end(&mut self) {
        let _inside = self.span.as_deref().map(Span::enter);
        self.live = None;
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end();
    }
}

/// Meets a device, or turns it away.
async fn meet(server: Server, pipe: Box<dyn Pipe>, peer: Peername, open: Option<Open>) -> Option<Served> {
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
    let live = handshake::shake(server.shared(), &mut pipe, &peer).await?;
    pipe.proved();
    let own = &live.own;
    let span = tracing::info_span!("connection", device = %own.device, boot = own.boot, id = own.id, peer = peer.words);
    let span = (!span.is_disabled()).then(|| Box::new(span));
    Some(Served { live: Some(live), span, pipe, _open: open, _server: server })
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
