//! Databases that were harmed in one way each, and what is found of it; one that may not be written; one that is damaged.

use super::*;
use crate::store::database::open::Db;
use crate::store::database::settings::{Missing, Settings};

const CONTENT: &str = "
    INSERT INTO conversations (id, client_id, lawyer_id, rev, last_message_id, active_at, client_unread, lawyer_unread,
        client_read_id, lawyer_read_id, created_at, updated_at)
    VALUES (1, 1, 6, 0, NULL, 1, 0, 0, 0, 0, 1, 1);
    INSERT INTO messages (id, conversation_id, sender_id, sent_rev, rev, content, created_at)
    VALUES (1, 1, 1, 1, 3, 'Bonjour Maître', 1), (2, 1, 6, 2, 2, 'Bonjour', 2);
    UPDATE conversations SET rev = 3, last_message_id = 2, client_unread = 1, lawyer_unread = 1 WHERE id = 1;
    UPDATE indexing SET message_id = 2;
    INSERT INTO attachments (id, uploader_id, conversation_id, message_id, place, name, size, mime_type, sha256,
        created_at)
    VALUES (1, 1, 1, 1, 0, 'a.txt', 5, 'application/octet-stream',
        x'2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824', 1);
    INSERT INTO attachment_chunks (attachment_id, start, bytes)
    VALUES (1, 0, CAST('hel' AS BLOB)), (1, 3, CAST('lo' AS BLOB));
    INSERT INTO message_words (rowid, terms) SELECT id, terms FROM searchable_messages;";

fn faults_after(harm: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lexchat.db");
    let settings = Settings { path: path.clone(), missing: Missing::CreateDemo, readers_max: 1 };
    drop(Db::open(&settings).unwrap());
    let conn = Connection::open(&path).unwrap();
    functions::register(&conn).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    conn.execute_batch(include_str!("../../../../tests/support/no_conversation.sql")).unwrap();
    conn.execute_batch(CONTENT).unwrap();
    conn.execute_batch(harm).unwrap();
    drop(conn);
    check(&path).unwrap().faults
}

#[test]
fn a_sound_database_has_no_faults() {
    assert_eq!(faults_after(""), Vec::<String>::new());
}

#[test]
fn an_index_of_an_earlier_version_is_not_called_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lexchat.db");
    let conn = Connection::open(&path).unwrap();
    functions::register(&conn).unwrap();
    conn.execute_batch(include_str!("../testing/schema_5.sql")).unwrap();
    conn.pragma_update(None, "application_id", crate::store::database::schema::APPLICATION_ID).unwrap();
    conn.pragma_update(None, "user_version", 5).unwrap();
    drop(conn);
    let report = check(&path).unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    assert!(report.unchecked[0].contains("an earlier version"), "{report:?}");
}

/// What is done to a sound database, and what the check says of it.
const HARMS: &[(&str, &str)] = &[
    ("UPDATE conversations SET rev = 4", "conversation 1: its rev is not that of its latest change"),
    ("UPDATE messages SET rev = 2 WHERE id = 1", "conversation 1: two messages bear the same rev"),
    (
        "UPDATE messages SET sent_rev = 0 WHERE id = 2",
        "conversation 1: its messages are not numbered in the order of their ids",
    ),
    ("UPDATE conversations SET last_message_id = 1", "conversation 1: its last message is another one"),
    ("UPDATE conversations SET client_unread = 0", "conversation 1: the client's unread messages are miscounted"),
    ("UPDATE conversations SET lawyer_unread = 9", "conversation 1: the juriste's unread messages are miscounted"),
    ("UPDATE conversations SET client_shown_id = 0", "conversation 1: a shown mark is not in front of its read mark"),
    (
        "UPDATE conversations SET client_read_id = 2, client_unread = 0, client_shown_id = 7",
        "conversation 1: a shown mark is not in front of its read mark",
    ),
    (
        "UPDATE conversations SET client_read_id = 2, client_unread = 0, client_shown_id = 1",
        "conversation 1: messages that were marked as unread are miscounted",
    ),
    (
        "UPDATE conversations SET lawyer_shown_unread = 1",
        "conversation 1: messages that were marked as unread are miscounted",
    ),
    (
        "UPDATE messages SET kind = 'call', state = '{}', counts_unread = 0 WHERE id = 1",
        "conversation 1: the juriste's unread messages are miscounted",
    ),
    ("UPDATE messages SET sender_id = 2 WHERE id = 1", "message 1: its sender is not a member"),
    ("UPDATE messages SET deleted_at = 1 WHERE id = 1", "message 1: it is deleted and something of it is left"),
    ("UPDATE attachments SET size = 6", "file 1: its size is not that of its parts"),
    ("UPDATE attachment_chunks SET start = 4 WHERE start = 3", "file 1: its parts do not follow each other"),
    (
        "UPDATE attachment_chunks SET bytes = CAST('hex' AS BLOB) WHERE start = 0",
        "file 1: its bytes are not those that were sent",
    ),
    ("DELETE FROM attachments; DELETE FROM discarded_files", "file 1: parts of it are left although it was deleted"),
    (
        "INSERT INTO calls (conversation_id, media, provider, state, reachable, started_by, started_at)
         VALUES (1, 'audio', 'direct', 'missed', 1, 1, 1)",
        "call 1: it is over and has left no entry, or goes on and has one",
    ),
    (
        "INSERT INTO calls (conversation_id, message_id, media, provider, state, reachable, started_by, started_at)
         VALUES (1, 1, 'audio', 'direct', 'missed', 1, 1, 1)",
        "call 1: its entry is not one of it",
    ),
    ("INSERT INTO discarded_files VALUES (1)", "file 1: it is to be removed and is there"),
    ("DELETE FROM settings WHERE name = 'history'", "the name of the history is missing, or none (0)"),
    ("DELETE FROM users WHERE id = 6", "reference: a row of conversations names a row of users that is not there"),
    ("UPDATE messages SET content = 'Adieu' WHERE id = 1", "search: the index does not agree with the messages"),
];

