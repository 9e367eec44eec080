//! One line of a history: something that a client did, was told or saw, in the order in which it happened.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

/// What happened. Contents are different for every message, so that a message can be known by its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum Record {
    /// A client is about to send a message, for the first time or again.
    Sent { client: String, id: String, conversation: i64, content: String },
    /// The server said that the message is kept.
    Acked { client: String, id: String, message: i64, rev: i64 },
    /// The server said that it is not, and never will be unless it is sent again.
    Refused { client: String, id: String },
    /// A socket was told of a message.
    Announcement { socket: String, conversation: i64, message: i64, rev: i64, content: String },
    /// A read of a conversation begins.
    Asked { read: u64, conversation: i64 },
    /// It ends; `rev` is the highest that it saw (0 for none).
    Answered { read: u64, rev: i64 },
    /// The server said that a file is kept; `digest` is that of the bytes that were sent.
    Uploaded { client: String, url: String, digest: String },
    /// A client is about to give something another state, for the first time or again: a text, a reaction, a read mark.
    Tried { key: String, state: String },
    /// The server said that it has that state.
    Done { key: String, state: String },
    /// At the end: the state that something has.
    Found { key: String, state: String },
    /// At the end: one message that is stored.
    Stored { conversation: i64, message: i64, rev: i64, content: String },
    /// At the end: one file that is stored, by the bytes that came back.
    StoredFile { url: String, digest: String },
}

/// A history that is being written by many tasks at once.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    records: Arc<Mutex<Vec<Record>>>,
}

impl Journal {
    /// Adds what just happened.
    pub fn note(&self, record: Record) {
        self.records.lock().expect("no panic inside").push(record);
    }

    /// Everything up to now.
    pub fn so_far(&self) -> Vec<Record> {
        self.records.lock().expect("no panic inside").clone()
    }

    /// How many files were said to be kept.
    pub fn uploaded(&self) -> usize {
        let records = self.records.lock().expect("no panic inside");
        records.iter().filter(|record| matches!(record, Record::Uploaded { .. })).count()
    }

    /// How many changes of other things than messages were said to be kept.
    pub fn done(&self) -> usize {
        let records = self.records.lock().expect("no panic inside");
        records.iter().filter(|record| matches!(record, Record::Done { .. })).count()
    }

    /// How many acks were noted.
    pub fn acked(&self) -> usize {
        let records = self.records.lock().expect("no panic inside");
        records.iter().filter(|record| matches!(record, Record::Acked { .. })).count()
    }
}

/// Writes a history, one JSON object per line.
pub fn save(records: &[Record], path: &Path) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for record in records {
        serde_json::to_writer(&mut file, record)?;
        file.write_all(b"\n")?;
    }
    file.flush()
}

/// Reads what `save` wrote.
pub fn load(path: &Path) -> std::io::Result<Vec<Record>> {
    BufReader::new(File::open(path)?).lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_what_is_loaded() {
        let records = [
            Record::Sent { client: "ana".into(), id: "a".into(), conversation: 1, content: "deux\nlignes".into() },
            Record::Acked { client: "ana".into(), id: "a".into(), message: 3, rev: 4 },
        ];
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        save(&records, file.path()).expect("it can be written");
        assert_eq!(load(file.path()).expect("it can be read"), records);
    }
}
