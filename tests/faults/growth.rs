//! Time and size: the write-ahead log stays small, a large database starts at once, the clock may go back.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lexchat::store::database::functions;
use rusqlite::Connection;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::durability::{BUSY, assert_all_kept};
use crate::support::people::{self, Person};
use crate::support::server::{Server, Setup};
use crate::support::socket::Socket;
use crate::support::{http, needs};
use crate::traffic::{self, Conversation, Pace, Traffic};

const WAL_BYTES_MAX: u64 = 64 << 20;

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn the_write_ahead_log_stays_bounded_under_writes_with_a_long_reader() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Setup::new(folder.path().join("lexchat.db")).start().await;
    // A few seconds as fast as they can, or an hour at a pace at which the history of it fits into memory. Nobody's token
    // lasts longer than that: two halves, each with its own conversations.
    let (pace, halves) = match needs::long_form() {
        false => (BUSY, [6, 6]),
        true => (Pace { pause: Duration::from_millis(25), ..BUSY }, [1800, 1800]),
    };
    let mut acked = 0;
    let mut largest = 0;
    for (half, seconds) in halves.into_iter().enumerate() {
        let pairs = traffic::conversations_apart(server.address(), pace.pairs, half).await;
        let slow = start_slow_download(&server, &pairs[0].members[0], pairs[0].id).await;
        let readers: Vec<_> = pairs.iter().map(|pair| start_reader(&server, pair, pace.pause)).collect();
        let traffic = Traffic::resume(server.address(), pace, pairs, Default::default());
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(seconds) {
            largest = largest.max(server.wal_bytes());
            assert!(largest <= WAL_BYTES_MAX, "the log has {largest} bytes after {:?}", began.elapsed());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        readers.iter().for_each(tokio::task::JoinHandle::abort);
        slow.abort();
        acked += assert_all_kept("log", &server, traffic).await;
    }
    println!("{acked} messages in {halves:?} s, the log never above {} KiB", largest / 1024);
}

/// Somebody reads the last pages of a conversation, again and again for as long as the test runs.
fn start_reader(server: &Server, pair: &Conversation, pause: Duration) -> tokio::task::JoinHandle<()> {
    let (to, token, path) =
        (server.address(), pair.members[1].token.clone(), format!("/messages?conversationId={}&limit=200", pair.id));
    tokio::spawn(async move {
        loop {
            let _ = http::get(to, &path).token(&token).try_send().await;
            tokio::time::sleep(pause).await;
        }
    })
}