#[test]
fn each_harm_is_told() {
    for (harm, told) in HARMS {
        let faults = faults_after(harm);
        assert!(faults.iter().any(|fault| fault == told), "{harm}: {faults:?}");
    }
}

#[test]
fn each_harm_to_bills_is_told() {
    for (harm, told) in [
        (
            "INSERT INTO invoice_series (name, year, latest, latest_on) VALUES ('F', 2026, 1, '2026-11-28')",
            "bills of 2026: a number of a series is missing",
        ),
        (
            "INSERT INTO invoices (conversation_id, lawyer_id, client_id, type, paid_cents, created_at, updated_at)
             VALUES (1, 6, 1, 'standard', 5, 0, 0)",
            "invoice 1: what it was paid, or credited, is not what its rows add up to",
        ),
    ] {
        let faults = faults_after(harm);
        assert!(faults.iter().any(|fault| fault == told), "{harm}: {faults:?}");
    }
}

#[test]
fn a_check_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lexchat.db");
    let settings = Settings { path: path.clone(), missing: Missing::CreateDemo, readers_max: 1 };
    drop(Db::open(&settings).unwrap());
    let before = std::fs::read(&path).unwrap();
    assert_eq!(check(&path).unwrap().faults, Vec::<String>::new());
    assert!(std::fs::read(&path).unwrap() == before);
}

#[test]
fn a_copy_that_nobody_may_write_is_looked_at_as_far_as_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lexchat.db");
    let settings = Settings { path: path.clone(), missing: Missing::CreateDemo, readers_max: 1 };
    Db::open(&settings).unwrap().writer.close().unwrap();
    let conn = Connection::open_with_flags(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    functions::register(&conn).unwrap();
    let report = look(&conn).unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    assert!(matches!(&report.unchecked[..], [only] if only.contains("look at a copy")), "{report:?}");
    assert!(report.messages > 0);
}

#[test]
fn bits_that_flipped_anywhere_are_told_as_damage_and_as_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lexchat.db");
    let settings = Settings { path: path.clone(), missing: Missing::CreateDemo, readers_max: 1 };
    Db::open(&settings).unwrap().writer.close().unwrap();
    let sound = std::fs::read(&path).unwrap();
    let mut state = 7_usize;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut told = 0;
    for round in 0..200 {
        let mut bytes = sound.clone();
        for _ in 0..64 {
            // What stands in the first hundred bytes says whose the file is.
            bytes[100 + random(sound.len() - 100)] ^= 1 << random(8);
        }
        std::fs::write(&path, bytes).unwrap();
        match check(&path) {
            Ok(report) => told += usize::from(!report.faults.is_empty()),
            Err(refusal @ CopyError::Corrupt { .. }) => {
                let text = refusal.to_string();
                assert!(!text.contains('\n') && !text.contains("copy"), "{round}: {text}");
                told += 1;
            }
            Err(other) => panic!("{round}: {other:?}"),
        }
    }
    assert!(told > 150, "{told} of 200");
}

#[test]
fn a_badly_damaged_file_is_said_to_be_damaged_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lexchat.db");
    let settings = Settings { path: path.clone(), missing: Missing::CreateDemo, readers_max: 1 };
    Db::open(&settings).unwrap().writer.close().unwrap();
    let sound = std::fs::read(&path).unwrap();
    for what in ["the first page", "the schema's text", "every page but the first", "the end"] {
        let mut bytes = sound.clone();
        match what {
            "the first page" => bytes[200..4096].fill(0xa5),
            "the schema's text" => {
                for at in 0..bytes.len() - 12 {
                    if &bytes[at..at + 12] == b"CREATE TABLE" {
                        bytes[at..at + 12].copy_from_slice(b"CREATE TABXE");
                    }
                }
            }
            "the end" => bytes.truncate(4096 * 3),
            _ => bytes[4096..].fill(0x5a),
        }
        std::fs::write(&path, bytes).unwrap();
        match check(&path) {
            Ok(report) => assert!(!report.faults.is_empty(), "{what}"),
            Err(refusal @ CopyError::Corrupt { .. }) => {
                let text = refusal.to_string();
                assert!(
                    text.contains("is damaged") && !text.contains('\n') && !text.contains("copy"),
                    "{what}: {text}"
                );
            }
            Err(other) => panic!("{what}: {other}"),
        }
    }
}
