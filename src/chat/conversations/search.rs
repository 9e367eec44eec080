//! Finding what was said, in one's own conversations only.
//!
//! What is typed is read by [`Terms`]; accents, case and all else that folding takes away do not matter. A search has readers
//! of its own and little time, and each person one at a time: looking for something stops nobody from talking.

use std::time::Duration;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::contract::command::system::IndexMessages;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::question::{SEARCH_LIMIT_MAX, Search};
use crate::chat::conversations::history;
use crate::chat::conversations::query::Terms;
use crate::chat::conversations::snippet::snippet;
use crate::chat::handle::chat::Chat;
use crate::model::locale::Text;
use crate::model::message::Hit;
use crate::model::timestamp::Timestamp;
use crate::store::fulltext;
use crate::store::messages::{self, View};
use crate::store::search::{self, Listed, Question};

/// Characters of a query.
const QUERY_MAX: usize = 500;

/// The longest that one search may take.
const SEARCH_TIME_MAX: Duration = Duration::from_millis(300);

/// How long one goes on looking for a page. What is left of it is looked for with the next one.
const LOOK_TIME: Duration = Duration::from_millis(8);

/// Hits on a page whose asker did not say how many.
const LIMIT: i64 = 20;

/// A page of what was found, newest first.
#[derive(Debug, Default)]
pub struct Found {
    /// The messages.
    pub results: Vec<Hit>,
    /// Where the next page begins; `None` at the end. Where a page would take long, it has fewer results than were asked
    /// for, none even, and this.
    pub next_cursor: Option<String>,
}

impl Chat {
    /// Looks for messages, what was just said included. Marks nothing read.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `NOT_FOUND` (the conversation), `INVALID`.
    pub async fn search(&self, actor: Actor, search: Search) -> Result<Found, Error> {
        let user_id = actor.user_id().ok_or(Reason::TokenMissing)?;
        let turn = self.searching.turn(user_id).await?;
        let found = self.look_for(actor, search).await;
        turn.end_in_step(self.settings().search_step).await;
        found
    }

    async fn look_for(&self, actor: Actor, search: Search) -> Result<Found, Error> {
        if self.ask(|conn, _now| Ok::<_, Error>(fulltext::is_behind(conn)?)).await? {
            // While nothing can be written, what is indexed can still be searched.
            let _newest_missing = self.execute(Actor::System, IndexMessages).await;
        }
        self.readers.search(SEARCH_TIME_MAX, move |conn| find(conn, actor, &search, Timestamp::now())).await
    }
}

