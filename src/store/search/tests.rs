use rusqlite::StatementStatus;

use super::terms::INDEXED_START;
use super::*;
use crate::store::database::scratch;
use crate::store::fulltext::Indexer;

fn filled() -> Connection {
    let conn = scratch::open();
    conn.execute_batch(
        "INSERT INTO conversations (id, client_id, lawyer_id, active_at, created_at, updated_at)
         VALUES (1, 1, 6, 0, 0, 0), (2, 2, 6, 0, 0, 0);
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 500)
         INSERT INTO messages (conversation_id, sender_id, content, created_at, sent_rev, rev)
         SELECT 1 + n % 2, 1 + n % 2,
           CASE WHEN n = 41 THEN 'Vandenbroucke' WHEN n % 2 = 1 THEN 'secret' ELSE 'un mot' END, 1000 * n, n, n
         FROM n;",
    )
    .unwrap();
    Indexer::default().catch_up(&conn).unwrap();
    conn
}

fn asked(member: i64, word: &str) -> Question {
    let phrase = Phrase { words: word.to_owned(), is_prefix: false };
    Question {
        member: UserId::new(member).unwrap(),
        other: None,
        all: vec![Term { any: vec![vec![phrase]] }],
        none: Vec::new(),
        sender_id: None,
        from: None,
        to: None,
        has_file: false,
        before: None,
        limit: 20,
    }
}

/// What is found where time does not matter.
fn all(conn: &Connection, question: &Question) -> Vec<Found> {
    let listed = list(conn, question, Duration::from_secs(100)).unwrap();
    assert_eq!(listed.rest, None);
    listed.found
}

/// What the index finds by itself.
fn indexed(conn: &Connection, question: &Question) -> Vec<Found> {
    let mut look = Look::begin(conn, question, Duration::from_secs(100)).unwrap();
    look.go_back(&Aim { all: &question.all, needles: None, reads_max: None, has_ranges: false }).unwrap();
    look.found
}

/// Steps of SQLite's machine that a search takes, and what it finds.
fn steps(conn: &Connection, question: &Question) -> (i32, Vec<i64>) {
    let mut statement = conn.prepare(SEARCH).unwrap();
    let parameters = named_params! {
        ":expression": expression(question, &question.all, Some(0..=0)), ":reads": false, ":first": 0,
        ":end": i64::MAX, ":member": question.member, ":other": question.member,
    };
    let found = statement.query_map(parameters, |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    (statement.get_status(StatementStatus::VmStep), found)
}

#[test]
fn a_foreign_word_costs_what_a_missing_one_costs() {
    let conn = filled();
    let phrase = |words: String, is_prefix| vec![Phrase { words, is_prefix }];
    let term = |any| Question { all: vec![Term { any }], ..asked(1, "") };
    let shapes = |word: &str| {
        let plain = asked(1, word);
        let without = Term { any: vec![phrase(word.to_owned(), false)] };
        [
            term(vec![phrase(word.to_owned(), true)]),
            term(vec![phrase(format!("un {word}"), false)]),
            term(vec![phrase("mot".to_owned(), false), phrase(word.to_owned(), false)]),
            Question { none: vec![without], ..asked(1, "mot") },
            Question { other: UserId::new(6), ..plain.clone() },
            Question { sender_id: UserId::new(6), ..plain.clone() },
            Question { has_file: true, ..plain.clone() },
            plain,
        ]
    };
    let missing = shapes("vandenbrouckx").map(|question| steps(&conn, &question));
    assert_eq!(missing.each_ref().map(|(_, found)| found.len()), [0, 0, 250, 250, 0, 0, 0, 0]);
    for foreign in ["vandenbroucke", "secret"] {
        let questions = shapes(foreign);
        for question in &questions {
            assert!(expression(question, &question.all, None).trim_start_matches('(').starts_with("\"\u{100001}\""));
        }
        assert_eq!(questions.map(|question| steps(&conn, &question)), missing, "{foreign}");
    }
    assert_eq!(all(&conn, &asked(2, "vandenbroucke")).len(), 1);
}

fn prefix(words: &str) -> Phrase {
    Phrase { words: words.to_owned(), is_prefix: true }
}

fn word(words: &str) -> Phrase {
    Phrase { words: words.to_owned(), is_prefix: false }
}

#[test]
fn what_is_read_in_the_messages_is_what_the_index_finds() {
    let conn = filled();
    let schema: String =
        conn.query_row("SELECT sql FROM sqlite_schema WHERE name = 'message_words'", [], |row| row.get(0)).unwrap();
    assert!(schema.contains(&format!("{INDEXED_START}',")), "the longest beginning with an index");
    conn.execute_batch(
        "INSERT INTO messages (conversation_id, sender_id, content, created_at, sent_rev, rev)
         SELECT 1, 1, 'Contrat n° ' || id || ', « Bail commercial »', 600000, 1000 + id, 1000 + id FROM messages
         WHERE id <= 40;
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1100)
         INSERT INTO messages (conversation_id, sender_id, content, created_at, sent_rev, rev)
         SELECT 1, 1, 'continuer la vente du bail', 700000, 2000 + n, 2000 + n FROM n;
         INSERT INTO messages (conversation_id, sender_id, content, created_at, sent_rev, rev)
         VALUES (1, 1, 'le dossier de fin du mois est signé ce jour', 800000, 4001, 4001),
           (1, 1, 'le dossier de fin du mois, est signé ce jour-là', 800000, 4002, 4002),
           (1, 1, 'le dossier de fin du mois est signé ce soir', 800000, 4003, 4003);",
    )
    .unwrap();
    while crate::store::fulltext::is_behind(&conn).unwrap() {
        Indexer::default().catch_up(&conn).unwrap();
    }
    let term = |phrases: &[Phrase]| Term { any: phrases.iter().map(|phrase| vec![phrase.clone()]).collect() };
    let words = |all: &str| all.split(' ').map(|one| term(&[word(one)])).collect::<Vec<_>>();
    for (terms, count) in [
        (vec![term(&[prefix("contrat")])], 40),
        (vec![term(&[prefix("conti")])], 50),
        (vec![term(&[prefix("contenu")])], 0),
        (vec![term(&[prefix("commer"), word("vente")])], 50),
        (vec![term(&[prefix("bail commer")])], 40),
        (vec![term(&[prefix("bail vente")])], 0),
        (vec![term(&[prefix("contrat n")]), term(&[word("bail")])], 40),
        (vec![term(&[word("dossier de fin du mois est signe ce")])], 3),
        (vec![term(&[word("dossier de fin du mois est signe ce jour")])], 2),
        (vec![term(&[prefix("dossier de fin du mois est signe ce so")])], 1),
        (vec![term(&[word("dossier de fin du mois est signe ce matin")])], 0),
        (vec![term(&[word("dossier de fin du mois est signe ce matin"), word("ce soir")]), term(&[word("le")])], 1),
        (words("continuer la vente du bail continuer"), 50),
        (words("la la du du vente vente bail mot"), 0),
        (words("contrat n 7 bail commercial contrat"), 1),
        (words("contrat n 7 bail commercial vente"), 0),
    ] {
        for before in [None, Some(520)] {
            let question = Question { all: terms.clone(), before, limit: 50, ..asked(1, "") };
            let expected = indexed(&conn, &question);
            assert_eq!(all(&conn, &question), expected, "{terms:?} before {before:?}");
            assert!(before.is_some() || expected.len() == count, "{terms:?}: {}", expected.len());
        }
    }
}

