//! The chat as it should be, in the simplest form that can be right: vectors, and no thought of speed.

use std::collections::{BTreeMap, BTreeSet};

use lexchat::chat::contract::error::Code;

/// Whether a command changed something, or why it was refused.
pub type Verdict = Result<Done, Code>;

/// What a command did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Done {
    /// Something is different now.
    Changed,
    /// All was so already: nobody may be told anything.
    Nothing,
}

/// Everybody's conversations. Ids are what the chat gave.
#[derive(Clone, Default, Debug)]
pub struct Mirror {
    /// By id.
    pub conversations: BTreeMap<i64, Conversation>,
    /// Senders' own ids: the message, and the body it was sent with.
    sent_as: BTreeMap<(i64, String), (i64, i64, String)>,
}

/// One conversation.
#[derive(Clone, Default, Debug)]
pub struct Conversation {
    /// Client and juriste.
    pub members: [i64; 2],
    /// Its latest change.
    pub rev: i64,
    /// In order of sending.
    pub messages: Vec<Message>,
    /// How far each has read.
    pub read: BTreeMap<i64, i64>,
    /// How far each has read in their own eyes, where that is less.
    pub shown: BTreeMap<i64, i64>,
}

/// One message.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Message {
    /// Its id.
    pub id: i64,
    /// Who said it.
    pub sender: i64,
    /// What they say now.
    pub content: String,
    /// What they said before.
    pub earlier: Vec<String>,
    /// Emoji and who, in order of use.
    pub reactions: Vec<(String, i64)>,
    /// Whether it was taken back.
    pub is_deleted: bool,
    /// Its latest change.
    pub rev: i64,
}

impl Conversation {
    /// The other one.
    pub fn peer_of(&self, user: i64) -> i64 {
        if self.members[0] == user { self.members[1] } else { self.members[0] }
    }

    /// What a member has not read.
    pub fn unread_of(&self, user: i64) -> usize {
        let read = self.read.get(&user).copied().unwrap_or(0);
        self.messages.iter().filter(|m| m.sender != user && m.id > read && !m.is_deleted).count()
    }

    /// What a member has not read in their own eyes.
    pub fn shown_unread_of(&self, user: i64) -> usize {
        let read = self.shown_read_of(user).unwrap_or(0);
        self.messages.iter().filter(|m| m.sender != user && m.id > read && !m.is_deleted).count()
    }

    /// How far a member has read in their own eyes.
    pub fn shown_read_of(&self, user: i64) -> Option<i64> {
        self.shown.get(&user).or_else(|| self.read.get(&user)).copied().filter(|read| *read != 0)
    }

    /// Whether the other party has read a message.
    pub fn is_read(&self, message: &Message) -> bool {
        self.read.get(&self.peer_of(message.sender)).is_some_and(|read| *read >= message.id)
    }
}

impl Mirror {
    /// The conversation of two people, if they may have one: its members, client first.
    pub fn pair(me: i64, other: i64) -> Result<[i64; 2], Code> {
        match (me, other) {
            (me, other) if me == other => Err(Code::Conflict),
            (_, other) if !(1..=11).contains(&other) => Err(Code::NotFound),
            (1..=5, 6..=10) => Ok([me, other]),
            (6..=10, 1..=5) => Ok([other, me]),
            _ => Err(Code::Conflict),
        }
    }

    /// The id of the conversation between two people.
    pub fn between(&self, members: [i64; 2]) -> Option<i64> {
        self.conversations.iter().find(|(_, conversation)| conversation.members == members).map(|(id, _)| *id)
    }

    /// A conversation that `user` belongs to.
    pub fn theirs(&mut self, user: i64, id: i64) -> Result<&mut Conversation, Code> {
        self.conversations.get_mut(&id).filter(|found| found.members.contains(&user)).ok_or(Code::NotFound)
    }

    /// The conversation and place of a message that `user` may see.
    pub fn locate(&mut self, user: i64, message: i64) -> Result<(&mut Conversation, usize), Code> {
        let found = self.conversations.values_mut().filter(|conversation| conversation.members.contains(&user));
        for conversation in found {
            if let Some(place) = conversation.messages.iter().position(|m| m.id == message) {
                return Ok((conversation, place));
            }
        }
        Err(Code::NotFound)
    }

