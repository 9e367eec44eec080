//! HTTPS of the server's own: a certificate and a key, and the same answers and sockets behind them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use clap::Parser;
use futures_util::StreamExt;
use lexchat::cli::{Cli, Command};
use lexchat::config::Config;
use lexchat::config::error::Error;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore};

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

    /// Whether this certificate is the one that is shown there, by a handshake.
    pub fn is_shown_at(&self, at: SocketAddr) -> bool {
        let name = ServerName::try_from("localhost").expect("a name");
        let Ok(mut stream) = std::net::TcpStream::connect(at) else { return false };
        let mut client = ClientConnection::new(self.connector.config().clone(), name).expect("a client");
        while client.is_handshaking() {
            if client.complete_io(&mut stream).is_err() {
                return false;
            }
        }
        true
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
    assert!(!answer.contains("strict-transport-security"), "localhost is everybody's: {answer}");

    let address = format!("wss://localhost:{}/socket.io/?EIO=4&transport=websocket", server.at.port());
    let (mut socket, _) =
        tokio_tungstenite::client_async(address, papers.connect(&server).await).await.expect("a WebSocket");
    let opened = socket.next().await.expect("a packet").expect("a whole frame");
    assert!(opened.to_text().unwrap().starts_with("0{\"sid\":"), "{opened}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_are_told_to_stay_with_tls() {
    let papers = Papers::new();
    let (certificate, key) = (papers.path("cert.pem"), papers.path("key.pem"));
    let flags = ["--tls-cert", &certificate, "--tls-key", &key, "--public-url", "https://chat.example"];
    let server = Server::start_with(&flags).await;
    for path in ["/", "/conversations", "/nowhere"] {
        let mut plain = papers.connect(&server).await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: chat.example\r\nConnection: close\r\n\r\n");
        plain.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        plain.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("strict-transport-security: max-age=31536000\r\n"), "{path}: {answer}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_tell_when_the_certificate_ends() {
    let papers = Papers::new();
    let server = papers.serve().await;
    let mut plain = papers.connect(&server).await;
    plain.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).await.unwrap();
    let told = answer.lines().find_map(|line| line.strip_prefix("lexchat_certificate_expires_timestamp_seconds "));
    let pem = std::fs::read(papers.path("cert.pem")).unwrap();
    let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).unwrap();
    let ends_s = pem.parse_x509().unwrap().validity().not_after.timestamp();
    assert_eq!(told.and_then(|told| told.parse::<f64>().ok()), Some(ends_s as f64), "{answer}");
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

/// A certificate without extensions for this key, as `openssl x509 -req` makes it without `-extfile`: nobody signed it.
fn version_1(key: &rcgen::KeyPair) -> String {
    let tlv = |tag: u8, parts: &[&[u8]]| {
        let inside = parts.concat();
        let length = match inside.len() {
            short @ 0..=127 => vec![u8::try_from(short).expect("small")],
            long @ 128..=255 => vec![0x81, u8::try_from(long).expect("small")],
            longer => [&[0x82][..], &u16::try_from(longer).expect("small").to_be_bytes()].concat(),
        };
        [&[tag][..], &length, &inside].concat()
    };
    let algorithm = tlv(0x30, &[&[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]]);
    let name = tlv(0x30, &[&tlv(0x31, &[&tlv(0x30, &[&[0x06, 0x03, 0x55, 0x04, 0x03], &tlv(0x0c, &[b"x"])])])]);
    let time = tlv(0x30, &[&tlv(0x17, &[b"250101000000Z"]), &tlv(0x17, &[b"450101000000Z"])]);
    let body = tlv(
        0x30,
        &[&[0x02, 1, 1], &algorithm, &name, &time, &name, &rcgen::PublicKeyData::subject_public_key_info(key)],
    );
    let whole = tlv(0x30, &[&body, &algorithm, &tlv(0x03, &[&[0], &tlv(0x30, &[&[0x02, 1, 1], &[0x02, 1, 1]])])]);
    let lines: Vec<String> = base64::prelude::BASE64_STANDARD
        .encode(whole)
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8(line.to_vec()).expect("base64"))
        .collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused_by_name() {
    let (papers, others) = (Papers::new(), Papers::new());
    let key_of = |name: &str| rcgen::KeyPair::from_pem(&std::fs::read_to_string(papers.path(name)).unwrap()).unwrap();
    std::fs::write(papers.path("old.pem"), version_1(&key_of("key.pem"))).expect("a written file");
    for (certificate, key, said) in [
        (papers.path("missing.pem"), papers.path("key.pem"), "no usable PEM in"),
        (papers.path("key.pem"), papers.path("key.pem"), "no certificate"),
        (papers.path("cert.pem"), papers.path("cert.pem"), "no unencrypted key"),
        (papers.path("cert.pem"), others.path("key.pem"), "does not belong to the certificate"),
        (papers.path("old.pem"), papers.path("key.pem"), "X.509 version 1"),
    ] {
        let typed = ["lexchat", "serve", "--tls-cert", &certificate, "--tls-key", &key];
        let Some(Command::Serve(serve)) = Cli::try_parse_from(typed).unwrap().command else { panic!("not serve") };
        let Err(Error::Certificate(error)) = Config::new(&serve) else { panic!("{certificate} {key}") };
        assert!(error.to_string().contains(said), "{error}");
    }
    assert!(Cli::try_parse_from(["lexchat", "serve", "--tls-cert", "a.pem"]).is_err(), "a certificate without a key");
}
