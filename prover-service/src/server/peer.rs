//! Who is connected: the names in the client certificate that TLS has checked.
//!
//! DNS and URI names of the leaf's subject alternative names; the common name counts for nothing. Names are compared
//! letter by letter (DNS names in lower case): a wildcard is a name like any other, and stands for nobody else.
//! It says which service is connected, never which person asks: that is what signed calls are for.

use std::collections::BTreeSet;

use tonic::Request;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The names of a connected client; none without a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerNames(BTreeSet<String>);

impl PeerNames {
    /// The names of whoever sent a request.
    pub fn of<T>(request: &Request<T>) -> PeerNames {
        let certificates = request.peer_certs();
        let leaf = certificates.as_ref().and_then(|chain| chain.first());
        leaf.map_or_else(PeerNames::default, |leaf| PeerNames::in_certificate(leaf))
    }

    /// The names in a certificate. Nothing is checked here: TLS has done that.
    pub fn in_certificate(der: &[u8]) -> PeerNames {
        let Ok((_, certificate)) = X509Certificate::from_der(der) else { return PeerNames::default() };
        let Ok(Some(names)) = certificate.subject_alternative_name() else { return PeerNames::default() };
        let text = |name: &GeneralName<'_>| match name {
            // a URI has a colon, which a DNS name cannot have: the one is never taken for the other
            GeneralName::DNSName(name) if !name.contains(':') => Some(name.to_ascii_lowercase()),
            GeneralName::URI(name) if name.contains(':') => Some((*name).to_owned()),
            _ => None,
        };
        PeerNames(names.value.general_names.iter().filter_map(text).collect())
    }

    /// Whether one of the names is in a list.
    pub fn is_one_of(&self, list: &[String]) -> bool {
        // a URI is compared as it is written
        let plain = |name: &String| if name.contains(':') { name.clone() } else { name.to_ascii_lowercase() };
        list.iter().any(|name| self.0.contains(&plain(name)))
    }
}
