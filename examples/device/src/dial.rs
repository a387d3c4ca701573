//! The way to a server: dial, serve, wait, and dial the next.

use std::time::Duration;

use embedded_io_adapters::tokio_1::FromTokio;
use sensock_device::{Runner, TokioClock};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::report::Report;

/// A dial that was not answered by then is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Dials the servers in turn, for ever.
pub(crate) async fn network(mut runner: Runner<'_, TokioClock>, servers: &[String], report: Report) {
    let mut trouble = String::new();
    for server in servers.iter().cycle() {
        let said = match timeout(PATIENCE, TcpStream::connect(server)).await {
            Ok(Ok(stream)) => {
                trouble.clear();
                // Small frames are written whole; waiting for more would only delay them.
                let _slower = stream.set_nodelay(true);
                let (reader, writer) = stream.into_split();
                let ended = runner.connection(FromTokio::new(reader), FromTokio::new(writer)).await;
                match runner.said() {
                    none if none.is_empty() => format!("{server}: {ended}"),
                    sentence => format!("{server}: {ended} ({sentence})"),
                }
            }
            Ok(Err(error)) => format!("{server} cannot be reached: {error}"),
            Err(_) => format!("{server} did not answer within {} s", PATIENCE.as_secs()),
        };
        // The same trouble again is no news.
        if said != trouble {
            report.say(&said);
            trouble = said;
        }
        runner.backoff().await;
    }
}