    /// What sending must come to: the id of the earlier message for a repetition.
    pub fn may_send(&mut self, user: i64, to: i64, content: &str, client_id: &str) -> Result<Option<i64>, Code> {
        self.theirs(user, to)?;
        if content.trim().is_empty() {
            return Err(Code::Invalid);
        }
        let Some((conversation, message, body)) = self.sent_as.get(&(user, client_id.to_owned())).cloned() else {
            return Ok(None);
        };
        let is_deleted = {
            let (found, place) = self.locate(user, message)?;
            found.messages[place].is_deleted
        };
        let same = conversation == to && (is_deleted || body == content.trim());
        if same { Ok(Some(message)) } else { Err(Code::Conflict) }
    }

    /// Notes a message under the id that the chat gave it.
    pub fn sent(&mut self, user: i64, to: i64, content: &str, client_id: &str, id: i64) {
        let conversation = self.conversations.get_mut(&to).expect("a conversation");
        conversation.rev += 1;
        let (content, rev) = (content.trim().to_owned(), conversation.rev);
        conversation.messages.push(Message { id, sender: user, content: content.clone(), rev, ..Message::default() });
        self.sent_as.insert((user, client_id.to_owned()), (to, id, content));
    }

    /// Another text.
    pub fn edit(&mut self, user: i64, message: i64, content: &str) -> Verdict {
        let (conversation, place) = self.locate(user, message)?;
        let found = &mut conversation.messages[place];
        if found.sender != user {
            return Err(Code::Forbidden);
        }
        if found.is_deleted {
            return Err(Code::Conflict);
        }
        if content.trim().is_empty() {
            return Err(Code::Invalid);
        }
        if found.content == content.trim() {
            return Ok(Done::Nothing);
        }
        conversation.rev += 1;
        found.rev = conversation.rev;
        found.earlier.push(std::mem::replace(&mut found.content, content.trim().to_owned()));
        Ok(Done::Changed)
    }

    /// Taken back.
    pub fn delete(&mut self, user: i64, message: i64) -> Verdict {
        let (conversation, place) = self.locate(user, message)?;
        let found = &mut conversation.messages[place];
        if found.sender != user {
            return Err(Code::Forbidden);
        }
        if found.is_deleted {
            return Ok(Done::Nothing);
        }
        conversation.rev += 1;
        *found = Message { id: found.id, sender: user, is_deleted: true, rev: conversation.rev, ..Message::default() };
        Ok(Done::Changed)
    }

    /// An emoji more or less.
    pub fn react(&mut self, user: i64, message: i64, emoji: &str, remove: bool) -> Verdict {
        let (conversation, place) = self.locate(user, message)?;
        let found = &mut conversation.messages[place];
        let mine = (emoji.to_owned(), user);
        if found.reactions.contains(&mine) != remove {
            return Ok(Done::Nothing);
        }
        if found.is_deleted {
            return Err(Code::Conflict);
        }
        if remove {
            found.reactions.retain(|reaction| *reaction != mine);
        } else {
            found.reactions.push(mine);
        }
        conversation.rev += 1;
        found.rev = conversation.rev;
        Ok(Done::Changed)
    }

    /// Read up to there.
    pub fn read(&mut self, user: i64, message: i64) -> Verdict {
        let (conversation, place) = self.locate(user, message)?;
        let id = conversation.messages[place].id;
        let rejoins = conversation.shown.get(&user).is_some_and(|shown| *shown < id);
        if rejoins {
            conversation.shown.remove(&user);
        }
        let mark = conversation.read.entry(user).or_insert(0);
        if *mark >= id {
            return Ok(if rejoins { Done::Changed } else { Done::Nothing });
        }
        *mark = id;
        Ok(Done::Changed)
    }

    /// Unread from there on, in one's own eyes.
    pub fn mark_unread(&mut self, user: i64, to: i64, message: i64) -> Verdict {
        let conversation = self.theirs(user, to)?;
        let place = conversation.messages.iter().position(|m| m.id == message).ok_or(Code::NotFound)?;
        let shown = if place == 0 { 0 } else { conversation.messages[place - 1].id };
        let is_less = conversation.read.get(&user).is_some_and(|read| shown < *read);
        let before = conversation.shown.remove(&user);
        if is_less {
            conversation.shown.insert(user, shown);
        }
        Ok(if before == conversation.shown.get(&user).copied() { Done::Nothing } else { Done::Changed })
    }

    /// The messages that `user` may find by exactly this word, newest first.
    pub fn find(&self, user: i64, word: &str) -> Vec<i64> {
        let theirs = self.conversations.values().filter(|conversation| conversation.members.contains(&user));
        let found: BTreeSet<i64> = theirs
            .flat_map(|conversation| &conversation.messages)
            .filter(|message| message.content.split_whitespace().any(|said| said == word))
            .map(|message| message.id)
            .collect();
        found.into_iter().rev().collect()
    }
}
