//! Whom outgoing TLS trusts: the authorities of Mozilla's list, compiled in, and those that the operator adds.
//!
//! The system's own store is not asked, so a binary behaves the same on every machine. TLS 1.2 and 1.3; the name in the
//! certificate is always checked.

use std::fmt;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A set of certificate authorities; cheap to clone.
#[derive(Clone)]
pub struct Roots {
    store: Arc<RootCertStore>,
}

/// A file of authorities that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("no usable certificate of an authority in it (PEM, `-----BEGIN CERTIFICATE-----`)")]
pub struct BadRoots;

impl Roots {
    /// The authorities that are compiled in.
    pub fn built_in() -> Roots {
        Roots { store: Arc::new(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }) }
    }

    /// The same and those of a PEM file's content (`--extra-ca`), of which each must be usable.
    ///
    /// # Errors
    ///
    /// [`BadRoots`]: no certificate, or one that is no authority's.
    pub fn with_extra(self, pem: &[u8]) -> Result<Roots, BadRoots> {
        let mut store = Arc::unwrap_or_clone(self.store);
        let before = store.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            store.add(certificate.map_err(|_| BadRoots)?).map_err(|_| BadRoots)?;
        }
        if store.len() == before { Err(BadRoots) } else { Ok(Roots { store: Arc::new(store) }) }
    }

    /// A TLS client that trusts them; without ALPN.
    pub(super) fn client_config(&self) -> ClientConfig {
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has suites of both versions")
            .with_root_certificates(Arc::clone(&self.store))
            .with_no_client_auth()
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roots({})", self.store.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certificates_are_taken_for_authorities() {
        let built_in = Roots::built_in();
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let more = built_in.clone().with_extra(own.cert.pem().as_bytes()).unwrap();
        assert_eq!(more.store.len(), built_in.store.len() + 1);
        let key = own.signing_key.serialize_pem();
        let broken = own.cert.pem().replace('M', "!");
        for pem in ["", "nothing", key.as_str(), broken.as_str()] {
            assert!(built_in.clone().with_extra(pem.as_bytes()).is_err(), "{pem}");
        }
    }
}
