//! HTTPS of the server's own: a certificate and a key, and the same answers and sockets behind them.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use futures_util::StreamExt;
use lexchat::cli::{Cli, Command};
use lexchat::config::{Config, Error};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::harness::server::Server;

/// A certificate for `localhost` that vouches for itself, and its key, as files.
pub struct Papers {
    folder: TempDir,
    connector: TlsConnector,
}

impl Papers {
    pub fn new() -> Papers {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("cert.pem"), made.cert.pem()).expect("a written file");
        std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).expect("a written file");
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).expect("a usable root");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("known versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Papers { folder, connector: TlsConnector::from(Arc::new(config)) }
    }

    pub fn path(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        path.to_str().expect("a UTF-8 path").to_owned()
    }

    pub async fn serve(&self) -> Server {
        Server::start_with(&["--tls-cert", &self.path("cert.pem"), "--tls-key", &self.path("key.pem")]).await
    }

    async fn connect(&self, server: &Server) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(server.at).await.expect("a connection");
        let name = ServerName::try_from("localhost").expect("a name");
        self.connector.connect(name, stream).await.expect("a handshake")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_sockets_go_over_tls() {
    let papers = Papers::new();
    let server = papers.serve().await;

    let mut plain = papers.connect(&server).await;
    plain.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");

    let address = format!("wss://localhost:{}/socket.io/?EIO=4&transport=websocket", server.at.port());
    let (mut socket, _) =
        tokio_tungstenite::client_async(address, papers.connect(&server).await).await.expect("a WebSocket");
    let opened = socket.next().await.expect("a packet").expect("a whole frame");
    assert!(opened.to_text().unwrap().starts_with("0{\"sid\":"), "{opened}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_tls_gets_no_http_answer_and_disturbs_nobody() {
    let papers = Papers::new();
    let server = papers.serve().await;
    let mut clear = TcpStream::connect(server.at).await.unwrap();
    clear.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // The server may say so in TLS's own words or just hang up.
    let _ = clear.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    papers.connect(&server).await;
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused_by_name() {
    let (papers, others) = (Papers::new(), Papers::new());
    for (certificate, key) in [
        (papers.path("missing.pem"), papers.path("key.pem")),
        (papers.path("key.pem"), papers.path("key.pem")),
        (papers.path("cert.pem"), papers.path("cert.pem")),
        (papers.path("cert.pem"), others.path("key.pem")),
    ] {
        let typed = ["lexchat", "serve", "--tls-cert", &certificate, "--tls-key", &key];
        let Some(Command::Serve(serve)) = Cli::try_parse_from(typed).unwrap().command else { panic!("not serve") };
        assert!(matches!(Config::new(&serve), Err(Error::Certificate(_))), "{certificate} {key}");
    }
    assert!(Cli::try_parse_from(["lexchat", "serve", "--tls-cert", "a.pem"]).is_err(), "a certificate without a key");
}
