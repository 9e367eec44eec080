//! Emoji under messages.

use rusqlite::Connection;
use unicode_segmentation::UnicodeSegmentation;

use crate::auth::actor::Actor;
use crate::chat::access;
use crate::chat::command::ReactToMessage;
use crate::chat::conversations::updated;
use crate::chat::error::{Error, Reason};
use crate::chat::event::{Audience, Event, MessageReacted, Told};
use crate::chat::messages::{self, Surroundings};
use crate::chat::outcome::Outcome;
use crate::chat::reply::Reply;
use crate::model::locale::Text;
use crate::model::message::Reaction;
use crate::model::timestamp::Timestamp;
use crate::store;

/// Different emoji under one message.
const DIFFERENT_MAX: usize = 20;

/// The longest emoji sequences (families, flags of regions) are well below this many bytes.
const EMOJI_BYTES_MAX: usize = 64;

/// Adds or takes back one's own emoji under a message. What is so already changes nothing and tells nobody.
///
/// # Errors
/// `UNAUTHENTICATED`, `NOT_FOUND`, `INVALID` (no emoji), `CONFLICT` (deleted; a twenty-first emoji), `RATE_LIMITED`.
pub fn react(
    conn: &Connection,
    actor: Actor,
    command: &ReactToMessage,
    now: Timestamp,
    around: &mut Surroundings<'_>,
) -> Result<Outcome, Error> {
    let mut standing = access::require_standing_at(conn, actor, command.message_id, now)?;
    let emoji = command.emoji.trim();
    if !is_emoji(emoji) {
        return Err(Error::invalid("emoji", Text::new("doit être un seul emoji", "must be a single emoji")));
    }
    let message = messages::load(conn, &standing, command.message_id)?;
    let me = standing.me.id;
    let there = message.reactions.iter().find(|reaction| reaction.emoji == emoji);
    let is_mine = there.is_some_and(|reaction| reaction.user_ids.contains(&me));
    if is_mine != command.remove {
        return Ok(Reply::Reactions(message.reactions).into());
    }
    if message.is_deleted {
        return Err(Reason::MessageDeleted.into());
    }
    if !command.remove && there.is_none() && message.reactions.len() >= DIFFERENT_MAX {
        return Err(Reason::ReactionsFull.into());
    }
    around.rates.take(me, now)?;
    if command.remove {
        store::reactions::delete(conn, message.id, emoji, me)?;
    } else {
        store::reactions::insert(conn, message.id, emoji, me)?;
    }
    let rev = messages::take_rev(conn, &mut standing, now, around)?;
    store::messages::set_rev(conn, message.id, rev)?;
    let reactions: Vec<Reaction> = store::reactions::list_of(conn, message.id)?;
    let reacted = MessageReacted {
        message_id: message.id,
        conversation_id: message.conversation_id,
        emoji: emoji.to_owned(),
        user_id: me,
        removed: command.remove,
        reactions: reactions.clone(),
        rev,
    };
    let audience = Audience::Joined(message.conversation_id, standing.conversation.members);
    let told = Told { audience, event: Event::MessageReacted(reacted), at: now };
    let events = vec![told, updated(conn, message.conversation_id, now)?];
    Ok(Outcome { reply: Reply::Reactions(reactions), events })
}

/// Whether a text is exactly one grapheme, and that an emoji.
fn is_emoji(text: &str) -> bool {
    if text.len() > EMOJI_BYTES_MAX || text.graphemes(true).count() != 1 {
        return false;
    }
    let mut rest = text.chars();
    let Some(first) = rest.next() else { return false };
    let rest = rest.as_str();
    match first {
        // Keycaps: a digit, perhaps asked to look like an emoji, in a key.
        '0'..='9' | '#' | '*' => matches!(rest, "\u{20e3}" | "\u{fe0f}\u{20e3}"),
        // Flags of countries are two letters.
        _ if is_flag_letter(first) => rest.chars().count() == 1 && rest.chars().all(is_flag_letter),
        _ => is_pictograph(first) && rest.chars().all(goes_with_pictographs),
    }
}

fn is_flag_letter(c: char) -> bool {
    ('\u{1f1e6}'..='\u{1f1ff}').contains(&c)
}

/// A character that stands for a picture by itself.
fn is_pictograph(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2194}'..='\u{21aa}'
        | '\u{231a}'..='\u{23ff}'
        | '\u{24c2}'
        | '\u{25aa}'..='\u{25fe}'
        | '\u{2600}'..='\u{27bf}'
        | '\u{2934}' | '\u{2935}'
        | '\u{2b05}'..='\u{2b55}'
        | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f004}'..='\u{1f1e5}'
        | '\u{1f200}'..='\u{1faff}')
}

/// What may follow: joiners, skin tones, tags, other pictographs that the joiner joins.
fn goes_with_pictographs(c: char) -> bool {
    matches!(c, '\u{200d}' | '\u{fe0f}' | '\u{fe0e}' | '\u{20e3}' | '\u{e0020}'..='\u{e007f}') || is_pictograph(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_emoji_is_one_picture_whatever_it_is_made_of() {
        for emoji in ["👍", "👍🏽", "❤️", "❤", "👨‍👩‍👧‍👦", "🇫🇷", "1️⃣", "#️⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "©️", "🫶", "☕", "⚖️", "✅", "🏳️‍🌈"]
        {
            assert!(is_emoji(emoji), "{emoji}");
        }
        for other in
            ["", "a", "1", "👍👍", "👍 ", "ok", "é", "🇫", "<", "中", "\u{200d}", "\u{fe0f}", "👍a", "\0", "🇫🇷🇩🇪"]
        {
            assert!(!is_emoji(other), "{other:?}");
        }
        assert!(!is_emoji(&"👨\u{200d}".repeat(40)));
    }
}
