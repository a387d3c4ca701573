//! The way to a server: dial, serve, wait, and dial the next.

use std::io;
use std::time::Duration;

use embedded_io_adapters::tokio_1::FromTokio;
use sensock_device::{Runner, TokioClock};
use tokio::io::{AsyncRead, AsyncWrite, split};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::report::Report;

/// A dial that was not answered by then is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// A device's way to its servers.
pub(crate) struct Way {
    pub(crate) runner: Runner<'static, TokioClock>,
    pub(crate) servers: Vec<String>,
    /// Through TLS, if there is one.
    pub(crate) tls: Option<TlsConnector>,
}

/// Dials the servers in turn, for ever.
pub(crate) async fn network(Way { mut runner, servers, tls }: Way, report: Report) {
    let mut trouble = String::new();
    for server in servers.iter().cycle() {
        let said = match timeout(PATIENCE, dial(server, tls.as_ref())).await {
            Ok(Ok(stream)) => {
                trouble.clear();
                let (reader, writer) = split(stream);
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

/// Whatever bytes go through.
trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

async fn dial(server: &str, tls: Option<&TlsConnector>) -> io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect(server).await?;
    // Small frames are written whole; waiting for more would only delay them.
    let _slower = stream.set_nodelay(true);
    let Some(tls) = tls else { return Ok(Box::new(stream)) };
    // Who it is, its pin tells; the name is for proxies in between.
    let host = server.rsplit_once(':').map_or(server, |(host, _)| host).trim_matches(['[', ']']);
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    Ok(Box::new(tls.connect(name, stream).await?))
}
