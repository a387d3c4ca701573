//! Where a webhook leads. Its path and its query may hold a token: they are sent to the other end and shown to nobody.

use std::fmt;

use anyhow::{Result, bail};
use hyper::Uri;

/// An address that was understood. As text it is only where it leads.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Whether TLS is spoken.
    pub(super) tls: bool,
    /// A name or an IP address, without the brackets of IPv6.
    pub(super) host: String,
    pub(super) port: u16,
    /// As the header `Host` has it, and as a person knows it.
    pub(super) authority: String,
    /// The path with the query.
    pub(super) path: String,
}

impl Address {
    /// Understands an address; an error does not repeat it.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let Ok(uri) = url.parse::<Uri>() else { bail!("what stands there is no address") };
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => bail!("it begins neither with https:// nor with http://"),
        };
        let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty()) else {
            bail!("it names no host")
        };
        if authority.as_str().contains('@') {
            bail!(
                "a user and a password cannot stand before the host: put a token into the path or the query"
            );
        }
        Ok(Self {
            tls,
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }

    /// Whether TLS is spoken.
    pub(crate) fn is_tls(&self) -> bool {
        self.tls
    }

    /// Where it leads, as far as that can be told.
    pub(crate) fn words(url: &str) -> String {
        Self::parse(url).map_or_else(|_| "nowhere".to_owned(), |address| address.to_string())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.tls { "https://" } else { "http://" }, self.authority)
    }
}
