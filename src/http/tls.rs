//! HTTPS of the server's own: a certificate and its key, read once, and the handshake.
//!
//! TLS 1.2 and 1.3 with the library's own choice of suites; no client certificates. Only `http/1.1` is negotiated,
//! because WebSockets need it.
//!
//! And the other side of it, for the probe alone: a client that takes the server at its word.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

/// Who the server is, as it shows to those who connect: a certificate chain and the private key.
#[derive(Clone)]
pub struct Identity {
    acceptor: TlsAcceptor,
}

impl Identity {
    /// Reads PEM files: the certificate with those that vouch for it behind it, and the key (PKCS#8, PKCS#1 or SEC1,
    /// unencrypted).
    pub fn load(certificate: &Path, key: &Path) -> Result<Identity, Error> {
        let malformed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Malformed { path, source }
        };
        let chain: Vec<CertificateDer> = CertificateDer::pem_file_iter(certificate)
            .map_err(malformed(certificate))?
            .collect::<Result<_, _>>()
            .map_err(malformed(certificate))?;
        if chain.is_empty() {
            return Err(Error::Malformed { path: certificate.to_owned(), source: pem::Error::NoItemsFound });
        }
        let key = PrivateKeyDer::from_pem_file(key).map_err(malformed(key))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Identity { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// The handshake with one client. The caller sets its deadline.
    pub async fn greet<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor.accept(stream).await
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

/// The client's side of a connection to a server whose certificate is not judged: for questions that carry no secret and
/// whose answer nobody relies on beyond "it is up". The certificate names the practice's address and never loopback.
pub fn call_unjudged() -> Result<ClientConnection, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let unjudged = Arc::new(Unjudged { algorithms: provider.signature_verification_algorithms });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(unjudged)
        .with_no_client_auth();
    ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").expect("a host name"))
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
    #[error("no usable PEM in {}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// The key does not belong to the certificate, or is of a kind that is not known.
    #[error("the certificate and the key do not go together")]
    Refused(#[from] rustls::Error),
}
