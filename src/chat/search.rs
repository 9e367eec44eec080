//! Finding what was said, in one's own conversations only.
//!
//! Accents and case do not matter; all words must be there; the last one also finds what begins with it, its ending
//! aside (`résilie` finds `Résiliation`); "quotes" hold words together; -minus leaves out. French elisions are looked
//! through: `l'avocat` finds `avocat`; `oeuvre` and `œuvre` are one word.

use crate::auth::actor::Actor;
use crate::chat::access;
use crate::chat::command::Command;
use crate::chat::error::{Error, Reason};
use crate::chat::execute::Chat;
use crate::chat::history;
use crate::chat::wire::SEARCH_LIMIT_MAX;
use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::locale::Text;
use crate::model::message::Hit;
use crate::model::timestamp::Timestamp;
use crate::store::messages::{self, View};
use crate::store::search::{self, Question, Term};
use crate::store::words;

/// Characters of a query.
const QUERY_MAX: usize = 500;

/// Words and phrases of a query that count; what comes after them is not looked for.
const TERMS_MAX: usize = 32;

/// Hits on a page whose asker did not say how many.
const LIMIT: i64 = 20;

/// What stands before an apostrophe without being a word of its own.
const ELIDED: [&str; 14] =
    ["l", "d", "j", "m", "t", "s", "n", "c", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "presqu"];

/// What French words end in when only their form changes; the longest first.
const ENDINGS: [&str; 7] = ["ees", "ee", "es", "er", "ez", "e", "s"];

/// Two letters written as one, and one by one: few keyboards have the former.
const LIGATURES: [(&str, &str); 6] = [("œ", "oe"), ("Œ", "Oe"), ("Œ", "OE"), ("æ", "ae"), ("Æ", "Ae"), ("Æ", "AE")];

/// Letters that a word keeps when its ending is cut off.
const STEM_MIN: usize = 5;

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Words; "a phrase"; -without. The last word also finds what begins with it.
    pub query: String,
    /// Only here.
    pub conversation_id: Option<ConversationId>,
    /// Only what they said.
    pub sender_id: Option<UserId>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
    /// 1…100; 20 when not given.
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// A page of what was found, newest first.
#[derive(Debug, Default)]
pub struct Found {
    /// The messages.
    pub results: Vec<Hit>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<String>,
}

impl Chat {
    /// Looks for messages, what was just said included. Marks nothing read.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND` (the conversation), `INVALID`.
    pub async fn search(&self, actor: Actor, search: Search) -> Result<Found, Error> {
        if self.ask(|conn, _now| Ok::<_, Error>(words::is_behind(conn)?)).await? {
            // While nothing can be written, what is indexed can still be searched.
            let _newest_missing = self.execute(Actor::System, Command::IndexWords).await;
        }
        self.ask(move |conn, now| find(conn, actor, &search, now)).await
    }
}

fn find(conn: &rusqlite::Connection, actor: Actor, search: &Search, now: Timestamp) -> Result<Found, Error> {
    let (me, other) = match search.conversation_id {
        None => (access::require_member(conn, actor, now)?.user_id, None),
        Some(id) => {
            let standing = access::require_standing(conn, actor, id, now)?;
            let me = standing.me.id;
            (me, Some(standing.conversation.members.peer_of(me)))
        }
    };
    let limit = check(search)?;
    let before = search.cursor.as_deref().map(read_cursor).transpose()?;
    let Terms { all, none } = Terms::read(&search.query);
    if all.is_empty() && none.is_empty() {
        return Ok(Found::default());
    }
    let (sender_id, from, to) = (search.sender_id, search.from, search.to);
    let question = Question { member: me, other, all, none, sender_id, from, to, before, limit: limit + 1 };
    let mut found = search::list(conn, &question)?;
    let mut has_more = found.len() > limit;
    found.truncate(limit);
    let mut results: Vec<Hit> = Vec::with_capacity(found.len());
    let mut bytes = 0;
    for one in found {
        let view = View { conversation_id: one.conversation_id, members: one.members, viewer_id: me };
        let message = messages::find(conn, view, one.id)?.ok_or(Reason::NotFound)?;
        bytes += history::json_bytes(&message);
        if bytes > history::PAGE_BYTES_MAX && !results.is_empty() {
            has_more = true;
            break;
        }
        results.push(Hit { message, snippet: one.snippet });
    }
    let next_cursor = results.last().filter(|_| has_more).map(|last| last.message.id.to_string());
    Ok(Found { results, next_cursor })
}

