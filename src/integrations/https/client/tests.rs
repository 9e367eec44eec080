use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;
use crate::integrations::https::origin::Rule;

/// A server on loopback that answers every request with the same bytes and counts its connections.
struct Fixture {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Fixture {
    async fn start(answer: &'static str, tls: Option<TlsAcceptor>) -> Fixture {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, answer).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, answer).await;
                            }
                        }
                    }
                });
            }
        });
        Fixture { port, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn origin(&self) -> Origin {
        format!("http://127.0.0.1:{}", self.port).parse().unwrap()
    }
}

/// `DROP` as an answer ends the connection, `SILENCE` never comes.
async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) {
    let mut stream = BufReader::new(stream);
    while let Some((head, length)) = head_of(&mut stream).await {
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        match answer {
            "SILENCE" => std::future::pending::<()>().await,
            "ECHO" => {
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{head}", head.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            _ => stream.write_all(answer.trim_end_matches("DROP").as_bytes()).await.unwrap(),
        }
        stream.flush().await.unwrap();
        if answer.ends_with("DROP") {
            return;
        }
    }
}

async fn head_of(stream: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> Option<(String, usize)> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        head.push_str(&line);
        if line == "\r\n" {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            return Some((head, length.unwrap_or(0)));
        }
    }
}

/// An authority, and a server's certificate for `name` from it.
fn certified(name: &str) -> (Roots, TlsAcceptor) {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let ca = params.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::new(params, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    (Roots::built_in().with_extra(ca.pem().as_bytes()).unwrap(), TlsAcceptor::from(Arc::new(config)))
}

fn client(settings: Settings, allowed: &Origin) -> Client {
    Outbound::new(&settings).client(allowed.clone())
}

/// A client that may reach exactly this loopback origin.
fn named_client(origin: &Origin) -> Client {
    client(Settings { named: vec![origin.clone()], ..Settings::default() }, origin)
}

fn get(origin: &Origin) -> Request {
    Request::get(origin.at("/secret-path").unwrap()).timeout(Duration::from_secs(5))
}

#[tokio::test]
async fn an_answer_comes_back_whole_and_its_connection_serves_the_next_request() {
    let server = Fixture::start("HTTP/1.1 418 Teapot\r\nX-Kind: tea\r\nContent-Length: 5\r\n\r\nhello", None).await;
    let client = named_client(&server.origin());
    for _ in 0..3 {
        let answer = client.send(Request::post(server.origin().at("/x").unwrap(), "body")).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (418, b"hello".as_slice()));
        assert_eq!(answer.headers["x-kind"], "tea");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn what_is_not_on_the_list_is_not_connected_to() {
    let server = Fixture::start("ECHO", None).await;
    let elsewhere: Origin = "https://service.example".parse().unwrap();
    let not_listed = client(Settings { named: vec![server.origin()], ..Settings::default() }, &elsewhere);
    let not_named = client(Settings::default(), &server.origin());
    for client in [not_listed, not_named] {
        let failure = client.send(get(&server.origin())).await.unwrap_err();
        assert!(matches!(failure, Failure::NotAllowed(_)), "{failure}");
        assert!(!failure.to_string().contains("secret"));
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_after_it_was_resolved() {
    let server = Fixture::start("ECHO", None).await;
    for host in ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"] {
        let origin: Origin = format!("https://{host}:{}", server.port).parse().unwrap();
        let failure = client(Settings::default(), &origin).send(get(&origin)).await.unwrap_err();
        assert!(matches!(failure, Failure::NotAllowed(_) | Failure::Unreachable(_)), "{host}: {failure:?}");
        assert!(host != "localhost" || matches!(failure, Failure::NotAllowed(_)), "{failure:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let target = Fixture::start("ECHO", None).await;
    let answer = format!("HTTP/1.1 307 Go\r\nLocation: {}/there\r\nContent-Length: 0\r\n\r\n", target.origin());
    let server = Fixture::start(answer.leak(), None).await;
    let settings = Settings { named: vec![server.origin(), target.origin()], ..Settings::default() };
    let both = AllowList::new([Rule::Exact(server.origin()), Rule::Exact(target.origin())]);
    let answer = Outbound::new(&settings).client(both).send(get(&server.origin())).await.unwrap();
    assert_eq!(answer.status.as_u16(), 307);
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn an_answer_is_bounded_in_time_and_length() {
    let silent = Fixture::start("SILENCE", None).await;
    let request = get(&silent.origin()).timeout(Duration::from_millis(100));
    assert!(matches!(named_client(&silent.origin()).send(request).await, Err(Failure::TimedOut)));

    let long = Fixture::start("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n0123456789a", None).await;
    let client = named_client(&long.origin());
    assert!(matches!(client.send(get(&long.origin()).answer_bytes_max(10)).await, Err(Failure::AnswerTooLong)));
    assert_eq!(client.send(get(&long.origin()).answer_bytes_max(11)).await.unwrap().body.len(), 11);

    let endless = Fixture::start("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n", None).await;
    let request = get(&endless.origin()).timeout(Duration::from_millis(100));
    assert!(matches!(named_client(&endless.origin()).send(request).await, Err(Failure::TimedOut)));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    for answer in ["DROP", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n012DROP", "no HTTP at all\r\n\r\nDROP"] {
        let server = Fixture::start(answer, None).await;
        let failure = named_client(&server.origin()).send(get(&server.origin())).await.unwrap_err();
        assert!(matches!(failure, Failure::Interrupted(_)), "{answer}: {failure:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let origin: Origin = format!("http://127.0.0.1:{port}").parse().unwrap();
    assert!(matches!(named_client(&origin).send(get(&origin)).await, Err(Failure::Unreachable(_))));
    let origin: Origin = "https://no-such-host.invalid".parse().unwrap();
    assert!(matches!(named_client(&origin).send(get(&origin)).await, Err(Failure::Unreachable(_))));
}

#[tokio::test]
async fn tls_trusts_what_the_operator_added_and_only_for_its_name() {
    let (roots, acceptor) = certified("localhost");
    let server = Fixture::start("ECHO", Some(acceptor)).await;
    let origin: Origin = format!("https://localhost:{}", server.port).parse().unwrap();
    let settings = |roots| Settings { roots, named: vec![origin.clone()], ..Settings::default() };
    let answer = client(settings(roots.clone()), &origin).send(get(&origin)).await.unwrap();
    assert_eq!(answer.status.as_u16(), 200);

    let failure = client(settings(Roots::built_in()), &origin).send(get(&origin)).await.unwrap_err();
    assert!(matches!(&failure, Failure::Unreachable(reason) if reason.contains("certificate")), "{failure}");

    let by_address: Origin = format!("https://127.0.0.1:{}", server.port).parse().unwrap();
    let settings = Settings { roots, named: vec![by_address.clone()], ..Settings::default() };
    let failure = client(settings, &by_address).send(get(&by_address)).await.unwrap_err();
    assert!(matches!(&failure, Failure::Unreachable(reason) if reason.contains("certificate")), "{failure}");
}

/// A proxy that connects every tunnel to `to` and tells what it was asked for; without `to` it wants a password.
async fn proxy(to: Option<u16>) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, asked) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let (head, _) = head_of(&mut stream).await.unwrap();
            told.send(head).unwrap();
            let Some(to) = to else {
                let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
                stream.write_all(refusal).await.unwrap();
                continue;
            };
            stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut stream, &mut server).await });
        }
    });
    (port, asked)
}

