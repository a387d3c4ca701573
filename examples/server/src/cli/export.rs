//! `sensockd export`: readings as CSV or JSON lines.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use sensock::DeviceId;
use sensock_store::{History, NamedReading, Span};

use super::Where;
use crate::database;
use crate::device::Known;
use crate::show::time::{Times, now_us};
use crate::show::words::{count, decimal};

/// Rows read from the store at once.
const PAGE: usize = 5_000;

#[derive(clap::Args)]
pub(super) struct Export {
    /// Of which device.
    device: String,
    /// FROM..TO, as in 03:12..03:40, 2h..now, or with RFC 3339 times.
    span: String,
    /// How to write them.
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Into this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    at: Where,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A header and a line for each reading.
    Csv,
    /// A JSON object in each line.
    Jsonl,
}

impl Export {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let span = Times::local().span(&self.span, now_us())?;
        let store = database::existing(&self.at.store).await?;
        let known = Known::find(&store, &self.device).await?;
        let rows = match &self.out {
            None => {
                write(&store, &known.id, span, self.format, &mut BufWriter::new(std::io::stdout())).await?
            }
            Some(path) => {
                let place = path.display();
                let file =
                    std::fs::File::create(path).with_context(|| format!("{place}: cannot be written"))?;
                let done = write(&store, &known.id, span, self.format, &mut BufWriter::new(file)).await;
                done.with_context(|| format!("{place}: incomplete"))?
            }
        };
        eprintln!("{} of {}", count(rows, "reading"), known.id);
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes all readings of the span; returns how many.
async fn write<H: History>(
    history: &H,
    device: &DeviceId,
    span: Span,
    format: Format,
    out: &mut impl Write,
) -> Result<u64>
where
    H::Error: 'static,
{
    if format == Format::Csv {
        writeln!(out, "device,quantity,value,unit,fault,not_before,not_after,lane,boot,n")?;
    }
    let (mut after, mut rows) = (None, 0);
    loop {
        let page = history.range(device, span, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.row.lane, last.row.position));
        rows += page.len() as u64;
        for reading in &page {
            writeln!(out, "{}", if format == Format::Csv { csv(reading) } else { json(reading) })?;
        }
    }
    out.flush()?;
    Ok(rows)
}

fn csv(r: &NamedReading) -> String {
    let row = &r.row;
    let value = if row.fault.is_none() { decimal(row.raw, r.scale) } else { String::new() };
    let cells = [
        row.lane.device.to_string(),
        r.name.clone(),
        value,
        r.unit.clone(),
        row.fault.map(|f| f.words().to_owned()).unwrap_or_default(),
        row.not_before_us.map(Times::rfc3339).unwrap_or_default(),
        Times::rfc3339(row.not_after_us),
        row.lane.lane.to_string(),
        row.position.boot().to_string(),
        row.position.n().to_string(),
    ];
    cells.map(|cell| quoted(&cell)).join(",")
}

/// RFC 4180: quotes where a comma, a quote or a line break stands inside.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

fn json(r: &NamedReading) -> String {
    let row = &r.row;
    let value = row.fault.is_none().then(|| serde_json::Number::from_f64(row.value)).flatten();
    serde_json::json!({
        "device": row.lane.device.as_str(),
        "quantity": r.name,
        "value": value,
        "unit": r.unit,
        "fault": row.fault.map(|f| f.words()),
        "not_before": row.not_before_us.map(Times::rfc3339),
        "not_after": Times::rfc3339(row.not_after_us),
        "lane": row.lane.lane.name(),
        "boot": row.position.boot(),
        "n": row.position.n(),
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::tests::cellar;

    #[tokio::test]
    async fn readings_are_written_with_both_bounds_of_their_time() {
        let (store, device) = (cellar().await, DeviceId::new("cellar-3").unwrap());
        let mut out = Vec::new();
        let rows = write(&store, &device, Span::ALL, Format::Csv, &mut out).await.unwrap();
        let text = String::from_utf8(out).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("device,quantity,value,unit,fault,not_before,not_after,lane,boot,n"));
        let first = "cellar-3,temperature,23.45,Cel,,2026-11-21T02:00:00.000000Z,2026-11-21T02:00:00.001000Z,readings,1,0";
        assert_eq!(lines.next(), Some(first));
        assert_eq!(rows, 1 + lines.count() as u64);
        let mut out = Vec::new();
        write(&store, &device, Span::ALL, Format::Jsonl, &mut out).await.unwrap();
        let text = String::from_utf8(out).unwrap();
        let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!((&first["value"], &first["unit"]), (&serde_json::json!(23.45), &serde_json::json!("Cel")));
    }

    #[test]
    fn a_comma_in_a_name_does_not_make_a_column() {
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
