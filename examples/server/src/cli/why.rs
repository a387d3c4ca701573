//! `sensockd why`: what happened to a device, in plain words.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use sensock_store::{History, Span};

use super::Where;
use crate::database;
use crate::device::Known;
use crate::show::time::{Times, now_us};
use crate::why::{gather, timeline, times_for, verdict};

#[derive(clap::Args)]
pub(super) struct Why {
    /// Which device.
    device: String,
    /// FROM..TO, as in 03:12..03:40, 2h..now, or with RFC 3339 times.
    span: String,
    #[command(flatten)]
    at: Where,
}

impl Why {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let times = Times::local();
        let span = times.span(&self.span, now_us())?;
        let store = database::existing(&self.at.store).await?;
        let known = Known::find(&store, &self.device).await?;
        explain(&store, &known, span, times, &mut std::io::stdout().lock()).await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes timeline and verdict.
pub(crate) async fn explain<H: History>(
    history: &H,
    known: &Known,
    span: Span,
    times: Times,
    out: &mut impl Write,
) -> Result<()>
where
    H::Error: 'static,
{
    let interval =
        known.catalog().ok().and_then(|c| c.quantities().map(|q| q.interval_ms).filter(|ms| *ms > 0).min());
    let facts = gather(history, known.id, span, interval.map(|ms| i64::from(ms) * 1_000), now_us()).await?;
    let times = times_for(span, times);
    let (from, to) = (times.stamp(span.from_us), times.near(span.to_us, span.from_us));
    writeln!(out, "{}, {from} to {to} ({})", known.id, times.zone_words(span.from_us))?;
    for line in timeline(&facts, &times) {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "VERDICT: {}", verdict(&facts, &times))?;
    Ok(())
}
