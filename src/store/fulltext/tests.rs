use tempfile::TempDir;

use super::*;
use crate::store::database::schema::{SCHEMA, SEED};
use crate::store::database::{pragmas, scratch};

fn open() -> Connection {
    let conn = scratch::open();
    let conversation = "INSERT INTO conversations (id, client_id, lawyer_id, active_at, created_at, updated_at) VALUES (1, 1, 6, 0, 0, 0)";
    conn.execute(conversation, []).unwrap();
    conn
}

fn say(conn: &Connection) {
    conn.execute(
        "INSERT INTO messages (conversation_id, sender_id, content, created_at, sent_rev, rev)
         SELECT 1, 1, 'un mot de plus', 0, 1 + count(*), 1 + count(*)
         FROM messages",
        [],
    )
    .unwrap();
}

fn segments(conn: &Connection) -> u32 {
    conn.query_row("SELECT count(DISTINCT segid) FROM message_words_idx", [], |row| row.get(0)).unwrap()
}

fn merged_by(conn: &Connection) -> u32 {
    conn.query_row("SELECT v FROM message_words_config WHERE k = 'usermerge'", [], |row| row.get(0)).unwrap()
}

fn hits(conn: &Connection) -> u32 {
    let count = "SELECT count(*) FROM message_words WHERE message_words MATCH 'plus'";
    conn.query_row(count, [], |row| row.get(0)).unwrap()
}

/// What the writer does each time that it catches up, in two transactions.
fn keep(indexer: &mut Indexer, conn: &Connection) {
    conn.execute_batch("BEGIN").unwrap();
    indexer.begin(conn).unwrap();
    indexer.catch_up(conn).unwrap();
    conn.execute_batch("COMMIT").unwrap();
    if indexer.wants_order() {
        conn.execute_batch("BEGIN").unwrap();
        indexer.put_in_order(conn).unwrap();
        conn.execute_batch("COMMIT").unwrap();
    }
}

#[test]
fn in_calm_times_there_are_never_many_pieces() {
    let conn = open();
    let mut indexer = Indexer::default();
    for _ in 0..100 {
        say(&conn);
        indexer.follow(&conn, 1).unwrap();
        keep(&mut indexer, &conn);
        assert!(segments(&conn) < 2 * SEGMENTS_TO_MERGE);
        assert!(indexer.segments < 2 * SEGMENTS_TO_MERGE, "it knows");
    }
    assert_eq!(hits(&conn), 100);
    for id in (1..=100).filter_map(MessageId::new) {
        indexer.remove(&conn, id).unwrap();
        conn.execute("UPDATE messages SET content = 'un mot de moins' WHERE id = ?1", [id]).unwrap();
        indexer.put_back(&conn, id).unwrap();
    }
    for _ in 0..5 {
        keep(&mut indexer, &conn);
    }
    assert!(segments(&conn) < 2 * SEGMENTS_TO_MERGE, "edits leave segments too");
    assert_eq!(hits(&conn), 0);
}

#[test]
fn what_a_rush_leaves_is_merged_step_by_step_once_it_is_over() {
    let conn = open();
    let mut indexer = Indexer::default();
    for _ in 0..100 {
        indexer.follow(&conn, LARGE_BATCH).unwrap();
        say(&conn);
        keep(&mut indexer, &conn);
    }
    assert_eq!(segments(&conn), 100, "all are left for later");
    for _ in 0..600 {
        indexer.follow(&conn, LARGE_BATCH).unwrap();
        say(&conn);
        keep(&mut indexer, &conn);
        assert!(segments(&conn) <= RUSH.segments + SEGMENTS_TO_MERGE, "even a rush without end leaves no more");
    }
    assert_eq!(merged_by(&conn), SEGMENTS_TO_MERGE_IN_A_RUSH);
    for _ in 0..CALM_AFTER {
        indexer.follow(&conn, 1).unwrap();
    }
    for _ in 0..20 {
        keep(&mut indexer, &conn);
    }
    assert!(segments(&conn) < 2 * SEGMENTS_TO_MERGE);
    assert_eq!(merged_by(&conn), SEGMENTS_TO_MERGE);
    assert_eq!(hits(&conn), 700);
    merge_by(&conn, SEGMENTS_TO_MERGE_IN_A_RUSH).unwrap();
    let mut after_a_kill = Indexer::default();
    keep(&mut after_a_kill, &conn);
    assert_eq!(merged_by(&conn), SEGMENTS_TO_MERGE, "a rush that the program was killed in is over");
}