/// Somebody downloads a large file at 20 kB/s, again and again for as long as the test runs.
async fn start_slow_download(server: &Server, person: &Person, conversation: i64) -> tokio::task::JoinHandle<()> {
    let path = format!("/attachments?conversationId={conversation}&name=lent.bin");
    let upload = http::ask(server.address(), "POST", &path).token(&person.token).body(vec![7; 30 << 20]);
    let url = upload.send().await.expect(201).json()["url"].as_str().expect("an address").to_owned();
    let head = format!(
        "GET {url} HTTP/1.1\r\nConnection: close\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n",
        server.address(),
        person.token
    );
    let address = server.address();
    tokio::spawn(async move {
        let mut bytes = [0; 2000];
        loop {
            let mut stream = TcpStream::connect(address).await.expect("it listens");
            stream.write_all(head.as_bytes()).await.expect("it reads");
            while stream.read(&mut bytes).await.is_ok_and(|count| count > 0) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    })
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn a_large_database_starts_at_once_after_a_kill() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = folder.path().join("lexchat.db");
    let mut server = Setup::new(&db).start().await;
    let pair = traffic::conversations(server.address(), 1).await.remove(0);
    server.kill();
    let messages = if needs::long_form() { 1_000_000 } else { 100_000 };
    fill(&db, pair.id, pair.members[0].id, messages);
    server.restart().await;
    // Killed with a log that is not yet copied back: the start has to read it.
    let traffic = Traffic::resume(server.address(), BUSY, vec![pair], Default::default());
    traffic.acked(500, Duration::from_secs(30)).await;
    let (_, pairs) = traffic.abandon().await;
    let took = server.restart().await;
    println!("with {messages} messages, ready {took:?} after exec");
    // Two seconds on a machine that does nothing else.
    assert!(took <= Duration::from_secs(10), "{took:?}");
    let socket = Socket::open(server.address(), &pairs[0].members[0].token).await.expect("a live session");
    let joined = socket.ask("conversation:join", &json!({ "conversationId": pairs[0].id })).await;
    assert_eq!(joined["messages"].as_array().map(Vec::len), Some(50));
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn order_does_not_depend_on_the_clock() {
    let library = faketime_library();
    if !needs::met("order_does_not_depend_on_the_clock", &[("faketime", library.is_some())]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clock = folder.path().join("clock");
    std::fs::write(&clock, "+0").expect("room");
    let setup = Setup::new(folder.path().join("lexchat.db"));
    let server = faked(setup, &library.expect("just seen"), &clock).start().await;
    let traffic = Traffic::start(server.address(), BUSY).await;
    for offset in ["-1h", "+0", "-2h", "+30m", "+0"] {
        let acked = traffic.journal.acked();
        traffic.acked(acked + 100, Duration::from_secs(30)).await;
        std::fs::write(&clock, offset).expect("room");
    }
    let pairs = traffic.conversations.clone();
    assert_all_kept("clock", &server, traffic).await;
    let soon = time::OffsetDateTime::now_utc() + Duration::from_secs(20 * 60);
    let soon = soon.format(&time::format_description::well_known::Rfc3339).expect("a date");
    for pair in pairs {
        let messages = traffic::all_messages(server.address(), &pair.members[0].token, pair.id).await;
        let times: Vec<&str> = messages.iter().filter_map(|message| message["createdAt"].as_str()).collect();
        assert!(times.is_sorted(), "times are told in the order of the messages");
        assert!(times.last().is_some_and(|last| *last > soon.as_str()), "the server's clock was moved");
    }
}

#[tokio::test]
#[ignore = "slow: tests/faults/run"]
async fn whoever_signs_in_under_a_clock_that_was_set_back_writes_and_is_not_slowed() {
    let library = faketime_library();
    let name = "whoever_signs_in_under_a_clock_that_was_set_back_writes_and_is_not_slowed";
    if !needs::met(name, &[("faketime", library.is_some())]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clock = folder.path().join("clock");
    std::fs::write(&clock, "+0").expect("room");
    let mut setup = faked(Setup::new(folder.path().join("lexchat.db")), &library.expect("just seen"), &clock);
    // The usual rates.
    setup.arguments.clear();
    let server = setup.start().await;
    let at = server.address();
    let early = people::sign_in(at, "client1").await;
    let jurist = people::sign_in(at, "juriste1").await;
    let id = people::conversation(at, &early, &jurist).await;
    let say =
        |token: &str| http::post(at, "/messages", &json!({ "conversationId": id, "content": "x" })).token(token).send();
    say(&early.token).await.expect(201);
    std::fs::write(&clock, "+2h").expect("room");
    while say(&early.token).await.status != 401 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let ahead = people::sign_in(at, "client1").await;
    say(&ahead.token).await.expect(201);
    for offset in ["+0", "-65m", "-2m"] {
        std::fs::write(&clock, offset).expect("room");
        let late = people::sign_in(at, "client1").await;
        let refresh = json!({ "refreshToken": late.refresh });
        let renewed = http::post(at, "/auth/refresh-token", &refresh).send().await.expect(200).json();
        let tokens = [&early.token, &ahead.token, &late.token, renewed["accessToken"].as_str().expect("a token")];
        for token in tokens {
            http::get(at, "/users/me").token(token).send().await.expect(200);
        }
        // More than may be said at once, so that the last are slowed as always, and not by the clock.
        let began = Instant::now();
        for token in tokens.into_iter().chain(std::iter::repeat_n(late.token.as_str(), 90)) {
            loop {
                let answered = say(token).await;
                if answered.status == 201 {
                    break;
                }
                assert_eq!(answered.status, 429, "{offset}: {}", answered.text());
                assert!(began.elapsed() < Duration::from_secs(30), "{offset}: {:?}", began.elapsed());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    http::get(at, "/readyz").send().await.expect(200);
    assert!(server.log().contains("the system clock was set"), "{}", server.log());
}

/// Under a clock that the file says, while what is measured stays true.
fn faked(setup: Setup, library: &Path, clock: &Path) -> Setup {
    setup
        .environment("LD_PRELOAD", &library.display().to_string())
        .environment("FAKETIME_TIMESTAMP_FILE", &clock.display().to_string())
        .environment("FAKETIME_NO_CACHE", "1")
        .environment("FAKETIME_DONT_FAKE_MONOTONIC", "1")
}

/// The library that Debian's package brings. Its program would stand between us and the server, which it starts as a
/// child of its own.
fn faketime_library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|library| library.is_file())
}

/// Writes messages past the server, as fast as SQL can: a conversation that has been going on for years.
fn fill(db: &Path, conversation: i64, sender: i64, messages: i64) {
    let mut connection = Connection::open(db).expect("ours");
    let filling = connection.transaction().expect("nobody else writes");
    filling
        .execute(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
             INSERT INTO messages (conversation_id, sender_id, sent_rev, rev, content, created_at)
             SELECT ?2, ?3, n, n, 'Le dossier ' || n || ' est prêt, la pièce ' || n % 97 || ' manque.', 1700000000000 + n
             FROM numbers",
            (messages, conversation, sender),
        )
        .expect("the schema as it is");
    filling
        .execute(
            "UPDATE conversations
             SET rev = ?1, lawyer_unread = ?1, last_message_id = (SELECT max(id) FROM messages)
             WHERE id = ?2",
            (messages, conversation),
        )
        .expect("the schema as it is");
    filling.execute("UPDATE indexing SET message_id = (SELECT max(id) FROM messages)", ()).expect("the index");
    functions::register(&filling).expect("a function");
    filling.execute("INSERT INTO message_words (message_words) VALUES ('rebuild')", ()).expect("the index");
    filling.commit().expect("room");
}
