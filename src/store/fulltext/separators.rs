//! Separator keys of the full-text index: where each page of a segment begins.
//!
//! FTS5 keeps one for each page that has a term (`message_words_idx`): beyond all terms of the page before, and not beyond
//! the page's own first one. It takes as much of that first term as it needs, and all of it where a step of merging begins,
//! and leaves the key as it is when the term goes. Here what is left of such a term goes as well: the key becomes as much of
//! the next living term as sets it apart, which is between the same two pages.
//!
//! A key begins with a byte that tells its index: `0` that of the terms, `1` and `2` those of what they begin with (`prefix` in
//! the schema). See "FTS5 Data Structures" in <https://sqlite.org/fts5.html>.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, named_params};

/// The terms that FTS5 makes of a text that was folded already.
pub(super) fn terms(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric()).filter(|term| !term.is_empty())
}

/// Takes out of the keys what stands in them of terms that are in no message any more. Those that still are may be among
/// them. All keys are looked at, however few terms there are: few begin one, and only those are asked about.
///
/// # Errors
/// When SQLite fails.
pub(super) fn forget(conn: &Connection, terms: &BTreeSet<String>) -> rusqlite::Result<()> {
    if terms.is_empty() {
        return Ok(());
    }
    conn.execute_batch(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.message_terms USING fts5vocab (main, message_words, instance)",
    )?;
    let terms: Vec<&[u8]> = terms.iter().map(String::as_bytes).collect();
    let begins_one = |start: &[u8]| {
        let next = terms.partition_point(|term| *term < start);
        !start.is_empty() && terms.get(next).is_some_and(|term| term.starts_with(start))
    };
    let mut found: Vec<(i64, Vec<u8>)> = Vec::new();
    let mut keys = conn.prepare_cached("SELECT segid, term FROM message_words_idx")?;
    let mut rows = keys.query([])?;
    while let Some(row) = rows.next()? {
        let key = row.get_ref(1)?.as_blob()?;
        if key.split_first().is_some_and(|(_, start)| begins_one(start)) {
            found.push((row.get(0)?, key.to_vec()));
        }
    }
    found.iter().try_for_each(|(segment, key)| clear(conn, *segment, key))
}

/// Puts another key in the place of one that no living term begins with.
fn clear(conn: &Connection, segment: i64, key: &[u8]) -> rusqlite::Result<()> {
    let Some((index, start)) = key.split_first() else { return Ok(()) };
    let next = first_from(conn, start)?;
    if !next.as_ref().is_some_and(|next| next.starts_with(start)) {
        replace(conn, segment, key, &key_of(*index, start, next.as_deref()))?;
    }
    Ok(())
}

/// A key beyond all that begins with `start`, and not beyond the next living term: the next index where there is none.
fn key_of(index: u8, start: &[u8], next: Option<&[u8]>) -> Vec<u8> {
    match next {
        Some(next) => [&[index], &next[..=shared(start, next)]].concat(),
        None => vec![index + 1],
    }
}

/// Puts one key in the place of another. Of a page that was merged already the key may have no place any more, and goes.
fn replace(conn: &Connection, segment: i64, old: &[u8], new: &[u8]) -> rusqlite::Result<()> {
    let changed = conn
        .prepare_cached(
            "UPDATE message_words_idx
             SET term = :new
             WHERE segid = :segment
               AND term = :old
               AND NOT EXISTS (
                 SELECT 1 FROM message_words_idx WHERE segid = :segment AND term > :old AND term <= :new
               )",
        )?
        .execute(named_params! { ":segment": segment, ":old": old, ":new": new })?;
    if changed == 0 {
        conn.prepare_cached("DELETE FROM message_words_idx WHERE segid = :segment AND term = :old")?
            .execute(named_params! { ":segment": segment, ":old": old })?;
    }
    Ok(())
}

/// The first term from there on that is in the index.
fn first_from(conn: &Connection, from: &[u8]) -> rusqlite::Result<Option<Vec<u8>>> {
    // It may end within a character, so it is no text yet.
    conn.prepare_cached(
        "SELECT term
         FROM temp.message_terms
         WHERE term >= CAST(:from AS TEXT)
         ORDER BY term
         LIMIT 1",
    )?
    .query_row(named_params! { ":from": from }, |row| Ok(row.get_ref(0)?.as_bytes()?.to_vec()))
    .optional()
}