/// The number of hits wanted.
fn check(search: &Search) -> Result<usize, Error> {
    if search.query.contains('\0') || search.query.chars().nth(QUERY_MAX).is_some() {
        let french = format!("doit avoir au plus {QUERY_MAX} caractères, sans caractère nul");
        let english = format!("must have at most {QUERY_MAX} characters, without a null character");
        return Err(Error::invalid("query", Text::new(french, english)));
    }
    let limit = search.limit.unwrap_or(LIMIT);
    if !(1..=SEARCH_LIMIT_MAX).contains(&limit) {
        let french = format!("doit être entre 1 et {SEARCH_LIMIT_MAX}");
        let english = format!("must be between 1 and {SEARCH_LIMIT_MAX}");
        return Err(Error::invalid("limit", Text::new(french, english)));
    }
    Ok(usize::try_from(limit).unwrap_or(1))
}

fn read_cursor(cursor: &str) -> Result<MessageId, Error> {
    cursor.parse().map_err(|_| Error::invalid("cursor", Text::new("n'est pas valide", "is not valid")))
}

/// A query, taken apart.
#[derive(PartialEq, Eq, Debug, Default)]
struct Terms {
    all: Vec<Term>,
    none: Vec<Term>,
}

impl Terms {
    fn read(query: &str) -> Self {
        let mut terms = Self::default();
        let mut rest = query.trim();
        while !rest.is_empty() && terms.all.len() + terms.none.len() < TERMS_MAX {
            let (is_unwanted, start) = match rest.strip_prefix('-') {
                Some(after) => (true, after),
                None => (false, rest),
            };
            let (text, is_phrase, after) = match start.strip_prefix('"') {
                Some(quoted) => {
                    let (phrase, after) = quoted.split_once('"').unwrap_or((quoted, ""));
                    (phrase, true, after)
                }
                None => {
                    let end = start.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(start.len());
                    (&start[..end], false, &start[end..])
                }
            };
            rest = after.trim_start();
            let text = if is_phrase { text } else { without_elision(text) };
            let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
            if letters > 0 {
                let is_prefix = rest.is_empty() && !is_phrase && !is_unwanted && letters > 1;
                let text = if is_prefix { without_ending(text) } else { text };
                let term = Term { spellings: spellings(text), is_prefix };
                if is_unwanted { terms.none.push(term) } else { terms.all.push(term) }
            }
        }
        terms
    }
}

/// `cœur` and `coeur` for either.
fn spellings(text: &str) -> Vec<String> {
    let joined = LIGATURES.iter().fold(text.to_owned(), |text, (one, two)| text.replace(two, one));
    let apart = LIGATURES.iter().fold(text.to_owned(), |text, (one, two)| text.replace(one, two));
    let mut spellings = vec![text.to_owned()];
    spellings.extend([joined, apart].into_iter().filter(|other| other != text));
    spellings
}

/// `avocat` for `l'avocat`; `aujourd'hui` as it is.
fn without_elision(word: &str) -> &str {
    match word.split_once(['\'', '’', 'ʼ']) {
        Some((before, after)) if ELIDED.iter().any(|elided| elided.eq_ignore_ascii_case(before)) => after,
        _ => word,
    }
}

