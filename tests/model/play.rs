//! One run: who does what next, carried out on both sides.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use lexchat::auth::actor::Actor;
use lexchat::auth::token;
use lexchat::chat::contract::command::Command;
use lexchat::chat::contract::command::conversations::{
    CreateConversation, DeleteMessage, EditMessage, MarkUnread, ReactToMessage, ReadConversation, ReadMessage,
    SendMessage,
};
use lexchat::chat::contract::command::people::Device;
use lexchat::chat::contract::error::{Code, Error};
use lexchat::chat::contract::event::{Announcement, Event};
use lexchat::chat::contract::reply::{ConversationOpened, MessageSent};
use lexchat::chat::contract::request::{Ask, Request};
use lexchat::chat::contract::settings::Settings;
use lexchat::chat::handle::chat::Chat;
use lexchat::chat::handle::completion::Outcomes;
use lexchat::chat::people::sign_in::SignIn;
use lexchat::model::id::{ConversationId, MessageId, UserId};
use lexchat::model::timestamp::Timestamp;
use lexchat::store::database::open::Db;
use lexchat::store::database::settings::{self, Missing};

use crate::check;
use crate::mirror::{Conversation, Done, Mirror, Verdict};

/// People of the seed who take part: three clients, three juristes, the administrator.
const PEOPLE: [i64; 7] = [1, 2, 3, 6, 7, 8, 11];
const WORDS: [&str; 12] = [
    "bail",
    "contrat",
    "résiliation",
    "été",
    "loyer",
    "préavis",
    "garde",
    "pension",
    "clause",
    "tribunal",
    "appel",
    "acte",
];
const EMOJI: [&str; 4] = ["👍", "❤️", "🇫🇷", "👩‍⚖️"];

/// Everything that was told since it was last taken.
type Heard = Arc<Mutex<Vec<Announcement>>>;

/// The run.
pub struct Play {
    path: PathBuf,
    /// The real side.
    pub chat: Chat,
    /// Who can act, by user id.
    pub actors: Vec<(i64, Actor)>,
    /// What should be.
    pub mirror: Mirror,
    heard: Heard,
    randomness: u64,
    /// What was sent last, for repeating it as a client does whose ack was lost.
    last_sent: Vec<(i64, i64, String, String)>,
    replicas: check::Replicas,
}

impl Play {
    /// A fresh practice with everybody signed in.
    pub async fn open(folder: &Path, seed: u64) -> Play {
        let path = folder.join("model.db");
        let heard = Heard::default();
        let settings = settings::Settings { path: path.clone(), missing: Missing::CreateDemo, readers_max: 1 };
        drop(Db::open(&settings).expect("the database"));
        let people_alone = include_str!("../support/no_conversation.sql");
        rusqlite::Connection::open(&path).expect("a file").execute_batch(people_alone).expect("an empty house");
        let chat = start(&path, &heard);
        let mut actors = Vec::new();
        for id in PEOPLE {
            let email = match id {
                1..=5 => format!("client{id}@example.com"),
                6..=10 => format!("juriste{}@example.com", id - 5),
                _ => "admin@example.com".to_owned(),
            };
            let attempt = SignIn { email, password: "Pass123!".to_owned(), device: Device::default() };
            let signed_in = chat.sign_in(attempt).await.expect("a demo account");
            let caller = token::verify(&chat.credentials().tokens, &signed_in.access_token, Timestamp::now());
            actors.push((id, Actor::Member(caller.expect("a fresh token"))));
        }
        let (mirror, replicas) = Default::default();
        Play { path, chat, actors, mirror, heard, randomness: seed | 1, last_sent: Vec::new(), replicas }
    }

    /// Closes the chat.
    pub async fn close(&self) {
        self.chat.close().await;
    }

    /// One random step.
    pub async fn step(&mut self, step: u64) {
        let place = self.below(self.actors.len());
        let (user, actor) = self.actors[place];
        match self.below(100) {
            0..=4 => self.create(user, actor).await,
            5..=34 => self.send(user, actor, step).await,
            35..=39 => self.send_again().await,
            40..=49 => self.edit(user, actor).await,
            50..=54 => self.delete(user, actor).await,
            55..=66 => self.react(user, actor).await,
            67..=73 => self.read(user, actor).await,
            74..=76 => self.mark_unread(user, actor).await,
            77..=79 => self.read_all(user, actor).await,
            80..=87 => self.check_page(user, actor).await,
            88..=92 => self.check_search(user, actor).await,
            93..=98 => self.check_changes(user, actor).await,
            _ if self.below(20) == 0 => self.restart().await,
            _ => check::list(&self.chat, &self.mirror, user, actor).await,
        }
    }