#[test]
fn once_all_is_in_order_nothing_is_written() {
    let conn = open();
    let mut indexer = Indexer::default();
    say(&conn);
    for _ in 0..3 {
        keep(&mut indexer, &conn);
    }
    let before = conn.total_changes();
    keep(&mut indexer, &conn);
    assert_eq!(conn.total_changes(), before);
}

#[test]
fn an_index_that_is_far_behind_is_completed_in_steps_that_can_be_cut_off() {
    let mut conn = open();
    conn.execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n <= ?1)
         INSERT INTO messages (conversation_id, sender_id, content, created_at, sent_rev, rev)
         SELECT 1, 1, 'un mot de plus', 0, n, n FROM n",
        [FAR_BEHIND],
    )
    .unwrap();
    complete(&mut conn, |_| Ok(())).unwrap();
    assert!(!is_behind(&conn).unwrap());
    assert_eq!(i64::from(hits(&conn)), FAR_BEHIND + 1);
    assert!(segments(&conn) < 2 * SEGMENTS_TO_MERGE + 16);
}

#[test]
fn a_word_that_a_page_begins_with_goes_with_its_message() {
    let conn = open();
    conn.execute_batch("INSERT INTO message_words (message_words, rank) VALUES ('pgsz', 64)").unwrap();
    let mut indexer = Indexer::default();
    for number in 0..20 {
        let content = format!("{:04}", number * 7919 % 10_000);
        conn.execute(
            "INSERT INTO messages (conversation_id, sender_id, content, created_at, sent_rev, rev)
             VALUES (1, 1, ?1, 0, 1 + ?2, 1 + ?2)",
            rusqlite::params![content, number],
        )
        .unwrap();
        indexer.catch_up(&conn).unwrap();
    }
    merge_by(&conn, 2).unwrap();
    for _ in 0..10 {
        conn.execute_batch("INSERT INTO message_words (message_words, rank) VALUES ('merge', 1)").unwrap();
    }
    let whole_words = || {
        let mut keys = conn
            .prepare("SELECT m.id FROM message_words_idx k JOIN messages m ON k.term = CAST('0' || m.content AS BLOB)")
            .unwrap();
        let ids = keys.query_map([], |row| row.get(0)).unwrap();
        ids.collect::<rusqlite::Result<Vec<MessageId>>>().unwrap()
    };
    let ids = whole_words();
    assert!(!ids.is_empty(), "no page begins with a whole word: this is no test");
    for id in ids {
        indexer.remove(&conn, id).unwrap();
    }
    indexer.follow(&conn, 1).unwrap();
    assert_eq!(whole_words(), []);
}

/// A database whose file can be looked into.
struct Rush {
    folder: TempDir,
    conn: Connection,
    indexer: Indexer,
}