fn find(conn: &rusqlite::Connection, actor: Actor, search: &Search, now: Timestamp) -> Result<Found, Error> {
    let (me, other) = match search.conversation_id {
        None => (caller::require_member(conn, actor, now)?.user_id, None),
        Some(id) => {
            let membership = caller::require_membership(conn, actor, id, now)?;
            let me = membership.me.id;
            (me, Some(membership.conversation.members.peer_of(me)))
        }
    };
    let limit = check(search)?;
    let before = search.cursor;
    let Terms { all, none } = Terms::read(&search.query);
    if all.is_empty() && none.is_empty() && !(search.query.trim().is_empty() && search.is_narrowed()) {
        return Ok(Found::default());
    }
    let (sender_id, from, to, has_file) = (search.sender_id, search.from, search.to, search.has_file);
    let question = Question { member: me, other, all, none, sender_id, from, to, has_file, before, limit: limit + 1 };
    let Listed { mut found, rest } = search::list(conn, &question, LOOK_TIME)?;
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
        let names = message.files.iter().map(|file| file.name.as_str());
        let snippet = snippet(&message.content, names, &question.all);
        results.push(Hit { message, snippet });
    }
    let last = results.last().filter(|_| has_more).map(|last| last.message.id.as_i64());
    Ok(Found { results, next_cursor: last.or(rest).map(|position| position.to_string()) })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::contract::command::conversations::{
        DeleteMessage, EditMessage, FileSource, InlineFile, SendMessage,
    };
    use crate::chat::contract::settings::Settings;
    use crate::chat::testing::fixtures::{ChatFixture, RulesFixture, message_of, plain};

    /// Says these things between client 1 and juriste 6, and returns what a query of client 1 finds.
    fn found(said: &[&str], query: &str) -> Vec<(String, String)> {
        let mut fixture = RulesFixture::default();
        let client = fixture.actor(1);
        let conversation = fixture.conversation(client, 6);
        for text in said {
            fixture.say(client, conversation, text);
        }
        let search = Search { query: query.to_owned(), ..Search::default() };
        fulltext::Indexer::default().catch_up(fixture.conn()).unwrap();
        let found = find(fixture.conn(), client, &search, Timestamp::now()).unwrap();
        found.results.into_iter().map(|hit| (hit.message.content, hit.snippet)).collect()
    }

    /// Looks whether what was said is found by what is typed, and nothing else.
    fn each_is_found(pairs: &[(&str, &str)]) {
        for (text, query) in pairs {
            assert_eq!(found(&[text, "autre chose"], query).len(), 1, "{query} in {text}");
        }
    }

    #[test]
    fn what_stands_there_is_found_however_it_is_written() {
        each_is_found(&[
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
            ("ﬁnancement", "financement"),
            ("fi\u{ad}nance\u{200b}ment", "financement"),
            ("ｆｕｌｌ contrat", "full"),
            ("100 m²", "m2"),
            ("Łódź, Sørensen, Straße, Æther, Đorđe", "lodz sorensen strasse aether dorde"),
            ("我国契约法规定", "契约法"),
            ("我国契约法规定", "法"),
            ("か\u{3099}くせい", "がく"),
            ("สัญญาเช่าบ้าน", "เช่า"),
            ("λόγος", "λογοσ"),
            ("مُحَمَّد", "محمد"),
            ("שָׁלוֹם", "שלום"),
            ("हिन्दी में", "हिन्दी"),
            ("art. L132-1", "L. 132-1"),
            ("art. L. 132-1", "L132-1"),
            ("art. L 132-1", "\"L132-1\""),
            ("धारा ४२०", "420"),
            ("یک کتاب", "يك كتاب"),
            ("vu le code civil", "“code civil”"),
            ("vu le code civil", "« code civil »"),
        ]);
    }

    #[test]
    fn numbers_and_initials_are_found_however_they_are_written() {
        each_is_found(&[
            ("12\u{202f}500 €", "12500 €"),
            ("12.500 €", "12 500"),
            ("12500 €", "12\u{a0}500"),
            ("1234,56 €", "1 234,56"),
            ("1234,56 €", "1\u{202f}234,56 €"),
            ("1\u{202f}234,56 €", "1234,56"),
            ("12500 €", "12 500€"),
            ("(06) 12 34 56 78", "0612345678"),
            ("06 12 34 56 78", "0612345678"),
            ("0612345678", "06 12 34 56 78"),
            ("06.12.34.56.78", "+33 6 12 34 56 78"),
            ("FR7630006000011234567890189", "FR76 3000 6000 0112 3456 7890 189"),
            ("FR76 3000 6000 0112 3456 7890 189", "FR7630006000011234567890189"),
            ("article L.O. 111-1", "LO 111-1"),
            ("article L.O. 111-1", "LO111-1"),
            ("article LO111-1", "L.O. 111-1"),
            ("la S.A.R.L. Truc", "sarl"),
            ("la SARL Truc", "S.A.R.L. truc"),
            ("contre la S.A.S. Delmas et fils", "\"la SAS Delmas et fils\""),
            ("la SAS Delmas et fils", "\"S.A.S. Delmas et fils\""),
            ("art. L.O. 111\u{2011}1", "LO 111-1"),
            ("art. L.O. 111\u{2013}1", "LO111-1"),
            ("art. LO111\u{2212}1", "L.O. 111-1"),
            ("Me J.-P. Martin", "JP Martin"),
            ("Me J.-P. Martin", "\"J.P. Martin\""),
            ("Me JP Martin", "\"J.-P. Martin\""),
        ]);
    }

    #[test]
    fn words_are_found_in_the_singular_and_the_plural() {
        for (text, query) in [
            ("les baux commerciaux", "bail commercial"),
            ("le bail", "baux"),
            ("des clauses pénales", "clause pénale"),
            ("une clause pénale", "clauses pénales"),
            ("deux procès-verbaux", "procès-verbal"),
            ("le procès-verbal", "procès-verbaux"),
            ("les ayants droit", "ayant-droit"),
        ] {
            assert_eq!(found(&[text, "autre chose"], query).len(), 1, "{query} in {text}");
        }
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

    #[tokio::test]
    async fn a_search_is_answered_in_steps_whatever_it_finds() {
        let fixture = ChatFixture::demo();
        let client = fixture.actor(&fixture.sign_in("client1").await);
        for query in ["bonjour", "absent"] {
            let began = std::time::Instant::now();
            let search = Search { query: query.to_owned(), ..Search::default() };
            fixture.chat.search(client, search).await.unwrap();
            assert!(began.elapsed() >= Settings::default().search_step, "{query}: {:?}", began.elapsed());
        }
    }

    #[test]
    fn only_ones_own_conversations_are_searched() {
        let mut fixture = RulesFixture::default();
        let (one, two, juriste) = (fixture.actor(1), fixture.actor(2), fixture.actor(6));
        let first = fixture.conversation(one, 6);
        let second = fixture.conversation(two, 6);
        fixture.say(one, first, "secret commun");
        fixture.say(two, second, "secret commun");
        fulltext::Indexer::default().catch_up(fixture.conn()).unwrap();
        let search = |conversation_id| Search { query: "secret".to_owned(), conversation_id, ..Search::default() };
        let count = |actor, conversation_id| {
            find(fixture.conn(), actor, &search(conversation_id), Timestamp::now()).map(|found| found.results.len())
        };
        assert_eq!(count(one, None).unwrap(), 1);
        assert_eq!(count(juriste, None).unwrap(), 2);
        assert_eq!(count(juriste, Some(second)).unwrap(), 1);
        assert_eq!(count(one, Some(second)).unwrap_err().reason, Reason::NotFound);
        assert_eq!(count(fixture.actor(11), None).unwrap(), 0);
    }

    #[test]
    fn ones_own_few_are_found_behind_many_of_others() {
        let mut fixture = RulesFixture::default();
        let (one, two) = (fixture.actor(1), fixture.actor(2));
        let first = fixture.conversation(one, 6);
        let second = fixture.conversation(two, 6);
        fixture.say(one, first, "secret ancien");
        fixture.say(one, first, "rien");
        for number in 0..300 {
            fixture.say(two, second, &format!("secret {number}"));
        }
        fulltext::Indexer::default().catch_up(fixture.conn()).unwrap();
        let count = |actor, query: &str| {
            let search = Search { query: query.to_owned(), limit: Some(50), ..Search::default() };
            find(fixture.conn(), actor, &search, Timestamp::now()).unwrap().results.len()
        };
        assert_eq!(count(one, "secret"), 1);
        assert_eq!(count(one, "secret -ancien"), 0);
        assert_eq!(count(one, "-ancien"), 1);
        assert_eq!(count(two, "secret"), 50);
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repetition() {
        let mut fixture = RulesFixture::default();
        let client = fixture.actor(1);
        let conversation = fixture.conversation(client, 6);
        for number in 1..=7 {
            fixture.say(client, conversation, &format!("pièce {number}"));
        }
        fulltext::Indexer::default().catch_up(fixture.conn()).unwrap();
        let mut search = Search { query: "pièce".to_owned(), limit: Some(3), ..Search::default() };
        let mut seen = Vec::new();
        loop {
            let page = find(fixture.conn(), client, &search, Timestamp::now()).unwrap();
            seen.extend(page.results.iter().map(|hit| hit.message.content.clone()));
            search.cursor = page.next_cursor.map(|cursor| cursor.parse().unwrap());
            if search.cursor.is_none() {
                break;
            }
        }
        let expected: Vec<String> = (1..=7).rev().map(|number| format!("pièce {number}")).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn an_edited_text_is_found_by_its_new_words_and_a_deleted_one_by_none() {
        let mut fixture = RulesFixture::default();
        let client = fixture.actor(1);
        let conversation = fixture.conversation(client, 6);
        let message_id = fixture.say(client, conversation, "ancien brouillon").id;
        fulltext::Indexer::default().catch_up(fixture.conn()).unwrap();
        let content = "nouvelle version".to_owned();
        fixture.run(client, EditMessage { message_id, content }).unwrap();
        let count = |fixture: &RulesFixture, query: &str| {
            let search = Search { query: query.to_owned(), ..Search::default() };
            find(fixture.conn(), client, &search, Timestamp::now()).unwrap().results.len()
        };
        assert_eq!((count(&fixture, "brouillon"), count(&fixture, "nouvelle")), (0, 1));
        fixture.run(client, DeleteMessage { message_id }).unwrap();
        assert_eq!((count(&fixture, "brouillon"), count(&fixture, "nouvelle")), (0, 0));
        let words: i64 = fixture
            .conn()
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
        let mut fixture = RulesFixture::default();
        let client = fixture.actor(1);
        let conversation = fixture.conversation(client, 6);
        let edited = fixture.say(client, conversation, "ancien brouillon").id;
        let deleted = fixture.say(client, conversation, "brouillon inutile").id;
        let content = "nouvelle version".to_owned();
        fixture.run(client, EditMessage { message_id: edited, content }).unwrap();
        fixture.run(client, DeleteMessage { message_id: deleted }).unwrap();
        fulltext::Indexer::default().catch_up(fixture.conn()).unwrap();
        let count = |query: &str| {
            let search = Search { query: query.to_owned(), ..Search::default() };
            find(fixture.conn(), client, &search, Timestamp::now()).unwrap().results.len()
        };
        assert_eq!((count("brouillon"), count("nouvelle"), count("inutile")), (0, 1, 0));
        fixture
            .conn()
            .execute("INSERT INTO message_words (message_words, rank) VALUES ('integrity-check', 1)", [])
            .unwrap();
    }

    #[test]
    fn files_are_found_by_their_names_until_they_go_with_their_message() {
        let mut fixture = RulesFixture::default();
        let client = fixture.actor(1);
        let conversation_id = fixture.conversation(client, 6);
        let file = InlineFile { name: "Bail_signé.pdf".to_owned(), data: bytes::Bytes::from_static(b"%PDF-1.7") };
        let command = SendMessage { files: vec![FileSource::Inline(file)], ..plain(conversation_id, "") };
        let id = message_of(fixture.run(client, command).unwrap()).id;
        fixture.say(client, conversation_id, "le bail est signé");
        fulltext::Indexer::default().catch_up(fixture.conn()).unwrap();
        let find = |fixture: &RulesFixture, query: &str, has_file| {
            let search = Search { query: query.to_owned(), has_file, ..Search::default() };
            let found = find(fixture.conn(), client, &search, Timestamp::now()).unwrap();
            found.results.into_iter().map(|hit| hit.snippet).collect::<Vec<_>>()
        };
        assert_eq!(find(&fixture, "bail", false), ["le ⟦bail⟧ est signé", "⟦Bail⟧_signé.pdf"]);
        assert_eq!(find(&fixture, "bail", true), ["⟦Bail⟧_signé.pdf"]);
        assert_eq!(find(&fixture, "", true), ["Bail_signé.pdf"]);
        assert_eq!(find(&fixture, "\"pdf bail\"", false), [""; 0]);
        let file = InlineFile { name: "S.A.R.L.pdf".to_owned(), data: bytes::Bytes::from_static(b"%PDF-1.7") };
        let command = SendMessage { files: vec![FileSource::Inline(file)], ..plain(conversation_id, "") };
        fixture.run(client, command).unwrap();
        fulltext::Indexer::default().catch_up(fixture.conn()).unwrap();
        assert_eq!(find(&fixture, "sarl", false), ["⟦S.A.R.L⟧.pdf"]);
        fixture.run(client, DeleteMessage { message_id: id }).unwrap();
        assert_eq!(find(&fixture, "bail", true), [""; 0]);
        let check = "INSERT INTO message_words (message_words, rank) VALUES ('integrity-check', 1)";
        fixture.conn().execute(check, []).unwrap();
    }
}
