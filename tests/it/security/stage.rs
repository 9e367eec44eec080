//! A server with its folder, and the keys that only its database knows.

use std::net::SocketAddr;

use rusqlite::Connection;

use crate::support::server::{Server, Setup};

/// A running server on a database of its own.
pub struct Stage {
    pub server: Server,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// With the demo accounts and nothing else said.
    pub async fn new() -> Stage {
        Stage::with(&[]).await
    }

    /// With these further arguments.
    pub async fn with(arguments: &[&str]) -> Stage {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut setup = Setup::new(folder.path().join("lexchat.db"));
        setup.arguments.extend(arguments.iter().map(|word| (*word).to_owned()));
        Stage { server: setup.start().await, _folder: folder }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The database, beside the running server.
    pub fn database(&self) -> Connection {
        Connection::open(&self.server.setup.db).expect("the server made it")
    }

    /// The key that signs access tokens at the moment.
    pub fn signing_key(&self) -> Vec<u8> {
        let find = "SELECT secret FROM keys WHERE purpose = 'token'";
        self.database().query_row(find, (), |row| row.get(0)).expect("one key in use")
    }
}