impl Rush {
    /// One that has gone on for so long that segments were merged, and that is not over. Forty messages of each segment, one
    /// of which has the word that is looked for.
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let conn = Connection::open(folder.path().join("lexchat.db")).unwrap();
        pragmas::set_up(&conn).unwrap();
        conn.execute_batch(SCHEMA).unwrap();
        conn.execute_batch(SEED).unwrap();
        let conversation = "INSERT INTO conversations (id, client_id, lawyer_id, active_at, created_at, updated_at) VALUES (1, 1, 6, 0, 0, 0)";
        conn.execute(conversation, []).unwrap();
        let mut rush = Self { folder, conn, indexer: Indexer::default() };
        for _ in 0..i64::from(RUSH.segments) + 40 {
            rush.conn
                .execute(
                    "WITH RECURSIVE n (n) AS (SELECT 1 + count(*) FROM messages UNION ALL SELECT n + 1 FROM n WHERE n % 40 > 0)
                     INSERT INTO messages (conversation_id, sender_id, content, created_at, sent_rev, rev)
                     SELECT 1, 1, iif(n % 40 = 0, 'zanzibar', hex(n * 7919) || ' ' || hex(n * 104729) || ' ' || hex(n * 1299709)), 0, n, n
                     FROM n",
                    [],
                )
                .unwrap();
            rush.indexer.follow(&rush.conn, LARGE_BATCH).unwrap();
            keep(&mut rush.indexer, &rush.conn);
        }
        rush
    }

    /// Takes all messages with the word away; what comes behind that is left to the caller.
    fn delete(&mut self) {
        let ids: Vec<i64> = {
            let mut ids = self.conn.prepare("SELECT id FROM messages WHERE content = 'zanzibar'").unwrap();
            ids.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
        };
        self.indexer.begin(&self.conn).unwrap();
        for id in ids.into_iter().filter_map(MessageId::new) {
            self.indexer.remove(&self.conn, id).unwrap();
            self.conn.execute("UPDATE messages SET content = '' WHERE id = ?1", [id]).unwrap();
        }
    }

    /// The same with what the writer does behind it, after which the word is to be nowhere any more.
    fn delete_for_good(&mut self) {
        self.delete();
        assert!(self.occurrences() > 0, "nothing was left: this is no test");
        self.indexer.follow(&self.conn, LARGE_BATCH).unwrap();
        assert_eq!(self.occurrences(), 0);
    }

    /// How often the word stands in the file.
    fn occurrences(&self) -> usize {
        self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        let bytes = std::fs::read(self.folder.path().join("lexchat.db")).unwrap();
        bytes.windows(8).filter(|here| here == b"zanzibar").count()
    }
}

#[test]
fn what_is_deleted_in_a_rush_is_in_no_page_that_merging_left() {
    let mut rush = Rush::new();
    assert_eq!(rush.indexer.free_pages, FreePages::Left);
    assert!(free_pages::count(&rush.conn).unwrap() <= free_pages::FEW);
    rush.delete_for_good();
}

#[test]
fn nor_is_it_after_the_batch_was_lost_or_the_program_killed() {
    let mut lost = Rush::new();
    lost.conn.execute_batch("BEGIN").unwrap();
    lost.delete();
    lost.indexer.follow(&lost.conn, LARGE_BATCH).unwrap();
    lost.conn.execute_batch("ROLLBACK").unwrap();
    lost.indexer.forget();
    let mut killed = Rush::new();
    killed.indexer = Indexer::default();
    for mut rush in [lost, killed] {
        rush.delete_for_good();
    }
}

#[test]
fn a_rush_that_is_over_leaves_no_page_as_it_was() {
    let mut rush = Rush::new();
    for _ in 0..CALM_AFTER {
        rush.indexer.follow(&rush.conn, 1).unwrap();
    }
    keep(&mut rush.indexer, &rush.conn);
    assert_eq!(rush.indexer.free_pages, FreePages::Overwritten);
    for _ in 0..100 {
        keep(&mut rush.indexer, &rush.conn);
    }
    assert_eq!(rush.indexer.free_pages, FreePages::Overwritten, "merging in calm times leaves some");
    rush.delete();
    assert_eq!(rush.occurrences(), 0);
}

#[test]
fn where_many_pages_are_free_merging_overwrites_them() {
    let mut rush = Rush::new();
    rush.conn.execute_batch("CREATE TABLE files (bytes BLOB); INSERT INTO files VALUES (zeroblob(8 << 20))").unwrap();
    rush.conn.execute_batch("DROP TABLE files").unwrap();
    rush.indexer.follow(&rush.conn, LARGE_BATCH).unwrap();
    assert_eq!(rush.indexer.free_pages, FreePages::Overwritten, "what was left is not to be lost among them");
    for _ in 0..SEGMENTS_TO_MERGE_IN_A_RUSH {
        say(&rush.conn);
        keep(&mut rush.indexer, &rush.conn);
    }
    assert_eq!(rush.indexer.free_pages, FreePages::Overwritten);
}
