//! What the tests of this part share: a third party on loopback that says what the test wants, and a key.

use std::sync::{Arc, Mutex};

use hyper::body::Bytes;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::integrations::https::client::{self, Outbound};
use crate::integrations::https::origin::Origin;

/// An RSA private key that opens nothing.
pub(super) const RSA_KEY: &str = include_str!("testing/rsa.pem");

/// A request as the third party saw it.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// Method and path.
    pub(super) line: String,
    /// The headers as they came, one a line.
    pub(super) head: String,
    pub(super) body: Bytes,
}

impl Heard {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| line.split_once(": ").is_some_and(|(there, _)| there.eq_ignore_ascii_case(name));
        self.head.lines().find(named).and_then(|line| line.split_once(": ")).map(|(_, value)| value)
    }
}

/// A third party over plain HTTP.
pub(super) struct Party {
    pub(super) origin: Origin,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Party {
    /// Answers each request with a status and a body; an empty status drops the connection.
    pub(super) async fn start(answer: impl Fn(&Heard) -> (&'static str, String) + Send + Sync + 'static) -> Party {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let heard = Arc::<Mutex<Vec<Heard>>>::default();
        let (noted, answer) = (Arc::clone(&heard), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                tokio::spawn(async move { serve(stream, &noted, answer.as_ref()).await });
            }
        });
        Party { origin, heard }
    }

    pub(super) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Ways out that lead to this party.
    pub(super) fn outbound(&self) -> Outbound {
        Outbound::new(&client::Settings { named: vec![self.origin.clone()], ..client::Settings::default() })
    }
}

async fn serve(
    stream: TcpStream,
    noted: &Mutex<Vec<Heard>>,
    answer: &(dyn Fn(&Heard) -> (&'static str, String) + Send + Sync),
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        let (line, rest) = head.split_once(" HTTP/1.1\r\n")?;
        let mut heard = Heard { line: line.to_owned(), head: rest.to_owned(), body: Bytes::new() };
        let length = heard.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        heard.body = body.into();
        noted.lock().unwrap().push(heard.clone());
        let (status, body) = answer(&heard);
        if status.is_empty() {
            return None;
        }
        // Headers may stand behind the status, each on its own line.
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}