/// How many bytes two terms begin with in common.
fn shared(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rusqlite::params;

    use super::*;
    use crate::store::database::scratch;

    /// An index alone, of small pages, with messages of words that often begin alike.
    struct Index {
        conn: Connection,
        messages: BTreeMap<i64, Vec<String>>,
        drawn: u64,
    }

    impl Index {
        fn new() -> Self {
            let conn = scratch::open();
            conn.execute_batch("INSERT INTO message_words (message_words, rank) VALUES ('pgsz', 64)").unwrap();
            Self { conn, messages: BTreeMap::new(), drawn: 42 }
        }

        fn draw(&mut self, below: u64) -> usize {
            self.drawn = self.drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from((self.drawn >> 33) % below).unwrap()
        }

        fn word(&mut self) -> String {
            let length = 1 + self.draw(6);
            (0..length).map(|_| ["a", "b", "é", "è", "法", "7", "z"][self.draw(7)]).collect()
        }

        /// One segment more.
        fn say(&mut self, messages: usize) {
            self.conn.execute_batch("BEGIN").unwrap();
            let first = self.messages.last_key_value().map_or(1, |(last, _)| last + 1);
            for id in (first..).take(messages) {
                let words: Vec<_> = (0..=self.draw(3)).map(|_| self.word()).collect();
                let insert = "INSERT INTO message_words (rowid, terms) VALUES (?1, ?2 || ' u1')";
                self.conn.execute(insert, params![id, words.join(" ")]).unwrap();
                self.messages.insert(id, words);
            }
            self.conn.execute_batch("COMMIT").unwrap();
        }

        fn merge(&self, pages: usize) {
            let merge = "INSERT INTO message_words (message_words, rank) VALUES ('merge', ?1)";
            self.conn.execute(merge, [i64::try_from(pages).unwrap()]).unwrap();
        }

        /// Deletes all messages that have a word between two.
        fn delete(&mut self) -> BTreeSet<String> {
            let (from, to) = (self.word(), self.word());
            let is_meant = |_: &i64, words: &mut Vec<String>| words.iter().any(|word| (&from..&to).contains(&word));
            let deleted: Vec<_> = self.messages.extract_if(.., is_meant).collect();
            let delete = "INSERT INTO message_words (message_words, rowid, terms) VALUES ('delete', ?1, ?2 || ' u1')";
            self.conn.execute_batch("BEGIN").unwrap();
            for (id, words) in &deleted {
                self.conn.execute(delete, params![id, words.join(" ")]).unwrap();
            }
            self.conn.execute_batch("COMMIT").unwrap();
            deleted.into_iter().flat_map(|(_, words)| words).chain(["u1".to_owned()]).collect()
        }

        /// All keys; the first page of a segment has an empty one.
        fn keys(&self) -> Vec<(i64, Vec<u8>)> {
            let mut keys = self.conn.prepare("SELECT segid, term FROM message_words_idx WHERE term <> x''").unwrap();
            let rows = keys.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.collect::<rusqlite::Result<_>>().unwrap()
        }

        fn found(&self, question: &str) -> BTreeSet<i64> {
            let mut find =
                self.conn.prepare_cached("SELECT rowid FROM message_words WHERE message_words MATCH ?1").unwrap();
            let found = find.query_map([question], |row| row.get(0)).unwrap();
            found.collect::<rusqlite::Result<_>>().unwrap()
        }

        /// Looks whether each key is what a living term begins with, and whether each living term and beginning is found.
        fn check(&self) {
            self.conn.execute_batch("INSERT INTO message_words (message_words) VALUES ('integrity-check')").unwrap();
            let mut terms: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
            let mut beginnings: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
            for (id, words) in &self.messages {
                for word in words.iter().map(String::as_str).chain(["u1"]) {
                    terms.entry(word).or_default().insert(*id);
                    for length in [2, 3] {
                        beginnings.entry(word.chars().take(length).collect()).or_default().insert(*id);
                    }
                }
            }
            for (_, key) in self.keys() {
                let is_living = |term: &&str| term.as_bytes().starts_with(&key[1..]);
                assert!(key.len() == 1 || terms.keys().any(is_living), "{key:?} says what nobody says any more");
            }
            for (term, ids) in terms {
                assert_eq!(self.found(&format!("\"{term}\"")), ids, "{term}");
            }
            for (beginning, ids) in beginnings {
                assert!(ids.is_subset(&self.found(&format!("\"{beginning}\"*"))), "{beginning}…");
            }
        }
    }

    #[test]
    fn no_key_holds_what_is_in_no_message_any_more_and_everything_else_is_found() {
        let mut index = Index::new();
        let mut changed = 0;
        for _ in 0..40 {
            index.say(60);
            for _ in 0..index.draw(4) {
                let pages = 1 + index.draw(20);
                index.merge(pages);
            }
            for _ in 0..index.draw(5) {
                let terms = index.delete();
                let before = index.keys();
                forget(&index.conn, &terms).unwrap();
                changed += usize::from(index.keys() != before);
                index.check();
            }
        }
        assert!(changed > 25, "{changed} deletions left something in a key: this is no test");
    }

    #[test]
    fn terms_are_what_fts5_makes_of_a_text() {
        let conn = scratch::open();
        let text = "l'avenant 12.500,00 œuvre-été  法律 a_b (c) 50%";
        conn.execute("INSERT INTO message_words (rowid, terms) VALUES (1, ?1)", [text]).unwrap();
        conn.execute_batch("CREATE VIRTUAL TABLE temp.seen USING fts5vocab (main, message_words, row)").unwrap();
        let mut seen = conn.prepare("SELECT term FROM temp.seen").unwrap();
        let seen: BTreeSet<String> =
            seen.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap();
        assert_eq!(terms(text).map(str::to_owned).collect::<BTreeSet<_>>(), seen);
    }
}
