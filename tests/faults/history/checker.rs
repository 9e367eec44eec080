//! Judges a history: nothing lost, doubled, reordered, stale, phantom, and no holes.
//!
//! | fault | what was seen |
//! |---|---|
//! | lost | an ack, or an event told to somebody, for a message that is not stored; a file that is gone or changed |
//! | doubled | one content stored twice, acked as two messages, or told twice to one socket |
//! | reordered | a client's messages, or a socket's events, against the order of `rev` |
//! | stale | a read that began after an ack and did not see that message |
//! | phantom | a stored or told message that nobody sent, or that was refused; a content that was changed |
//! | hole | revs of a conversation that are not 1, 2, 3 … |

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::record::Record;

/// The kind of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Lost,
    Doubled,
    Reordered,
    Stale,
    Phantom,
    Hole,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    pub detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{:?}: {}", self.kind, self.detail)
    }
}

/// Everything that is wrong with a history; empty when it is sound.
pub fn check(history: &[Record]) -> Vec<Fault> {
    let mut case = Case::default();
    for (at, record) in history.iter().enumerate() {
        case.read(at, record);
    }
    case.judge();
    case.faults.extend(super::effects::check(history));
    case.faults
}

/// A message as its sender knows it.
#[derive(Default)]
struct Attempt<'a> {
    client: &'a str,
    content: &'a str,
    /// When it was sent: again after a refusal counts as new, a retry does not.
    sent_at: usize,
    refused: bool,
    acked: Option<(i64, i64)>,
}