#[tokio::test]
async fn a_proxy_is_asked_to_connect_and_sees_nothing_of_the_request() {
    let (roots, acceptor) = certified("service.example");
    let server = Fixture::start("ECHO", Some(acceptor)).await;
    let (port, mut asked) = proxy(Some(server.port)).await;
    let origin: Origin = "https://service.example".parse().unwrap();
    let through = Proxy::new(&format!("http://user:word@127.0.0.1:{port}"), "").unwrap();
    let settings = Settings { roots, proxy: Some(through), named: Vec::new() };
    let answer = client(settings, &origin).send(get(&origin)).await.unwrap();
    assert!(answer.body.starts_with(b"GET /secret-path HTTP/1.1\r\n"));
    let head = asked.recv().await.unwrap();
    assert!(head.starts_with("CONNECT service.example:443 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("Proxy-Authorization: Basic dXNlcjp3b3Jk\r\n"), "{head}");
    assert!(!head.contains("secret"), "{head}");
}

#[tokio::test]
async fn a_proxy_is_no_way_to_a_private_address_nor_in_the_way_of_loopback() {
    let server = Fixture::start("ECHO", None).await;
    let (port, mut asked) = proxy(None).await;
    let through = || Some(Proxy::new(&format!("http://127.0.0.1:{port}"), "").unwrap());

    let inside: Origin = "https://10.0.0.1".parse().unwrap();
    let settings = Settings { proxy: through(), ..Settings::default() };
    let failure = client(settings, &inside).send(get(&inside)).await.unwrap_err();
    assert!(matches!(failure, Failure::NotAllowed(_)), "{failure:?}");

    let settings = Settings { proxy: through(), named: vec![server.origin()], ..Settings::default() };
    assert_eq!(client(settings, &server.origin()).send(get(&server.origin())).await.unwrap().status.as_u16(), 200);
    assert!(asked.try_recv().is_err(), "the proxy was asked");

    let outside: Origin = "https://service.example".parse().unwrap();
    let settings = Settings { proxy: through(), ..Settings::default() };
    let failure = client(settings, &outside).send(get(&outside)).await.unwrap_err();
    assert!(matches!(&failure, Failure::Unreachable(reason) if reason.contains("proxy")), "{failure:?}");
}

#[tokio::test]
async fn a_download_comes_in_pieces_and_is_bounded() {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n";
    let server = Fixture::start(answer, None).await;
    let client = named_client(&server.origin());
    let mut download = client.download(get(&server.origin())).await.unwrap();
    let mut read = Vec::new();
    while let Some(chunk) = download.chunk().await.unwrap() {
        read.extend_from_slice(&chunk);
    }
    assert_eq!(read, b"0123456789");

    let mut download = client.download(get(&server.origin()).answer_bytes_max(9)).await.unwrap();
    let last = loop {
        match download.chunk().await {
            Ok(Some(_)) => {}
            other => break other,
        }
    };
    assert!(matches!(last, Err(Failure::AnswerTooLong)), "{last:?}");

    let announced = Fixture::start("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", None).await;
    let request = get(&announced.origin()).answer_bytes_max(9);
    assert!(matches!(named_client(&announced.origin()).download(request).await, Err(Failure::AnswerTooLong)));
}

#[test]
fn a_pause_is_read_in_both_forms_and_bounded() {
    let now = httpdate::parse_http_date("Sat, 28 Nov 2026 12:00:00 GMT").unwrap();
    let pause = |text: &'static str| {
        let headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static(text))]);
        let answer = Answer { status: StatusCode::TOO_MANY_REQUESTS, headers, body: Bytes::new() };
        answer.retry_after(now).map(|pause| pause.as_secs())
    };
    assert_eq!(pause("120"), Some(120));
    assert_eq!(pause("Sat, 28 Nov 2026 12:02:00 GMT"), Some(120));
    assert_eq!(pause("Sat, 28 Nov 2026 11:02:00 GMT"), Some(0));
    assert_eq!(pause("99999999999"), Some(7 * 24 * 3600));
    for text in ["", "-1", "soon", "1.5"] {
        assert_eq!(pause(text), None, "{text}");
    }
}

#[test]
fn an_excerpt_is_one_short_line() {
    let body = format!("<html>\r\n\t{}\u{1b}[31m", "é".repeat(500));
    let answer = Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: body.into_bytes().into() };
    let excerpt = answer.excerpt();
    assert_eq!(excerpt.chars().count(), 200);
    assert!(!excerpt.contains(|c: char| c.is_control()), "{excerpt}");
}
