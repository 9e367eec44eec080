//! Somebody who changes what was said, and somebody who reads, reacts and invites: each change is retried until it is
//! acknowledged. They have a conversation of their own, so that the order of its revs is nobody else's.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::history::record::{Journal, Record};
use crate::support::http;
use crate::support::people::Person;
use crate::traffic::{self, Conversation};

/// What the reaction is.
const THUMB: &str = "%F0%9F%91%8D";

/// Two people at work.
pub struct Changer {
    pub to: SocketAddr,
    pub pause: Duration,
    pub conversation: Conversation,
    pub journal: Journal,
    pub stopping: Arc<AtomicBool>,
}

impl Changer {
    pub async fn work(self) {
        let mut count = 0;
        self.note("read", "null");
        while !self.stopping.load(Ordering::Relaxed) {
            self.round(count).await;
            count += 1;
            tokio::time::sleep(self.pause + Duration::from_millis(5)).await;
        }
    }

    /// One message's life.
    async fn round(&self, count: usize) {
        let [author, reader] = &self.conversation.members;
        let content = format!("texte {count}");
        let id = format!("change-{}-{count}", self.conversation.id);
        let body = json!({ "conversationId": self.conversation.id, "content": content, "clientMessageId": id });
        let message = self.until_done(author, "POST", "/messages", Some(&body)).await["id"].clone();
        let (path, text) = (format!("/messages/{message}"), format!("text {message}"));
        self.note(&text, &content);
        if count.is_multiple_of(2) {
            let next = format!("texte {count}, corrigé");
            self.change(&text, &next, author, "PATCH", &path, Some(&json!({ "content": next }))).await;
        }
        let (reaction, thumb) = (format!("reaction {message}"), format!("{path}/reactions/{THUMB}"));
        self.note(&reaction, "no");
        if count.is_multiple_of(3) {
            self.change(&reaction, "yes", reader, "PUT", &thumb, None).await;
        }
        if count.is_multiple_of(6) {
            self.change(&reaction, "no", reader, "DELETE", &thumb, None).await;
        }
        if count % 5 == 1 {
            self.try_state(&reaction, "no");
            self.change(&text, "", author, "DELETE", &path, None).await;
            self.note(&reaction, "no");
        }
        let read = format!("{path}/mark-as-read");
        self.change("read", &message.to_string(), reader, "PATCH", &read, None).await;
        if count.is_multiple_of(4) {
            let invitation = self.until_done(reader, "POST", "/invitations", Some(&json!({ "role": "client" }))).await;
            let key = format!("invitation {}", invitation["id"]);
            self.note(&key, "open");
            // Only so many may be open at a time.
            if !count.is_multiple_of(64) {
                let path = format!("/invitations/{}", invitation["id"]);
                self.change(&key, "gone", reader, "DELETE", &path, None).await;
            }
        }
    }

    async fn change(&self, key: &str, state: &str, who: &Person, method: &str, path: &str, body: Option<&Value>) {
        self.try_state(key, state);
        self.until_done(who, method, path, body).await;
        self.note(key, state);
    }

    fn try_state(&self, key: &str, state: &str) {
        self.journal.note(Record::Tried { key: key.to_owned(), state: state.to_owned() });
    }

    fn note(&self, key: &str, state: &str) {
        self.journal.note(Record::Done { key: key.to_owned(), state: state.to_owned() });
    }

    /// Asks until the answer is that it is done, by this request or by an earlier one whose answer was lost.
    async fn until_done(&self, who: &Person, method: &str, path: &str, body: Option<&Value>) -> Value {
        loop {
            let ask = http::ask(self.to, method, path).token(&who.token);
            let ask = if let Some(body) = body { ask.json(body) } else { ask };
            match ask.try_send().await {
                Ok(reply) if matches!(reply.status, 200 | 201) => return reply.json(),
                Ok(reply) if reply.status == 204 => return Value::Null,
                // It was deleted, or revoked, already.
                Ok(reply) if method == "DELETE" && matches!(reply.status, 404 | 409) => return Value::Null,
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

/// Looks up every state that was ever tried, and adds it to a history. An invitation whose creation nobody was told of need
/// not be there: that is no state of it.
pub async fn read_found(to: SocketAddr, conversation: &Conversation, history: &mut Vec<Record>) {
    let [author, reader] = &conversation.members;
    let keys: BTreeSet<String> = history
        .iter()
        .filter_map(|record| match record {
            Record::Tried { key, .. } | Record::Done { key, .. } => Some(key.clone()),
            _ => None,
        })
        .collect();
    let acknowledged: BTreeSet<String> = history
        .iter()
        .filter_map(|record| match record {
            Record::Done { key, .. } => Some(key.clone()),
            _ => None,
        })
        .collect();
    let messages = traffic::all_messages(to, &author.token, conversation.id).await;
    let seen = http::get(to, &format!("/conversations/{}", conversation.id)).token(&reader.token).send().await;
    let mark = seen.expect(200).json()["lastReadMessageId"].to_string();
    let invitations = http::get(to, "/invitations").token(&reader.token).send().await.expect(200).json();
    for key in keys {
        let (what, id) = key.split_once(' ').unwrap_or((&key, ""));
        let id = id.parse().ok();
        let message = messages.iter().find(|message| message["id"].as_i64() == id);
        let state = match what {
            "text" => message.and_then(|message| message["content"].as_str()).map(str::to_owned),
            "reaction" => {
                message.map(|message| if message["reactions"] == json!([]) { "no" } else { "yes" }.to_owned())
            }
            "invitation" => {
                let is_open = invitations.as_array().is_some_and(|all| all.iter().any(|one| one["id"].as_i64() == id));
                let state = if is_open { "open" } else { "gone" };
                (is_open || acknowledged.contains(&key)).then(|| state.to_owned())
            }
            _ => Some(mark.clone()),
        };
        history.extend(state.map(|state| Record::Found { key, state }));
    }
}