#[derive(Default)]
struct Case<'a> {
    attempts: HashMap<(&'a str, &'a str), Attempt<'a>>,
    by_content: HashMap<&'a str, (&'a str, &'a str)>,
    /// conversation → rev → (message, content)
    stored: BTreeMap<i64, BTreeMap<i64, (i64, &'a str)>>,
    stored_contents: HashMap<&'a str, (i64, i64)>,
    told: Vec<(i64, &'a str)>,
    /// (client, address, digest)
    uploaded: Vec<(&'a str, &'a str, &'a str)>,
    stored_files: HashMap<&'a str, &'a str>,
    last_told: HashMap<(&'a str, i64), i64>,
    conversation_of: HashMap<(&'a str, &'a str), i64>,
    acked_rev: HashMap<i64, i64>,
    reads: HashMap<u64, (i64, i64)>,
    faults: Vec<Fault>,
}

impl<'a> Case<'a> {
    fn blame(&mut self, kind: Kind, detail: String) {
        self.faults.push(Fault { kind, detail });
    }

    fn read(&mut self, at: usize, record: &'a Record) {
        match record {
            Record::Sent { client, id, conversation, content } => self.sent(at, client, id, *conversation, content),
            Record::Acked { client, id, message, rev } => self.acked(client, id, *message, *rev),
            Record::Refused { client, id } => {
                if let Some(attempt) = self.attempts.get_mut(&(client.as_str(), id.as_str())) {
                    attempt.refused = true;
                }
            }
            Record::Announcement { socket, conversation, message, rev, content } => {
                self.told.push((*message, content));
                let last = self.last_told.insert((socket, *conversation), *rev).unwrap_or(0);
                if *rev == last {
                    self.blame(Kind::Doubled, format!("{socket} was told rev {rev} of {conversation} twice"));
                } else if *rev < last {
                    self.blame(Kind::Reordered, format!("{socket} was told rev {rev} after {last} of {conversation}"));
                }
            }
            Record::Asked { read, conversation } => {
                let must_see = self.acked_rev.get(conversation).copied().unwrap_or(0);
                self.reads.insert(*read, (*conversation, must_see));
            }
            Record::Answered { read, rev } => {
                if let Some((conversation, must_see)) = self.reads.remove(read)
                    && *rev < must_see
                {
                    self.blame(Kind::Stale, format!("read {read} of {conversation} saw {rev}, acked was {must_see}"));
                }
            }
            Record::Uploaded { client, url, digest } => self.uploaded.push((client, url, digest)),
            Record::Stored { conversation, message, rev, content } => {
                self.keep(*conversation, *message, *rev, content);
            }
            // See `effects`.
            Record::Tried { .. } | Record::Done { .. } | Record::Found { .. } => {}
            Record::StoredFile { url, digest } => {
                self.stored_files.insert(url, digest);
            }
        }
    }

    fn sent(&mut self, at: usize, client: &'a str, id: &'a str, conversation: i64, content: &'a str) {
        let attempt = self.attempts.entry((client, id)).or_insert(Attempt {
            client,
            content,
            sent_at: at,
            refused: false,
            acked: None,
        });
        if attempt.refused {
            attempt.refused = false;
            attempt.sent_at = at;
        }
        self.by_content.insert(content, (client, id));
        self.conversation_of.insert((client, id), conversation);
    }

    fn acked(&mut self, client: &'a str, id: &'a str, message: i64, rev: i64) {
        let Some(attempt) = self.attempts.get_mut(&(client, id)) else {
            return self.blame(Kind::Phantom, format!("{client} got an ack for {id}, which it never sent"));
        };
        let before = attempt.acked.replace((message, rev));
        if let Some(before) = before.filter(|before| *before != (message, rev)) {
            let detail = format!("{client}'s {id} was acked as (id, rev) {before:?} and as {:?}", (message, rev));
            self.blame(Kind::Doubled, detail);
        }
        let conversation = self.conversation_of[&(client, id)];
        let highest = self.acked_rev.entry(conversation).or_default();
        *highest = rev.max(*highest);
    }

    fn keep(&mut self, conversation: i64, message: i64, rev: i64, content: &'a str) {
        if let Some((other, _)) = self.stored_contents.insert(content, (message, rev)) {
            self.blame(Kind::Doubled, format!("{content:?} is stored as {other} and as {message}"));
        }
        let revs = self.stored.entry(conversation).or_default();
        if let Some((other, _)) = revs.insert(rev, (message, content)) {
            self.blame(Kind::Doubled, format!("rev {rev} of {conversation} is message {other} and {message}"));
        }
    }

    fn judge(&mut self) {
        let mut faults = Vec::new();
        self.find_lost(&mut faults);
        self.find_phantoms(&mut faults);
        self.find_holes(&mut faults);
        self.find_reordered(&mut faults);
        self.faults.append(&mut faults);
    }

    fn find_lost(&self, faults: &mut Vec<Fault>) {
        let lost = |detail| Fault { kind: Kind::Lost, detail };
        for ((client, id), attempt) in &self.attempts {
            let Some(acked) = attempt.acked else { continue };
            match self.stored_contents.get(attempt.content) {
                None => faults.push(lost(format!("{client}'s {id}, acked as (id, rev) {acked:?}"))),
                Some(stored) if *stored != acked => {
                    faults.push(lost(format!("{client}'s {id}, acked as {acked:?}, is stored as {stored:?}")));
                }
                Some(_) => {}
            }
        }
        for (client, url, digest) in &self.uploaded {
            match self.stored_files.get(url) {
                None => faults.push(lost(format!("{client}'s file {url}"))),
                Some(stored) if stored != digest => faults.push(lost(format!("the bytes of {client}'s file {url}"))),
                Some(_) => {}
            }
        }
        for (message, content) in &self.told {
            if self.stored_contents.get(content).is_none_or(|(stored, _)| stored != message) {
                faults.push(lost(format!("message {message} {content:?} was told to somebody")));
            }
        }
    }

    fn find_phantoms(&self, faults: &mut Vec<Fault>) {
        let seen = self.stored_contents.keys().copied().chain(self.told.iter().map(|(_, content)| *content));
        for content in seen {
            let sent = self.by_content.get(content).and_then(|key| self.attempts.get(key));
            if sent.is_none_or(|attempt| attempt.refused) {
                let detail = format!("{content:?} was {}", if sent.is_some() { "refused" } else { "never sent" });
                faults.push(Fault { kind: Kind::Phantom, detail });
            }
        }
    }

    fn find_holes(&self, faults: &mut Vec<Fault>) {
        for (conversation, revs) in &self.stored {
            for (expected, rev) in (1..).zip(revs.keys()) {
                if *rev != expected {
                    let detail = format!("conversation {conversation} has rev {rev} where {expected} should be");
                    faults.push(Fault { kind: Kind::Hole, detail });
                    break;
                }
            }
        }
    }

    fn find_reordered(&self, faults: &mut Vec<Fault>) {
        let mut sequences: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (key, attempt) in &self.attempts {
            if let Some((message, rev)) = self.stored_contents.get(attempt.content) {
                let sequence = sequences.entry((self.conversation_of[key], attempt.client)).or_default();
                sequence.push((attempt.sent_at, *rev, *message));
            }
        }
        for ((conversation, client), mut sequence) in sequences {
            sequence.sort_unstable();
            for pair in sequence.windows(2) {
                let ((_, rev, message), (_, later_rev, later_message)) = (pair[0], pair[1]);
                if later_rev <= rev || later_message <= message {
                    let detail = format!(
                        "{client} sent message {message} (rev {rev}) before {later_message} (rev {later_rev}) to {conversation}"
                    );
                    faults.push(Fault { kind: Kind::Reordered, detail });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(id: &str) -> Record {
        Record::Sent { client: "ana".into(), id: id.into(), conversation: 1, content: format!("text of {id}") }
    }

    fn acked(id: &str, number: i64) -> Record {
        Record::Acked { client: "ana".into(), id: id.into(), message: number, rev: number }
    }

    fn told(id: &str, number: i64) -> Record {
        let content = format!("text of {id}");
        Record::Announcement { socket: "bob".into(), conversation: 1, message: number, rev: number, content }
    }

    fn stored(id: &str, number: i64) -> Record {
        Record::Stored { conversation: 1, message: number, rev: number, content: format!("text of {id}") }
    }

    fn kinds(history: &[Record]) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = check(history).into_iter().map(|fault| fault.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    #[test]
    fn a_sound_history_has_no_faults() {
        let history = [
            sent("a"),
            sent("b"),
            told("a", 1),
            acked("a", 1),
            Record::Asked { read: 7, conversation: 1 },
            sent("b"),
            told("b", 2),
            acked("b", 2),
            Record::Answered { read: 7, rev: 1 },
            sent("never answered"),
            stored("a", 1),
            stored("b", 2),
        ];
        assert_eq!(check(&history), []);
    }

    #[test]
    fn a_message_that_was_stored_without_an_ack_is_sound() {
        assert_eq!(check(&[sent("a"), stored("a", 1)]), []);
    }

    #[test]
    fn an_acked_message_that_is_gone_is_lost() {
        assert_eq!(kinds(&[sent("a"), acked("a", 1)]), [Kind::Lost]);
    }

    #[test]
    fn a_told_message_that_is_gone_is_lost() {
        assert_eq!(kinds(&[sent("a"), told("a", 1)]), [Kind::Lost]);
    }

    #[test]
    fn an_acked_message_under_another_number_is_lost() {
        assert_eq!(kinds(&[sent("z"), sent("a"), stored("z", 1), acked("a", 1), stored("a", 2)]), [Kind::Lost]);
    }

    #[test]
    fn an_uploaded_file_that_is_gone_or_changed_is_lost() {
        let uploaded = Record::Uploaded { client: "ana".into(), url: "/attachments/1/a".into(), digest: "d1".into() };
        let stored = |digest: &str| Record::StoredFile { url: "/attachments/1/a".into(), digest: digest.into() };
        assert_eq!(kinds(std::slice::from_ref(&uploaded)), [Kind::Lost]);
        assert_eq!(kinds(&[uploaded.clone(), stored("d2")]), [Kind::Lost]);
        assert_eq!(kinds(&[uploaded, stored("d1")]), []);
    }

    #[test]
    fn one_message_in_two_rows_is_doubled() {
        assert_eq!(kinds(&[sent("a"), stored("a", 1), stored("a", 2)]), [Kind::Doubled]);
    }

    #[test]
    fn two_messages_with_one_rev_are_doubled() {
        let second = Record::Stored { conversation: 1, message: 2, rev: 1, content: "text of b".into() };
        assert!(kinds(&[sent("a"), sent("b"), stored("a", 1), second]).contains(&Kind::Doubled));
    }

    #[test]
    fn two_acks_with_different_numbers_are_doubled() {
        assert!(kinds(&[sent("a"), acked("a", 1), acked("a", 2), stored("a", 2)]).contains(&Kind::Doubled));
    }

    #[test]
    fn an_event_told_twice_is_doubled() {
        assert_eq!(kinds(&[sent("a"), told("a", 1), told("a", 1), stored("a", 1)]), [Kind::Doubled]);
    }

    #[test]
    fn messages_against_the_order_of_sending_are_reordered() {
        assert_eq!(kinds(&[sent("a"), sent("b"), stored("a", 2), stored("b", 1)]), [Kind::Reordered]);
    }

    #[test]
    fn a_message_sent_again_after_a_refusal_takes_its_new_place() {
        let refused = Record::Refused { client: "ana".into(), id: "a".into() };
        let history = [sent("a"), sent("b"), refused, sent("a"), stored("b", 1), stored("a", 2)];
        assert_eq!(check(&history), []);
    }

    #[test]
    fn events_against_the_order_of_rev_are_reordered() {
        let history = [sent("a"), sent("b"), told("b", 2), told("a", 1), stored("a", 1), stored("b", 2)];
        assert_eq!(kinds(&history), [Kind::Reordered]);
    }

    #[test]
    fn a_read_that_misses_an_acked_message_is_stale() {
        let history = [
            sent("a"),
            acked("a", 1),
            Record::Asked { read: 1, conversation: 1 },
            Record::Answered { read: 1, rev: 0 },
            stored("a", 1),
        ];
        assert_eq!(kinds(&history), [Kind::Stale]);
    }

    #[test]
    fn a_message_that_nobody_sent_is_a_phantom() {
        assert_eq!(kinds(&[stored("a", 1)]), [Kind::Phantom]);
    }

    #[test]
    fn a_changed_content_is_a_phantom_and_a_loss() {
        let changed = Record::Stored { conversation: 1, message: 1, rev: 1, content: "text of".into() };
        assert_eq!(kinds(&[sent("a"), acked("a", 1), changed]), [Kind::Lost, Kind::Phantom]);
    }

    #[test]
    fn a_refused_message_that_is_stored_is_a_phantom() {
        let refused = Record::Refused { client: "ana".into(), id: "a".into() };
        assert_eq!(kinds(&[sent("a"), refused, stored("a", 1)]), [Kind::Phantom]);
    }

    #[test]
    fn an_ack_for_nothing_is_a_phantom() {
        assert_eq!(kinds(&[acked("a", 1)]), [Kind::Phantom]);
    }

    #[test]
    fn a_missing_rev_is_a_hole() {
        assert_eq!(kinds(&[sent("a"), sent("b"), stored("a", 1), stored("b", 3)]), [Kind::Hole]);
    }
}
