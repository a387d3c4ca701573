//! A certificate chain and its secret key, as PEM files.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use example_device::private;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Files;
use crate::secret;

/// What a server shows, and what it proves it with.
pub(super) struct Certificate {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// Whether the files were there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    Now,
    Before,
}

impl Certificate {
    /// Reads both files; the key's must be its owner's alone.
    pub(super) fn read(files: &Files) -> Result<Certificate> {
        let cert = files.cert.display();
        let chain = CertificateDer::pem_file_iter(&files.cert)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .with_context(|| {
                format!("{cert}: expected a certificate chain in PEM, the server's own first")
            })?;
        if chain.is_empty() {
            bail!("{cert} holds no certificate: expected PEM, beginning with -----BEGIN CERTIFICATE-----");
        }
        let text = private::read(&files.key)?;
        let key = PrivateKeyDer::from_pem_slice(text.as_bytes())
            .with_context(|| format!("{}: expected a private key in PEM", files.key.display()))?;
        Ok(Certificate { chain, key })
    }
}

/// Makes both files if neither is there: a certificate that this server signed itself.
pub(super) fn make_if_absent(files: &Files) -> Result<Made> {
    let (cert, key) = (files.cert.display(), files.key.display());
    match (there(&files.cert)?, there(&files.key)?) {
        (true, true) => Ok(Made::Before),
        (true, false) => bail!(
            "{cert} is there, its key {key} is not: name it with --tls-key, or take the certificate away and a new one is made"
        ),
        (false, true) => bail!(
            "the key {key} is there, its certificate {cert} is not: name it with --tls-cert, or take the key away and a new one is made"
        ),
        (false, false) => {
            let made = KeyPair::generate().context("no key could be made")?;
            let signed = params()?.self_signed(&made).context("no certificate could be made")?;
            // The key first: a certificate without one would be in the way at the next start, a key without a certificate is told apart.
            secret::create(&files.key, &made.serialize_pem())?;
            std::fs::write(&files.cert, signed.pem()).with_context(|| format!("{cert} cannot be written"))?;
            Ok(Made::Now)
        }
    }
}

fn there(path: &Path) -> Result<bool> {
    path.try_exists().with_context(|| format!("{} cannot be looked at", path.display()))
}

/// Its names matter to clients that know no pins; its end to nobody: whoever trusts it trusts its key.
fn params() -> Result<CertificateParams> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    // A name that cannot stand in a certificate is left out.
    let host = host.trim();
    if !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.') {
        names.extend([host.to_owned(), format!("{host}.local")]);
    }
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "sensockd");
    params.not_before = date_time_ymd(2026, 1, 1);
    // The last year that every client's clock and date format can read.
    params.not_after = date_time_ymd(2049, 12, 31);
    Ok(params)
}
