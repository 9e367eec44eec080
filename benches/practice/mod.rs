//! A practice at work, in one process: five clients and five juristes in twenty-five conversations, on a real database
//! file. Shared by the measurements of the right wing.
#![allow(dead_code, unreachable_pub, reason = "each measurement uses its part of it and has nobody above")]

use std::path::Path;
use std::time::Duration;

use lexchat::auth::actor::Actor;
use lexchat::auth::token;
use lexchat::chat::contract::command::conversations::{CreateConversation, SendMessage};
use lexchat::chat::contract::command::people::Device;
use lexchat::chat::contract::reply::MessageSent;
use lexchat::chat::contract::request::Pending;
use lexchat::chat::contract::settings::Settings;
use lexchat::chat::handle::chat::Chat;
use lexchat::chat::handle::completion::Outcomes;
use lexchat::chat::people::sign_in::SignIn;
use lexchat::model::id::{ConversationId, UserId};
use lexchat::model::timestamp::Timestamp;
use lexchat::store::database::open::Db;
use lexchat::store::database::settings::{self, Missing};

/// As in the server.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Clients, and as many juristes.
const PEOPLE: i64 = 5;

/// The people and their conversations.
pub struct Practice {
    /// The door.
    pub chat: Chat,
    /// Who talks where: both sides of each conversation.
    pub talks: Vec<(Actor, ConversationId)>,
}

impl Practice {
    /// Opens a fresh practice in a folder. Whatever is settled is told to nobody.
    pub async fn open(folder: &Path) -> Practice {
        let settings =
            settings::Settings { path: folder.join("practice.db"), missing: Missing::CreateDemo, readers_max: 4 };
        drop(Db::open(&settings).expect("a database"));
        let people_alone = include_str!("../../tests/support/no_conversation.sql");
        rusqlite::Connection::open(&settings.path)
            .expect("a file")
            .execute_batch(people_alone)
            .expect("no conversation");
        let db = Db::open(&settings).expect("a database");
        // What a search takes is measured, and not when it is answered.
        let search_step = Duration::ZERO;
        let settings = Settings { message_rate: 0, sign_in_rate: 0, search_step, ..Settings::default() };
        let (chat, outcomes) = Chat::new(db, settings).expect("a chat");
        tokio::spawn(tell_nobody(outcomes));
        let mut people = Vec::new();
        for (name, number) in (1..=PEOPLE).map(|n| ("client", n)).chain((1..=PEOPLE).map(|n| ("juriste", n))) {
            let email = format!("{name}{number}@example.com");
            let attempt = SignIn { email, password: "Pass123!".to_owned(), device: Device::default() };
            let signed_in = chat.sign_in(attempt).await.map_err(|error| error.to_string()).expect("a demo account");
            let caller = token::verify(&chat.credentials().tokens, &signed_in.access_token, Timestamp::now());
            people.push(Actor::Member(caller.expect("a fresh token")));
        }
        let (clients, juristes) = people.split_at(people.len() / 2);
        let mut talks = Vec::new();
        for client in clients {
            for (juriste, id) in juristes.iter().zip(PEOPLE + 1..) {
                let participant_id = UserId::new(id).expect("positive");
                let command = CreateConversation { participant_id };
                let opened = chat.execute(*client, command).await.map_err(|error| error.to_string());
                let conversation = opened.expect("a conversation").conversation;
                talks.push((*client, conversation.id));
                talks.push((*juriste, conversation.id));
            }
        }
        Practice { chat, talks }
    }

    /// Sends `count` messages, `window` of them under way at once, and waits for the last ack.
    pub async fn relay(&self, texts: &mut Texts, count: usize, window: usize) {
        let mut under_way = std::collections::VecDeque::with_capacity(window);
        for number in 0..count {
            if under_way.len() == window {
                let oldest: Pending<MessageSent> = under_way.pop_front().expect("a full window");
                oldest.await.map_err(|error| error.to_string()).expect("stored");
            }
            let (actor, conversation_id) = self.talks[number % self.talks.len()];
            under_way.push_back(self.chat.submit(actor, texts.message(conversation_id)));
        }
        for pending in under_way {
            pending.await.map_err(|error| error.to_string()).expect("stored");
        }
    }
}

async fn tell_nobody(mut outcomes: Outcomes) {
    while let Some(batch) = outcomes.recv().await {
        for settled in batch {
            settled.complete();
        }
    }
}

/// Sentences that look like French to an index: few words often, many words seldom. The same every time.
pub struct Texts {
    state: u64,
    words: Vec<String>,
    ids: u64,
    has_random_ids: bool,
}

impl Texts {
    /// Sentences from this seed.
    pub fn new(seed: u64) -> Texts {
        let onsets = ["b", "ch", "cl", "d", "f", "g", "j", "l", "m", "n", "p", "pr", "qu", "r", "s", "t", "tr", "v"];
        let rimes = ["a", "ai", "an", "é", "e", "en", "i", "in", "o", "oi", "on", "ou", "u", "er"];
        let mut texts = Texts { state: seed | 1, words: Vec::new(), ids: 0, has_random_ids: false };
        for number in 0..20_000 {
            let syllables = if number < 200 { 1 + texts.below(2) } else { 2 + texts.below(3) };
            let mut word = String::new();
            for _ in 0..syllables {
                word.push_str(onsets[texts.below(onsets.len())]);
                word.push_str(rimes[texts.below(rimes.len())]);
            }
            texts.words.push(word);
        }
        texts
    }

    /// The senders' own ids do not begin with the time, as those of the page do, but are random altogether.
    pub fn with_random_ids(mut self) -> Texts {
        self.has_random_ids = true;
        self
    }

    /// A message of about 120 bytes, with an id of its sender's own as every good client gives.
    pub fn message(&mut self, conversation_id: ConversationId) -> SendMessage {
        let mut content = String::with_capacity(128);
        while content.len() < 112 {
            let word = self.word();
            content.push_str(&self.words[word]);
            content.push(' ');
        }
        self.ids += 1;
        let random = self.random();
        let (first, second) = if self.has_random_ids { (random, self.ids) } else { (self.ids, random) };
        let client_message_id = Some(format!("{first:016x}-{second:016x}"));
        SendMessage {
            conversation_id,
            content,
            attachments: Vec::new(),
            files: Vec::new(),
            reply_to_id: None,
            client_message_id,
        }
    }

    /// The word at this rank: 0 is the commonest.
    pub fn at_rank(&self, rank: usize) -> &str {
        &self.words[rank]
    }

    /// Ranks fall off as they do in languages (Zipf).
    fn word(&mut self) -> usize {
        let share = self.below(1 << 20) as f64 / f64::from(1 << 20);
        let rank = (self.words.len() as f64).powf(share) - 1.0;
        rank as usize
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.random() % bound as u64) as usize
    }

    fn random(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}

/// Time on a processor that this process has taken so far, all threads together.
pub fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
