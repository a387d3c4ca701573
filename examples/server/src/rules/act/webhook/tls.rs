//! TLS to a webhook: which authorities are believed, and what a person does about a certificate that is not.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};

use super::address::Address;

/// Where systems keep the authorities that they believe, as one file.
pub(super) const SYSTEM: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Agrees on TLS with the host of this address. Only authorities of the file `ca` are believed, or those of the system if there is none;
/// the file is read each time, so that a renewed one needs no restart.
pub(super) async fn agree(
    stream: TcpStream,
    to: &Address,
    ca: Option<&Path>,
) -> Result<TlsStream<TcpStream>> {
    let (ca, is_own) = match ca {
        Some(ca) => (ca.to_owned(), true),
        None => (system(to)?, false),
    };
    let name = ServerName::try_from(to.host.clone())
        .with_context(|| format!("{to}: a certificate cannot be for a host of this name"))?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots(&ca, is_own)?)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let agreed = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    agreed.map_err(|error| match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(what)) => anyhow!("{}", refused(to, what, &ca, is_own)),
        Some(error) => anyhow!("{to}: no TLS 1.3 could be agreed on: {error}"),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            anyhow!(
                "{to}: it closed the connection before TLS was agreed on; is it http:// that it speaks there?"
            )
        }
        None => anyhow!("{to}: no TLS 1.3 could be agreed on: {error}"),
    })
}

fn system(to: &Address) -> Result<PathBuf> {
    let found = SYSTEM.iter().map(PathBuf::from).find(|file| file.exists());
    found.with_context(|| {
        format!(
            "{to}: this system keeps no list of authorities where one was looked for ({}): set the action's `ca` to a PEM file that \
             holds the authority",
            SYSTEM.join(", ")
        )
    })
}

fn roots(file: &Path, is_own: bool) -> Result<RootCertStore> {
    let what = if is_own { "the action's `ca`" } else { "the system's list of authorities" };
    let shown = file.display();
    let certificates =
        CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .with_context(|| format!("{what}, {shown}, cannot be read: expected certificates in PEM"))?;
    let mut roots = RootCertStore::empty();
    // A system's list may hold some of a kind that is not known here.
    let (taken, _odd) = roots.add_parsable_certificates(certificates);
    if taken == 0 {
        bail!(
            "{what}, {shown}, holds no authority: expected PEM, beginning with -----BEGIN CERTIFICATE-----"
        );
    }
    Ok(roots)
}

/// What is wrong with a certificate, and what to do.
fn refused(to: &Address, what: &CertificateError, ca: &Path, is_own: bool) -> String {
    let shown = ca.display();
    match what {
        CertificateError::UnknownIssuer if is_own => format!(
            "{to}: its certificate is signed by no authority of {shown}: set the action's `ca` to the PEM file of the authority that signed it"
        ),
        CertificateError::UnknownIssuer => format!(
            "{to}: its certificate is signed by no authority that this system knows ({shown}): if it is one of your own, set the action's \
             `ca` to its PEM file"
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => format!(
            "{to}: its certificate is not for {}: write a name into `webhook` that it is for, or have one made for this name",
            to.host
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!(
                "{to}: its certificate has expired: renew it there, or set this machine's clock if that is wrong"
            )
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("{to}: its certificate is not valid yet: set this machine's clock if that is wrong")
        }
        other => format!("{to}: its certificate is not believed: {other}"),
    }
}
