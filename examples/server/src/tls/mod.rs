//! TLS 1.3 in front of the server, for browsers, proxies and gateways. A device's own seal runs inside of it, as on any transport.
//!
//! ```text
//! certificate   a chain and its secret key: from files, or made at the first start
//! web           WebSocket inside, for who says so (ALPN http/1.1)
//! ```

mod certificate;
mod web;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use sensock_server::Transport;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::version::TLS13;

use certificate::{Certificate, Made};
use example_device::pin::Pin;

use crate::show::qr::code;

/// What is spoken inside, as clients may name it. Who names nothing means the first.
const ALPN: [&[u8]; 2] = [b"sensock/1", WEB];
const WEB: &[u8] = b"http/1.1";

/// Where the certificate and its key are.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// What a server is known by. Read again when its files changed, so that a renewed certificate needs no restart.
pub(crate) struct Tls {
    files: Files,
    made: Made,
    current: Mutex<Current>,
}

struct Current {
    stamp: Stamp,
    pin: Pin,
    config: Arc<ServerConfig>,
}

/// When the files changed last.
type Stamp = [Option<SystemTime>; 2];

impl Tls {
    /// Reads the files; makes a certificate of this server's own if neither is there.
    pub(crate) fn open(files: Files) -> Result<Tls> {
        let made = certificate::make_if_absent(&files)?;
        let current = Mutex::new(Current::read(&files)?);
        Ok(Tls { files, made, current })
    }

    /// What a person has to know, and, for a certificate that nobody knows yet, a QR code of its pin.
    pub(crate) fn words(&self) -> (String, Option<String>) {
        let pin = &self.current().pin;
        let cert = self.files.cert.display();
        match self.made {
            Made::Before => (format!("TLS with the certificate {cert}, pin {pin}"), None),
            Made::Now => (
                format!("a certificate was made: {cert}; clients compare its pin, {pin}"),
                code(&pin.to_string()).map(|qr| qr.to_string()),
            ),
        }
    }

    /// Agrees on TLS, and on what is inside.
    pub(crate) async fn agree(self: Arc<Self>, io: TcpStream, _: SocketAddr) -> io::Result<Transport> {
        let stream = TlsAcceptor::from(self.config()).accept(io).await?;
        if stream.get_ref().1.alpn_protocol() == Some(WEB) {
            return web::accept(stream).await;
        }
        Ok(Transport::stream(stream))
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn config(&self) -> Arc<ServerConfig> {
        let mut current = self.current();
        let stamp = stamp(&self.files);
        if current.stamp != stamp {
            match Current::read(&self.files) {
                Ok(read) => *current = read,
                // Once: until the files change again.
                Err(error) => {
                    tracing::error!("TLS goes on with the certificate as it was read last: {error:#}");
                    current.stamp = stamp;
                }
            }
        }
        current.config.clone()
    }
}

impl Current {
    fn read(files: &Files) -> Result<Current> {
        // Before reading: what changes meanwhile is read again.
        let stamp = stamp(files);
        let Certificate { chain, key } = Certificate::read(files)?;
        let cert = files.cert.display();
        let pin = chain.first().context("it is empty").and_then(|leaf| Ok(Pin::of(leaf)?));
        let pin = pin.with_context(|| format!("{cert}: its first certificate cannot be read"))?;
        let mut config = ServerConfig::builder_with_protocol_versions(&[&TLS13])
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .with_context(|| format!("{cert} and {} do not belong together", files.key.display()))?;
        config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
        Ok(Current { stamp, pin, config: Arc::new(config) })
    }
}

fn stamp(files: &Files) -> Stamp {
    let modified = |path: &Path| path.metadata().and_then(|meta| meta.modified()).ok();
    [modified(&files.cert), modified(&files.key)]
}