    async fn create(&mut self, user: i64, actor: Actor) {
        let other = [1, 2, 3, 6, 7, 8, 11, 99][self.below(8)];
        let expected = Mirror::pair(user, other);
        let command = CreateConversation { participant_id: UserId::new(other).expect("positive") };
        let reply = self.run(actor, command).await;
        match (expected, reply) {
            (Err(code), Err(error)) => assert_eq!(error.code(), code, "{user} with {other}"),
            (Ok(members), Ok(ConversationOpened { conversation, created })) => {
                let id = conversation.id.as_i64();
                assert_eq!(self.mirror.between(members), if created { None } else { Some(id) });
                self.expect_told(if created { 1 } else { 0 }, None);
                self.mirror
                    .conversations
                    .entry(id)
                    .or_insert_with(|| Conversation { members, ..Conversation::default() });
            }
            (expected, reply) => panic!("{user} with {other}: {expected:?}, {reply:?}"),
        }
    }

    async fn send(&mut self, user: i64, actor: Actor, step: u64) {
        let to = self.some_conversation();
        let content = self.text();
        let client_id = if self.below(10) == 0 { format!("again-{}", self.below(30)) } else { format!("step-{step}") };
        self.send_this(user, actor, to, content, client_id).await;
    }

    async fn send_again(&mut self) {
        if self.last_sent.is_empty() {
            return;
        }
        let place = self.below(self.last_sent.len());
        let (user, to, content, client_id) = self.last_sent[place].clone();
        let actor = self.actors.iter().find(|(id, _)| *id == user).expect("somebody who sent").1;
        self.send_this(user, actor, to, content, client_id).await;
    }

    async fn send_this(&mut self, user: i64, actor: Actor, to: i64, content: String, client_id: String) {
        let expected = self.mirror.may_send(user, to, &content, &client_id);
        let command = SendMessage {
            conversation_id: ConversationId::new(to).expect("positive"),
            content: content.clone(),
            attachments: Vec::new(),
            files: Vec::new(),
            reply_to_id: None,
            client_message_id: Some(client_id.clone()),
        };
        match (expected, self.run(actor, command).await) {
            (Err(code), Err(error)) => assert_eq!(error.code(), code, "{user} says {content:?} in {to}"),
            (Ok(Some(earlier)), Ok(MessageSent { message, duplicate: true })) => {
                assert_eq!(message.id.as_i64(), earlier);
                self.expect_told(0, None);
            }
            (Ok(None), Ok(MessageSent { message, duplicate: false })) => {
                self.mirror.sent(user, to, &content, &client_id, message.id.as_i64());
                assert_eq!(message.rev, self.mirror.conversations[&to].rev);
                self.expect_told(3, Some(message.rev));
                self.last_sent.push((user, to, content, client_id));
            }
            (expected, reply) => panic!("{user} says {content:?} in {to}: {expected:?}, {reply:?}"),
        }
    }

    async fn edit(&mut self, user: i64, actor: Actor) {
        let (message, content) = (self.some_message(), self.text());
        let expected = self.mirror.edit(user, message, &content);
        let command = EditMessage { message_id: id(message), content };
        self.agree(actor, command, expected).await;
    }

    async fn delete(&mut self, user: i64, actor: Actor) {
        let message = self.some_message();
        let expected = self.mirror.delete(user, message);
        self.agree(actor, DeleteMessage { message_id: id(message) }, expected).await;
    }

    async fn react(&mut self, user: i64, actor: Actor) {
        let (message, emoji) = (self.some_message(), EMOJI[self.below(EMOJI.len())]);
        let remove = self.below(3) == 0;
        let expected = self.mirror.react(user, message, emoji, remove);
        let command = ReactToMessage { message_id: id(message), emoji: emoji.to_owned(), remove };
        self.agree(actor, command, expected).await;
    }

    async fn read(&mut self, user: i64, actor: Actor) {
        let message = self.some_message();
        let expected = self.mirror.read(user, message);
        self.agree(actor, ReadMessage { message_id: id(message) }, expected).await;
    }

    async fn mark_unread(&mut self, user: i64, actor: Actor) {
        let (to, message) = (self.some_conversation(), self.some_message());
        let expected = self.mirror.mark_unread(user, to, message);
        let conversation_id = ConversationId::new(to).expect("positive");
        self.agree(actor, MarkUnread { conversation_id, message_id: id(message) }, expected).await;
    }

    async fn read_all(&mut self, user: i64, actor: Actor) {
        let to = self.some_conversation();
        let last = self.mirror.theirs(user, to).map(|found| found.messages.last().map(|last| last.id));
        let expected = match last {
            Err(code) => Err(code),
            Ok(None) => Ok(Done::Nothing),
            Ok(Some(last)) => self.mirror.read(user, last),
        };
        let command = ReadConversation { conversation_id: ConversationId::new(to).expect("positive") };
        self.agree(actor, command, expected).await;
    }

    async fn agree<R: Request>(&mut self, actor: Actor, command: R, expected: Verdict)
    where
        R::Reply: Debug,
        Command: From<Ask<R>>,
    {
        let shown = format!("{command:?}");
        match (expected, self.run(actor, command).await) {
            (Err(code), Err(error)) => assert_eq!(error.code(), code, "{shown}"),
            (Ok(Done::Nothing), Ok(_)) => self.expect_told(0, None),
            (Ok(Done::Changed), Ok(_)) => assert!(!self.take_heard().is_empty(), "nobody was told of {shown}"),
            (expected, reply) => panic!("{shown}: {expected:?}, {reply:?}"),
        }
    }