#[test]
fn a_look_whose_time_is_over_is_taken_up_where_it_ended() {
    let conn = filled();
    conn.execute_batch(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1300)
         INSERT INTO messages (id, conversation_id, sender_id, content, created_at, sent_rev, rev)
         SELECT id + n, 1, CASE WHEN n % 3 = 0 THEN 6 ELSE 1 END, content, 600000, id + n, id + n
         FROM n, (SELECT 32000 AS id, 'un mot rare' AS content UNION ALL SELECT 98000, 'un mot, deux mots')
         ORDER BY 1;",
    )
    .unwrap();
    while crate::store::fulltext::is_behind(&conn).unwrap() {
        Indexer::default().catch_up(&conn).unwrap();
    }
    let words = |all: &str| all.split(' ').map(|one| Term { any: vec![vec![word(one)]] }).collect::<Vec<_>>();
    for (wanted, unwanted, sender, count) in [
        ("mot", "", None, 2850),
        ("rare", "", None, 1300),
        ("deux", "", UserId::new(6), 433),
        ("rare deux", "", None, 0),
        ("un mot", "deux", None, 1550),
        ("mot mot mot un un deux", "", None, 1300),
    ] {
        let none = if unwanted.is_empty() { Vec::new() } else { words(unwanted) };
        let mut question = Question { all: words(wanted), none, sender_id: sender, limit: 10_000, ..asked(1, "") };
        let expected = indexed(&conn, &question);
        assert_eq!((all(&conn, &question), expected.len()), (expected.clone(), count), "{wanted}");
        let (mut found, mut looks) = (Vec::new(), 0);
        loop {
            let listed = list(&conn, &question, Duration::ZERO).unwrap();
            found.extend(listed.found);
            looks += 1;
            let Some(rest) = listed.rest else { break };
            assert!(question.before.is_none_or(|before| rest < before), "each one comes further");
            question.before = Some(rest);
        }
        assert_eq!(found, expected, "{wanted}");
        assert!(looks >= 4, "{looks} looks for {wanted}");
    }
}

#[test]
fn a_look_goes_as_far_at_once_as_there_is_time_for() {
    let millis = Duration::from_millis;
    for (ranges, took, left, next) in [
        (1, millis(1), millis(7), 2),
        (2, millis(1), millis(7), 4),
        (8, millis(1), millis(7), 8),
        (1, millis(3), millis(5), 1),
        (4, millis(6), millis(2), 1),
        (1, millis(9), millis(0), 0),
        (1, millis(5), millis(3), 0),
        (2, Duration::ZERO, millis(8), 4),
    ] {
        assert_eq!(next_ranges(ranges, took, left), next, "{ranges} in {took:?}, {left:?} left");
    }
}

#[test]
fn a_span_of_time_is_a_span_of_ids() {
    let conn = filled();
    for (millis, first) in [(0, 0), (1, 0), (1000, 0), (1001, 2), (2000, 2), (500_000, 500), (500_001, 501)] {
        let found = first_since(&conn, 500, millis).unwrap();
        assert!(found == first || (first == 0 && found <= 1), "{millis}: {found}");
    }
    let span = |from, to| {
        let (from, to) = (Some(Timestamp::from_millis(from)), Some(Timestamp::from_millis(to)));
        all(&conn, &Question { from, to, limit: 500, ..asked(1, "mot") }).len()
    };
    assert_eq!((span(2000, 2000), span(2001, 3999), span(2000, 4000), span(0, 999)), (1, 0, 2, 0));
}

#[test]
fn only_what_one_person_said_is_found_and_nothing_of_strangers() {
    let conn = filled();
    let by = |sender| {
        let sender_id = UserId::new(sender);
        all(&conn, &Question { sender_id, limit: 500, ..asked(1, "mot") }).len()
    };
    assert_eq!((by(1), by(6), by(2), by(9)), (250, 0, 0, 0));
}