/// `résili` for `résilié`: what a word of some length begins with in all its forms.
fn without_ending(word: &str) -> &str {
    let plain: String = word.chars().map(|c| if matches!(c, 'é' | 'É' | 'è' | 'È') { 'e' } else { c }).collect();
    let plain = plain.to_lowercase();
    for ending in ENDINGS {
        if plain.ends_with(ending) {
            let kept = word.chars().count() - ending.len();
            let end = word.char_indices().nth(kept).map_or(word.len(), |(end, _)| end);
            return if kept >= STEM_MIN { &word[..end] } else { word };
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::{DeleteMessage, EditMessage};
    use crate::chat::trial::Trial;

    fn word(text: &str) -> Term {
        Term { spellings: spellings(text), is_prefix: false }
    }

    fn start(text: &str) -> Term {
        Term { spellings: spellings(text), is_prefix: true }
    }

    #[test]
    fn a_query_is_words_phrases_and_what_must_not_be_there() {
        for (query, all, none) in [
            ("contrat", vec![start("contrat")], vec![]),
            ("  contrat   bail ", vec![word("contrat"), start("bail")], vec![]),
            ("\"mise en demeure\" bail", vec![word("mise en demeure"), start("bail")], vec![]),
            ("bail \"mise en", vec![word("bail"), word("mise en")], vec![]),
            ("bail -meublé", vec![word("bail")], vec![word("meublé")]),
            ("-\"deux mots\" un", vec![start("un")], vec![word("deux mots")]),
            ("l'avocat", vec![start("avocat")], vec![]),
            ("d’accord qu'il", vec![word("accord"), start("il")], vec![]),
            ("aujourd'hui", vec![start("aujourd'hui")], vec![]),
            ("l'", vec![], vec![]),
            ("- -- \" \" '' 👍", vec![], vec![]),
            ("a", vec![word("a")], vec![]),
            ("rendez-vous", vec![start("rendez-vou")], vec![]),
            ("resilie", vec![start("resili")], vec![]),
            ("RÉSILIÉES", vec![start("RÉSILI")], vec![]),
            ("vente", vec![start("vente")], vec![]),
            ("clauses pénales", vec![word("clauses"), start("pénal")], vec![]),
            ("ab\"cd\"ef", vec![word("ab"), word("cd"), start("ef")], vec![]),
        ] {
            assert_eq!(Terms::read(query), Terms { all, none }, "{query}");
        }
    }

    /// Says these things between client 1 and juriste 6, and tells what a query of client 1 finds.
    fn found(said: &[&str], query: &str) -> Vec<(String, String)> {
        let mut trial = Trial::default();
        let client = trial.actor(1);
        let conversation = trial.conversation(client, 6);
        for text in said {
            trial.say(client, conversation, text);
        }
        let search = Search { query: query.to_owned(), ..Search::default() };
        words::Keeper::default().catch_up(&trial.conn).unwrap();
        let found = find(&trial.conn, client, &search, Timestamp::now()).unwrap();
        found.results.into_iter().map(|hit| (hit.message.content, hit.snippet)).collect()
    }

    #[test]
    fn accents_case_and_endings_do_not_matter() {
        for (text, query) in [
            ("Résiliation du bail", "resilie"),
            ("Résiliation du bail", "resili"),
            ("RÉSILIATION", "résil"),
            ("l'avocat du client", "avocat"),
            ("un avocat", "l'avocat"),
            ("c’est d’accord", "d'accord"),
            ("Œuvre posthume", "œuvre"),
            ("Œuvre posthume", "oeuvre"),
            ("OEUVRE posthume", "œuvre"),
            ("curriculum vitæ du curateur", "\"curriculum vitae\""),
            ("le nœud de la poésie", "noeud poésie"),
            ("aujourd'hui", "aujourd’hui"),
            ("e\u{301}te\u{301}", "été"),
            ("le n° 42-b", "42-b"),
        ] {
            assert_eq!(found(&[text, "autre chose"], query).len(), 1, "{query} in {text}");
        }
    }

    #[test]
    fn a_ligature_and_its_letters_are_looked_for_together() {
        assert_eq!(spellings("cœur"), ["cœur", "coeur"]);
        assert_eq!(spellings("vœu poétique"), ["vœu poétique", "voeu poétique"]);
        assert_eq!(spellings("COEUR"), ["COEUR", "CŒUR"]);
        assert_eq!(spellings("bail"), ["bail"]);
    }

    #[test]
    fn hits_are_marked_and_the_newest_comes_first() {
        let hits = found(&["un bail", "rien", "le Bail commercial"], "bail");
        let snippets: Vec<&str> = hits.iter().map(|(_, snippet)| snippet.as_str()).collect();
        assert_eq!(snippets, ["le ⟦Bail⟧ commercial", "un ⟦bail⟧"]);
    }

    #[test]
    fn phrases_hold_together_and_minus_leaves_out() {
        let said = ["mise en demeure", "demeure en mise", "mise en demeure du bailleur"];
        assert_eq!(found(&said, "\"mise en demeure\"").len(), 2);
        assert_eq!(found(&said, "mise -bailleur").len(), 2);
        assert_eq!(found(&said, "-bailleur").len(), 2);
        assert_eq!(found(&said, "u1").len(), 0);
    }

    #[test]
    fn no_character_of_a_query_is_an_operator() {
        let said = ["un texte", "deux textes"];
        for query in [
            "\"",
            "\"\"",
            "*",
            "te*te",
            "NEAR(un texte)",
            "members:u6",
            "members : u6",
            "content:un",
            "un OR deux",
            "(",
            ")",
            "^un",
            "{a b}: c",
            "+",
            "un + deux",
            "\\",
            "%",
            "';--",
            "un AND",
            "NOT",
            "-",
            "\u{feff}",
            "Ⓐ",
            "\u{301}",
        ] {
            let _no_error = found(&said, query);
        }
        assert_eq!(found(&said, "un OR deux").len(), 0);
        assert_eq!(found(&said, "u6").len(), 0);
    }

    #[test]
    fn only_ones_own_conversations_are_searched() {
        let mut trial = Trial::default();
        let (one, two, juriste) = (trial.actor(1), trial.actor(2), trial.actor(6));
        let first = trial.conversation(one, 6);
        let second = trial.conversation(two, 6);
        trial.say(one, first, "secret commun");
        trial.say(two, second, "secret commun");
        words::Keeper::default().catch_up(&trial.conn).unwrap();
        let search = |conversation_id| Search { query: "secret".to_owned(), conversation_id, ..Search::default() };
        let count = |actor, conversation_id| {
            find(&trial.conn, actor, &search(conversation_id), Timestamp::now()).map(|found| found.results.len())
        };
        assert_eq!(count(one, None).unwrap(), 1);
        assert_eq!(count(juriste, None).unwrap(), 2);
        assert_eq!(count(juriste, Some(second)).unwrap(), 1);
        assert_eq!(count(one, Some(second)).unwrap_err().reason, Reason::NotFound);
        assert_eq!(count(trial.actor(11), None).unwrap(), 0);
    }

    #[test]
    fn ones_own_few_are_found_behind_many_of_others() {
        let mut trial = Trial::default();
        let (one, two) = (trial.actor(1), trial.actor(2));
        let first = trial.conversation(one, 6);
        let second = trial.conversation(two, 6);
        trial.say(one, first, "secret ancien");
        trial.say(one, first, "rien");
        for number in 0..300 {
            trial.say(two, second, &format!("secret {number}"));
        }
        words::Keeper::default().catch_up(&trial.conn).unwrap();
        let count = |actor, query: &str| {
            let search = Search { query: query.to_owned(), limit: Some(50), ..Search::default() };
            find(&trial.conn, actor, &search, Timestamp::now()).unwrap().results.len()
        };
        assert_eq!(count(one, "secret"), 1);
        assert_eq!(count(one, "secret -ancien"), 0);
        assert_eq!(count(one, "-ancien"), 1);
        assert_eq!(count(two, "secret"), 50);
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repetition() {
        let mut trial = Trial::default();
        let client = trial.actor(1);
        let conversation = trial.conversation(client, 6);
        for number in 1..=7 {
            trial.say(client, conversation, &format!("pièce {number}"));
        }
        words::Keeper::default().catch_up(&trial.conn).unwrap();
        let mut search = Search { query: "pièce".to_owned(), limit: Some(3), ..Search::default() };
        let mut seen = Vec::new();
        loop {
            let page = find(&trial.conn, client, &search, Timestamp::now()).unwrap();
            seen.extend(page.results.iter().map(|hit| hit.message.content.clone()));
            search.cursor = page.next_cursor;
            if search.cursor.is_none() {
                break;
            }
        }
        let expected: Vec<String> = (1..=7).rev().map(|number| format!("pièce {number}")).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn an_edited_text_is_found_by_its_new_words_and_a_deleted_one_by_none() {
        let mut trial = Trial::default();
        let client = trial.actor(1);
        let conversation = trial.conversation(client, 6);
        let message_id = trial.say(client, conversation, "ancien brouillon").id;
        words::Keeper::default().catch_up(&trial.conn).unwrap();
        let content = "nouvelle version".to_owned();
        trial.run(client, Command::EditMessage(EditMessage { message_id, content })).unwrap();
        let count = |trial: &Trial, query: &str| {
            let search = Search { query: query.to_owned(), ..Search::default() };
            find(&trial.conn, client, &search, Timestamp::now()).unwrap().results.len()
        };
        assert_eq!((count(&trial, "brouillon"), count(&trial, "nouvelle")), (0, 1));
        trial.run(client, Command::DeleteMessage(DeleteMessage { message_id })).unwrap();
        assert_eq!((count(&trial, "brouillon"), count(&trial, "nouvelle")), (0, 0));
        let words: i64 = trial
            .conn
            .query_row(
                "SELECT count(*) FROM message_words_data WHERE instr(block, CAST('nouvelle' AS BLOB))",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(words, 0, "the word is still in the index");
    }

    #[test]
    fn what_was_edited_or_deleted_before_it_was_indexed_is_found_as_it_is_now() {
        let mut trial = Trial::default();
        let client = trial.actor(1);
        let conversation = trial.conversation(client, 6);
        let edited = trial.say(client, conversation, "ancien brouillon").id;
        let deleted = trial.say(client, conversation, "brouillon inutile").id;
        let content = "nouvelle version".to_owned();
        trial.run(client, Command::EditMessage(EditMessage { message_id: edited, content })).unwrap();
        trial.run(client, Command::DeleteMessage(DeleteMessage { message_id: deleted })).unwrap();
        words::Keeper::default().catch_up(&trial.conn).unwrap();
        let count = |query: &str| {
            let search = Search { query: query.to_owned(), ..Search::default() };
            find(&trial.conn, client, &search, Timestamp::now()).unwrap().results.len()
        };
        assert_eq!((count("brouillon"), count("nouvelle"), count("inutile")), (0, 1, 0));
        trial
            .conn
            .execute("INSERT INTO message_words (message_words, rank) VALUES ('integrity-check', 1)", [])
            .unwrap();
    }
}