    async fn run<R: Request>(&mut self, actor: Actor, command: R) -> Result<R::Reply, Error>
    where
        Command: From<Ask<R>>,
    {
        self.take_heard();
        let reply = self.chat.execute(actor, command).await;
        if let Err(error) = &reply {
            assert!(!matches!(error.code(), Code::Internal | Code::Unavailable), "{error}: {:?}", error.cause);
            self.expect_told(0, None);
        }
        reply
    }

    /// Everything was told before the answer came: so many events, of which those about messages carry this number.
    fn expect_told(&mut self, count: usize, rev: Option<i64>) {
        let heard = self.take_heard();
        assert_eq!(heard.len(), count, "{heard:?}");
        for announcement in &heard {
            if let Event::MessageSent(message) = &announcement.event {
                assert_eq!(Some(message.rev), rev);
            }
        }
    }

    fn take_heard(&mut self) -> Vec<Announcement> {
        let heard = std::mem::take(&mut *self.heard.lock().expect("no panic while hearing"));
        heard.iter().for_each(|announcement| self.replicas.hear(announcement));
        heard
    }

    async fn check_page(&mut self, user: i64, actor: Actor) {
        let (conversation, message) = (self.some_conversation(), self.some_message());
        let (kind, limit) = (self.below(4), 1 + self.below(20));
        check::page(&self.chat, &mut self.mirror, (user, actor), conversation, (kind, message), limit).await;
    }

    async fn check_search(&mut self, user: i64, actor: Actor) {
        let word = WORDS[self.below(WORDS.len())];
        check::search(&self.chat, &self.mirror, (user, actor), word).await;
    }

    async fn check_changes(&mut self, user: i64, actor: Actor) {
        let conversation = self.some_conversation();
        let listens = self.below(2) == 0;
        check::changes(&self.chat, &mut self.mirror, &mut self.replicas, (user, actor), conversation, listens).await;
    }

    /// All that anybody can see.
    pub async fn check_everything(&mut self) {
        for (user, actor) in self.actors.clone() {
            check::list(&self.chat, &self.mirror, user, actor).await;
            for word in WORDS {
                check::search(&self.chat, &self.mirror, (user, actor), word).await;
            }
            for conversation in self.mirror.conversations.keys().copied().collect::<Vec<_>>() {
                check::page(&self.chat, &mut self.mirror, (user, actor), conversation, (0, 1), 200).await;
                let replicas = &mut self.replicas;
                check::changes(&self.chat, &mut self.mirror, replicas, (user, actor), conversation, true).await;
                check::revisions(&self.chat, &mut self.mirror, (user, actor), conversation).await;
            }
        }
    }

    /// The server stops and starts again on the same file; everybody stays signed in.
    async fn restart(&mut self) {
        self.chat.close().await;
        self.replicas.cut_off();
        self.chat = start(&self.path, &self.heard);
    }

    fn text(&mut self) -> String {
        match self.below(12) {
            0 => " \n\t".to_owned(),
            words => (0..words).map(|_| WORDS[self.below(WORDS.len())]).collect::<Vec<_>>().join(" "),
        }
    }

    /// Mostly one that exists.
    fn some_conversation(&mut self) -> i64 {
        let count = self.mirror.conversations.len();
        if count == 0 || self.below(30) == 0 {
            return 4711;
        }
        let place = self.below(count);
        *self.mirror.conversations.keys().nth(place).expect("in bounds")
    }

    /// Mostly one that exists, and mostly a recent one.
    fn some_message(&mut self) -> i64 {
        let conversation = self.some_conversation();
        let count = self.mirror.conversations.get(&conversation).map_or(0, |found| found.messages.len());
        if count == 0 {
            return 471_100;
        }
        let back = if self.below(2) == 0 { self.below(count.min(10)) } else { self.below(count) };
        self.mirror.conversations[&conversation].messages[count - 1 - back].id
    }

    fn below(&mut self, bound: usize) -> usize {
        self.randomness ^= self.randomness << 13;
        self.randomness ^= self.randomness >> 7;
        self.randomness ^= self.randomness << 17;
        usize::try_from(self.randomness % bound as u64).expect("below a usize")
    }
}

fn start(path: &Path, heard: &Heard) -> Chat {
    let settings = settings::Settings { path: path.to_owned(), missing: Missing::CreateDemo, readers_max: 2 };
    let db = Db::open(&settings).expect("the database");
    let settings = Settings { message_rate: 0, sign_in_rate: 0, ..Settings::default() };
    let (chat, outcomes) = Chat::new(db, settings).expect("a chat");
    tokio::spawn(hear(outcomes, Arc::clone(heard)));
    chat
}

/// What the hub does, without sockets: everything is told before it is answered.
async fn hear(mut outcomes: Outcomes, heard: Heard) {
    while let Some(batch) = outcomes.recv().await {
        for settled in batch {
            heard.lock().expect("no panic while hearing").extend(settled.events().iter().cloned());
            settled.complete();
        }
    }
}

fn id(message: i64) -> MessageId {
    MessageId::new(message).expect("positive")
}
