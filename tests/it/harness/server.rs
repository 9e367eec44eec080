//! The real app, as `main` starts it, on a free port with a database file in a folder of its own.

use std::net::SocketAddr;

use clap::Parser;
use lexchat::app::App;
use lexchat::cli::{Cli, Command};
use lexchat::config::Config;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::http::{self, Reply};
use crate::support::people::{self, Person};
use crate::support::socket::Socket;
use crate::support::{PATIENCE, database};

/// A running server; dropping it drops its folder.
pub struct Server {
    /// Where it listens.
    pub at: SocketAddr,
    app: App,
    folder: TempDir,
}

impl Server {
    /// A server with the demo people, no conversation and no limit of messages.
    pub async fn start() -> Server {
        Server::start_with(&["--message-rate", "0", "--event-rate", "0"]).await
    }

    /// A server with further arguments of `lexchat serve`.
    pub async fn start_with(arguments: &[&str]) -> Server {
        Server::start_in(tempfile::tempdir().expect("a temporary folder"), arguments).await
    }

    /// A server that has just made its database, with the demo people and all that they have to show.
    pub async fn demonstration() -> Server {
        Server::open(tempfile::tempdir().expect("a temporary folder"), &[], true).await
    }

    async fn start_in(folder: TempDir, arguments: &[&str]) -> Server {
        Server::open(folder, arguments, false).await
    }

    async fn open(folder: TempDir, arguments: &[&str], with_demonstration: bool) -> Server {
        let db = folder.path().join("lexchat.db");
        let typed = ["lexchat", "serve", "--listen", "127.0.0.1:0", "--db", db.to_str().expect("a UTF-8 path")];
        let cli = Cli::try_parse_from(typed.iter().chain(arguments)).expect("good arguments");
        let Some(Command::Serve(serve)) = cli.command else { panic!("`serve` was typed") };
        let config = Config::new(&serve).expect("a good configuration");
        if config.seed_new_database && !with_demonstration {
            database::create_with_people_only(&db);
        }
        let app = App::start(config).await.expect("a start");
        Server { at: app.addr(), app, folder }
    }

    /// Stops it and starts another one on the same database.
    pub async fn restart(self, arguments: &[&str]) -> Server {
        self.app.stop().await;
        Server::start_in(self.folder, arguments).await
    }

    /// Stops it as Ctrl-C does.
    pub async fn stop(self) {
        self.app.stop().await;
    }

    /// Signs a seeded person in (`client1`, `juriste1`, `admin`).
    pub async fn sign_in(&self, who: &str) -> Person {
        people::sign_in(self.at, who).await
    }

    /// A connected socket of somebody.
    pub async fn socket(&self, person: &Person) -> Socket {
        Socket::connect(self.at, &person.token).await
    }

    /// A connected socket of a seeded person who signs in for it.
    pub async fn socket_of(&self, who: &str) -> Socket {
        self.socket(&self.sign_in(who).await).await
    }

    /// `client1` and `juriste1` with a conversation, each with a socket that joined it.
    pub async fn pair(&self) -> Pair {
        let (client, jurist) = (self.sign_in("client1").await, self.sign_in("juriste1").await);
        let conversation = people::conversation(self.at, &client, &jurist).await;
        let (mut left, mut right) = (self.socket(&client).await, self.socket(&jurist).await);
        left.expect_event("user:online").await;
        for socket in [&mut left, &mut right] {
            socket.done("conversation:join", json!({ "conversationId": conversation })).await;
        }
        Pair { client, jurist, conversation, left, right }
    }

    /// A token like the person's own that ends in so many seconds, signed with this server's key.
    pub fn token_ending_in(&self, person: &Person, seconds: u64) -> String {
        let db = rusqlite::Connection::open(self.folder.path().join("lexchat.db")).expect("the database file");
        let secret: Vec<u8> = db
            .query_row("SELECT secret FROM keys WHERE purpose = 'token'", (), |row| row.get(0))
            .expect("the key in use");
        let header = jsonwebtoken::decode_header(&person.token).expect("a header");
        let mut claims: Value = jsonwebtoken::dangerous::insecure_decode(&person.token).expect("claims").claims;
        claims["exp"] = json!(jsonwebtoken::get_current_timestamp() + seconds);
        let key = jsonwebtoken::EncodingKey::from_secret(&secret);
        jsonwebtoken::encode(&header, &claims, &key).expect("a token")
    }

    /// The database, beside the running server.
    pub fn database(&self) -> rusqlite::Connection {
        let db = rusqlite::Connection::open(self.folder.path().join("lexchat.db")).expect("the database file");
        db.busy_timeout(PATIENCE).expect("a timeout");
        db
    }

    /// Nothing can be written until this is dropped: another process is at it.
    pub fn held_writer(&self) -> rusqlite::Connection {
        let db = rusqlite::Connection::open(self.folder.path().join("lexchat.db")).expect("the database file");
        db.busy_timeout(PATIENCE).expect("a timeout");
        db.execute_batch("BEGIN IMMEDIATE").expect("the lock");
        db
    }

    /// An HTTP request with somebody's token.
    pub async fn request(&self, person: &Person, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let ask = http::ask(self.at, method, path).token(&person.token);
        if let Some(body) = body { ask.json(body) } else { ask }.send().await
    }
}

/// Two people who talk.
pub struct Pair {
    pub client: Person,
    pub jurist: Person,
    pub conversation: i64,
    /// The client's socket.
    pub left: Socket,
    /// The jurist's socket.
    pub right: Socket,
}

impl Pair {
    /// The client says something; the message as it was acknowledged. Both have heard it.
    pub async fn say(&mut self, content: &str) -> Value {
        let data = json!({ "conversationId": self.conversation, "content": content });
        let message = self.left.done("message:send", data).await["message"].clone();
        for socket in [&mut self.left, &mut self.right] {
            assert_eq!(socket.expect_event("message:new").await["message"]["id"], message["id"]);
        }
        message
    }
}
