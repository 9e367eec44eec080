//! A mail relay and a push service of the tests: what comes is kept, and what is answered can be chosen.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::PATIENCE;

/// A relay without TLS on loopback.
#[derive(Clone)]
pub struct Relay {
    pub at: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    mails: Vec<Mail>,
    /// What commands are answered, by their first word, the next one first; success when nothing is left.
    answers: Vec<(&'static str, String)>,
}

/// A mail that was taken.
#[derive(Clone, Debug)]
pub struct Mail {
    pub to: String,
    /// Head and body as they came.
    pub raw: String,
}

impl Relay {
    pub async fn start() -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let relay = Relay { at: listener.local_addr().expect("bound"), state: Arc::default() };
        let state = Arc::clone(&relay.state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(dialogue(stream, Arc::clone(&state)));
            }
        });
        relay
    }

    /// What the next recipient is answered instead of `250`.
    pub fn answer_next(&self, line: &str) {
        self.answer_next_to("RCPT", line);
    }

    /// What the next command of this first word is answered instead of success.
    pub fn answer_next_to(&self, word: &'static str, line: &str) {
        self.state.lock().expect("no panic").answers.push((word, line.to_owned()));
    }

    /// The mails so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.state.lock().expect("no panic").mails.clone()
    }

    /// The mails to an address, once there are so many.
    pub async fn mails_to(&self, address: &str, count: usize) -> Vec<Mail> {
        let began = Instant::now();
        loop {
            let mails: Vec<Mail> = self.mails().into_iter().filter(|mail| mail.to == address).collect();
            if mails.len() >= count {
                return mails;
            }
            assert!(began.elapsed() < PATIENCE, "{} mails to {address} and not {count}", mails.len());
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

impl Mail {
    /// The whole with soft line breaks and encoded characters resolved as far as links need it.
    pub fn text(&self) -> String {
        self.raw.replace("=\r\n", "").replace("=3D", "=")
    }

    /// The secret in the first link to this path.
    pub fn secret(&self, path: &str) -> String {
        let text = self.text();
        let rest = text.split_once(path).unwrap_or_else(|| panic!("no {path} in {text}")).1;
        rest.chars().take_while(char::is_ascii_hexdigit).collect()
    }

    /// A header's value, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.raw.split("\r\n\r\n").next()?.replace("\r\n ", " ").replace("\r\n\t", " ");
        let prefix = format!("{name}: ");
        head.lines().find_map(|line| line.strip_prefix(&prefix)).map(|value| value.trim().to_owned())
    }
}

async fn dialogue(stream: TcpStream, state: Arc<Mutex<State>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 tests\r\n").await.ok()?;
    let mut to = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let word = line.split([' ', '\r', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let wanted = {
            let answers = &mut state.lock().expect("no panic").answers;
            answers.iter().position(|(to, _)| *to == word).map(|at| answers.remove(at).1)
        };
        if word == "RCPT" {
            to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        }
        let answer = match (word.as_str(), wanted) {
            (_, Some(wanted)) => wanted,
            ("EHLO", None) => "250-tests\r\n250-AUTH PLAIN\r\n250 8BITMIME".to_owned(),
            ("AUTH", None) => "235 2.7.0 ok".to_owned(),
            ("DATA", None) => {
                stream.write_all(b"354 go\r\n").await.ok()?;
                let mut raw = String::new();
                while !raw.ends_with("\r\n.\r\n") {
                    stream.read_line(&mut raw).await.ok()?;
                }
                state.lock().expect("no panic").mails.push(Mail { to: to.clone(), raw });
                "250 taken".to_owned()
            }
            ("QUIT", None) => {
                stream.write_all(b"221 bye\r\n").await.ok()?;
                return None;
            }
            _ => "250 ok".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}

/// A push service for browsers, without TLS on loopback.
#[derive(Clone)]
pub struct PushService {
    pub at: SocketAddr,
    state: Arc<Mutex<Pushes>>,
}

#[derive(Default)]
struct Pushes {
    taken: Vec<Push>,
    answers: Vec<String>,
}

/// A push that came.
#[derive(Clone, Debug)]
pub struct Push {
    pub path: String,
    /// The head as it came, in small letters.
    pub head: String,
    pub body: Vec<u8>,
}

impl PushService {
    pub async fn start() -> PushService {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let service = PushService { at: listener.local_addr().expect("bound"), state: Arc::default() };
        let state = Arc::clone(&service.state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take_pushes(stream, Arc::clone(&state)));
            }
        });
        service
    }

    /// The origin that `--push-host` names.
    pub fn origin(&self) -> String {
        format!("http://{}", self.at)
    }

    /// What the next push is answered instead of 201: status line and headers.
    pub fn answer_next(&self, head: &str) {
        self.state.lock().expect("no panic").answers.push(head.to_owned());
    }

    /// The pushes so far.
    pub fn pushes(&self) -> Vec<Push> {
        self.state.lock().expect("no panic").taken.clone()
    }

    /// The pushes, once there are so many.
    pub async fn wait_for(&self, count: usize) -> Vec<Push> {
        let began = Instant::now();
        loop {
            let pushes = self.pushes();
            if pushes.len() >= count {
                return pushes;
            }
            assert!(began.elapsed() < PATIENCE, "{} pushes and not {count}", pushes.len());
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

async fn take_pushes(stream: TcpStream, state: Arc<Mutex<Pushes>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let head = head.to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next()?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await.ok()?;
        let answer = {
            let mut state = state.lock().expect("no panic");
            let answer = if state.answers.is_empty() { "201 Created".to_owned() } else { state.answers.remove(0) };
            state.taken.push(Push { path, head, body });
            answer
        };
        stream.write_all(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").as_bytes()).await.ok()?;
    }
}
