//! HTTPS of the server's own: a certificate and its key, read at the start and whenever the operator says so, and the
//! handshake.
//!
//! TLS 1.2 and 1.3 with the library's own choice of suites; no client certificates. Only `http/1.1` is negotiated,
//! because WebSockets need it.
//!
//! And the other side of it, for the probe alone: a client that takes the server at its word.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, ClientConfig, ClientConnection, DigitallySignedStruct, ServerConfig, SignatureScheme,
};
use tokio_rustls::server::TlsStream;

use crate::http::certificate::Certificate;

/// Who the server is, as it shows to those who connect: a certificate chain and the private key. Clones share it.
#[derive(Clone)]
pub struct Identity {
    files: Arc<Files>,
    current: Arc<RwLock<Shown>>,
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// What is shown to those who connect now.
#[derive(Clone)]
struct Shown {
    acceptor: TlsAcceptor,
    certificate: Certificate,
}

impl Identity {
    /// Reads PEM files: the certificate with those that vouch for it behind it, and the key (PKCS#8, PKCS#1 or SEC1,
    /// unencrypted).
    pub fn load(certificate: &Path, key: &Path) -> Result<Identity, Error> {
        let current = Arc::new(RwLock::new(Shown::load(certificate, key)?));
        let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
        Ok(Identity { files: Arc::new(files), current })
    }

    /// Reads the same files again. Handshakes from now on show what is in them; open connections stay as they are.
    ///
    /// # Errors
    /// When they are no good: what was in use stays in use.
    pub fn reload(&self) -> Result<(), Error> {
        let fresh = Shown::load(&self.files.certificate, &self.files.key)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// The certificate that is shown now.
    #[must_use]
    pub fn certificate(&self) -> Certificate {
        self.shown().certificate
    }

    /// The handshake with one client. The caller sets its deadline.
    pub async fn greet<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.shown().acceptor.accept(stream).await
    }

    fn shown(&self) -> Shown {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shown {
    fn load(certificate: &Path, key: &Path) -> Result<Shown, Error> {
        let malformed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Malformed { path, source }
        };
        let chain: Vec<CertificateDer> = CertificateDer::pem_file_iter(certificate)
            .map_err(malformed(certificate))?
            .collect::<Result<_, _>>()
            .map_err(malformed(certificate))?;
        let Some(first) = chain.first() else {
            return Err(Error::Malformed { path: certificate.to_owned(), source: pem::Error::NoItemsFound });
        };
        let facts = Certificate::read(first);
        let key_bytes = PrivateKeyDer::from_pem_file(key).map_err(malformed(key))?;
        let usable = ring::sign::any_supported_type(&key_bytes);
        usable.map_err(|source| Error::Key { path: key.to_owned(), source })?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key_bytes)
            .map_err(|source| refused(source, certificate, key))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let unreadable = || rustls::Error::InvalidCertificate(rustls::CertificateError::BadEncoding);
        Ok(Shown { acceptor: TlsAcceptor::from(Arc::new(config)), certificate: facts.ok_or_else(unreadable)? })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

/// The client's side of a connection to a server whose certificate is not judged: for questions that carry no secret and
/// whose answer nobody relies on beyond "it is up". The certificate names the practice's address and never loopback.
pub fn call_unjudged(name: ServerName<'static>) -> Result<ClientConnection, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let unjudged = Arc::new(Unjudged { algorithms: provider.signature_verification_algorithms });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(unjudged)
        .with_no_client_auth();
    ClientConnection::new(Arc::new(config), name)
}

/// Whoever holds the key of the certificate that they show is taken for the server.
#[derive(Debug)]
struct Unjudged {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Unjudged {
    fn verify_server_cert(
        &self,
        _shown: &CertificateDer<'_>,
        _behind: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, shown, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, shown, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Why a certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read, or holds no certificate or key.
    #[error("no usable PEM in {}{way_out}", path.display(), way_out = without_pem(source))]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// The certificate can be read and not be used.
    #[error("the certificate in {} cannot be used{way_out}", path.display(), way_out = way_out(source))]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// The key is of a kind that is not known.
    #[error("the key in {} cannot be used: it must be RSA of 2048 bits or more, ECDSA (P-256, P-384) or Ed25519", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// Each is good by itself.
    #[error("the key in {} does not belong to the certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// The library refuses something else.
    #[error("TLS cannot be set up")]
    Refused(#[from] rustls::Error),
}

/// What the library says of a certificate and a key that it could read.
fn refused(source: rustls::Error, certificate: &Path, key: &Path) -> Error {
    match source {
        rustls::Error::InconsistentKeys(_) => {
            Error::Mismatch { certificate: certificate.to_owned(), key: key.to_owned() }
        }
        rustls::Error::InvalidCertificate(_) => Error::Certificate { path: certificate.to_owned(), source },
        other => Error::Refused(other),
    }
}

fn way_out(source: &rustls::Error) -> &'static str {
    // The library has no name of its own for it.
    if format!("{source:?}").contains("UnsupportedCertVersion") {
        ": it is of X.509 version 1, without extensions; make it anew with its names (openssl x509 -req … -extfile, with \
         subjectAltName)"
    } else {
        ""
    }
}

fn without_pem(source: &pem::Error) -> &'static str {
    match source {
        pem::Error::NoItemsFound => ": no certificate or no unencrypted key stands in it",
        _ => "",
    }
}
