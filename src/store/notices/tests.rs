use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::store::database::scratch;

const JURISTE: i64 = 6;

/// A juriste with so many more conversations, in each of which something is unread.
fn open(more: u32) -> Connection {
    let conn = scratch::open();
    conn.execute_batch(&format!(
        "WITH RECURSIVE n (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM n WHERE n < 1000 + {more})
         INSERT INTO users (id, name, email, password_hash, role, created_at, updated_at)
         SELECT n, 'Personne', 'personne' || n || '@example.org', 'x', 'client', 0, 0
         FROM n;
         INSERT INTO conversations (id, client_id, lawyer_id, rev, lawyer_unread, active_at, created_at, updated_at)
         SELECT id, id, {JURISTE}, 1, 1, 0, 0, 0
         FROM users
         WHERE id >= 1000;
         INSERT INTO messages (id, conversation_id, sender_id, sent_rev, rev, content, created_at)
         SELECT id, id, id, 1, 1, 'Bonjour', 0
         FROM users
         WHERE id >= 1000;
         UPDATE conversations SET last_message_id = id WHERE id >= 1000;"
    ))
    .unwrap();
    conn
}

/// The steps of SQLite's machine that something takes.
fn steps<T>(conn: &mut Connection, run: impl FnOnce(&Connection) -> T) -> (T, u32) {
    let count = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&count);
    let count_one = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    conn.progress_handler(1, Some(count_one)).unwrap();
    let done = run(conn);
    conn.progress_handler(0, None::<fn() -> bool>).unwrap();
    (done, count.load(Ordering::Relaxed))
}

#[test]
fn what_is_asked_of_one_conversation_costs_the_same_however_many_there_are() {
    let user_id = UserId::new(JURISTE).unwrap();
    let costs = [1, 500].map(|more| {
        let (one, message_id) = (ConversationId::new(1000 + i64::from(more)), MessageId::new(1000 + i64::from(more)));
        let mut conn = open(more);
        let (untold, listed) = steps(&mut conn, |conn| list_untold(conn, user_id, one, MarkChannel::Push).unwrap());
        assert_eq!(untold.iter().map(|one| one.conversation_id).collect::<Vec<_>>(), [one.unwrap()]);
        let (is, asked) = steps(&mut conn, |conn| is_unread(conn, user_id, one, message_id).unwrap());
        assert!(is);
        (listed, asked)
    });
    assert_eq!(costs[0], costs[1]);
}

#[test]
fn without_a_conversation_all_of_somebody_are_asked() {
    let (conn, user_id) = (open(3), UserId::new(JURISTE).unwrap());
    let all = list_untold(&conn, user_id, None, MarkChannel::Email).unwrap();
    let ids: Vec<_> = (1000..=1003).filter_map(ConversationId::new).collect();
    assert_eq!(all.iter().map(|one| one.conversation_id).collect::<Vec<_>>(), ids);
    assert!(is_unread(&conn, user_id, None, None).unwrap());
    let client = UserId::new(1001).unwrap();
    assert_eq!(list_untold(&conn, client, None, MarkChannel::Email).unwrap(), [], "it is their own");
    assert!(!is_unread(&conn, client, None, None).unwrap());
}
