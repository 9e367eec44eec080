//! How what can be asked is spelled in JSON: one spelling for whoever carries it here.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::chat::contract::command::calls::Wish;
use crate::chat::contract::command::conversations::{
    EditMessage, FileSource, InlineFile, MarkUnread, ReactToMessage, SendMessage,
};
use crate::chat::contract::question::{Cursor, PAGE_LIMIT, PAGE_LIMIT_MAX, SEARCH_LIMIT_MAX, Search};
use crate::model::call::Media;
use crate::model::fields::Fields;
use crate::model::id::{AttachmentId, ConversationId, INTEGER_MAX, MessageId};
use crate::model::locale::Text;
use crate::model::text::visible;
use crate::model::timestamp::Timestamp;

/// Files and addresses of one message that are read at all: one more than the operator may allow, so that the rule, which
/// knows how many they do, refuses those that are too many.
pub const FILES_READ_MAX: usize = 1001;

/// Bytes of a date that stands without a time, and what it spans.
const DATE_BYTES: usize = "2026-11-22".len();
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The same of a time without seconds, as date fields of pages give it.
const MINUTE_BYTES: usize = "2026-11-22T10:30".len();
const MINUTE: Duration = Duration::from_secs(60);

/// No bound here: the rules count after trimming.
const ANY_LENGTH: std::ops::RangeInclusive<usize> = 0..=usize::MAX;

/// `{conversationId, content, attachments?, files?, replyToId?, clientMessageId?}`.
///
/// `bytes_of` finds the bytes that the `data` of an inline file stands for, where they came along.
pub fn send_message(fields: &mut Fields, bytes_of: impl Fn(&Value) -> Option<Bytes>) -> SendMessage {
    SendMessage {
        conversation_id: fields.id("conversationId"),
        content: fields.optional_text("content", ANY_LENGTH).unwrap_or_default(),
        attachments: attachments(fields),
        files: files(fields, bytes_of),
        reply_to_id: fields.optional_id("replyToId"),
        client_message_id: fields.optional_text("clientMessageId", 1..=64),
    }
}

/// `{messageId, content}`; `message_id` where the address already named it.
pub fn edit_message(fields: &mut Fields, message_id: Option<MessageId>) -> EditMessage {
    EditMessage {
        message_id: message_id.unwrap_or_else(|| fields.id("messageId")),
        content: fields.text("content", ANY_LENGTH),
    }
}

/// `audio` or `video`.
pub fn media(fields: &mut Fields) -> Media {
    let expected = Text::new("doit être audio ou video", "must be audio or video");
    fields.parsed("media", expected, Media::Audio, Media::find)
}

/// `{ask: true}`, or `{consent, keep?, version?}`.
pub fn wish(fields: &mut Fields) -> Wish {
    let (ask, consent) = (fields.optional_boolean("ask"), fields.optional_boolean("consent"));
    let keep = fields.optional_boolean("keep").unwrap_or(false);
    let wording = fields.optional_integer("version", 0..=INTEGER_MAX);
    match (ask, consent) {
        (Some(true), None) => Wish::Ask,
        (None, Some(true)) => Wish::Agree { wording },
        (None, Some(false)) => Wish::Refuse { keep },
        (Some(_), _) => fields.wrong("ask", Text::new("doit être true, sans consent", "must be true, without consent")),
        (None, None) => fields.wrong("consent", Text::new("est requis, ou ask", "is required, or ask")),
    }
}

/// `{messageId, emoji, remove?}`.
pub fn react_to_message(fields: &mut Fields) -> ReactToMessage {
    ReactToMessage {
        message_id: fields.id("messageId"),
        emoji: fields.text("emoji", ANY_LENGTH),
        remove: fields.optional_boolean("remove").unwrap_or(false),
    }
}

/// `{conversationId, messageId}`; `conversation_id` where the address already named it.
pub fn mark_unread(fields: &mut Fields, conversation_id: Option<ConversationId>) -> MarkUnread {
    MarkUnread {
        conversation_id: conversation_id.unwrap_or_else(|| fields.id("conversationId")),
        message_id: fields.id("messageId"),
    }
}

/// `{before?, after?, around?, limit?}`, at most one of the first three.
pub fn page(fields: &mut Fields) -> (Cursor, i64) {
    let given = [
        position(fields, "before").map(Cursor::Before),
        position(fields, "after").map(Cursor::After),
        position(fields, "around").map(Cursor::Around),
    ];
    let mut cursors = given.into_iter().flatten();
    let cursor = cursors.next().unwrap_or_default();
    if let Some(second) = cursors.next() {
        let name = if matches!(second, Cursor::After(_)) { "after" } else { "around" };
        let excludes = Text::new("exclut les autres positions", "excludes the other positions");
        fields.wrong::<()>(name, excludes);
    }
    (cursor, fields.optional_integer("limit", 1..=PAGE_LIMIT_MAX).unwrap_or(PAGE_LIMIT))
}

/// A place in a list that is ordered by ids: any number from 0.
pub fn position(fields: &mut Fields, name: &str) -> Option<i64> {
    fields.optional_integer(name, 0..=INTEGER_MAX)
}

/// `{conversationId?, senderId?, from?, to?, hasFile?, limit?, cursor?}` and the words, under the name `query_name`, which
/// may be missing if something else says what is looked for.
pub fn search(fields: &mut Fields, query_name: &str) -> Search {
    let mut search = Search {
        query: String::new(),
        conversation_id: fields.optional_id("conversationId"),
        sender_id: fields.optional_id("senderId"),
        from: moment(fields, "from", |text| text.parse().ok()),
        to: moment(fields, "to", last_moment),
        has_file: fields.optional_boolean("hasFile").unwrap_or(false),
        limit: fields.optional_integer("limit", 1..=SEARCH_LIMIT_MAX),
        cursor: search_cursor(fields),
    };
    search.query = if search.is_narrowed() {
        fields.optional_text(query_name, 0..=500).filter(|query| visible::has_visible(query)).unwrap_or_default()
    } else {
        fields.text(query_name, 1..=500)
    };
    search
}

/// The `nextCursor` of a page, which is a text, or any place as [`position`] has it: wherever it stands, either will do.
fn search_cursor(fields: &mut Fields) -> Option<i64> {
    let value = fields.take("cursor")?;
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = match &value {
        Value::String(text) if is_plain(text) => text.parse().ok(),
        Value::String(_) => None,
        value => fields.integer_in(value),
    };
    let position = number.filter(|number| (0..=INTEGER_MAX).contains(number));
    if position.is_none() {
        let french = format!("doit être le `nextCursor` d’une page, ou un nombre de 0 à {INTEGER_MAX}");
        let english = format!("must be the `nextCursor` of a page, or a number from 0 to {INTEGER_MAX}");
        return fields.wrong("cursor", Text::new(french, english));
    }
    position
}

fn moment(fields: &mut Fields, name: &str, read: fn(&str) -> Option<Timestamp>) -> Option<Timestamp> {
    let expected = Text::new("doit être une date ISO 8601", "must be an ISO 8601 time");
    fields.optional_parsed(name, expected, read)
}

/// A bare date at the end of a span means all of that day, a time without seconds all of that minute.
fn last_moment(text: &str) -> Option<Timestamp> {
    let moment: Timestamp = text.parse().ok()?;
    let span = match text.len() {
        DATE_BYTES => DAY,
        MINUTE_BYTES => MINUTE,
        _ => return Some(moment),
    };
    Some(moment + span - Duration::from_millis(1))
}

/// The first ones of a list, with their places in it.
fn few(fields: &mut Fields, name: &str) -> Vec<(usize, Value)> {
    let all = fields.optional_list(name, usize::MAX).unwrap_or_default();
    all.into_iter().take(FILES_READ_MAX).enumerate().collect()
}

fn attachments(fields: &mut Fields) -> Vec<String> {
    let mut addresses = Vec::new();
    for (place, value) in few(fields, "attachments") {
        match value {
            Value::String(address) if !address.contains('\0') => addresses.push(address),
            _ => {
                fields.wrong(&format!("attachments[{place}]"), Text::new("doit être une adresse", "must be an address"))
            }
        }
    }
    addresses
}

/// Each an upload's id, an object with that id, or `{name, data}`.
fn files(fields: &mut Fields, bytes_of: impl Fn(&Value) -> Option<Bytes>) -> Vec<FileSource> {
    let mut sources = Vec::new();
    for (place, value) in few(fields, "files") {
        let path = format!("files[{place}]");
        if let Some(id) = fields.id_in::<AttachmentId>(&value) {
            sources.push(FileSource::Stored(id));
            continue;
        }
        let source = fields.inner(&path, value, |file| match file.take("data") {
            None => Some(FileSource::Stored(file.id("id"))),
            Some(data) => {
                let name = file.text("name", 1..=255);
                match bytes_of(&data) {
                    Some(data) => Some(FileSource::Inline(InlineFile { name, data })),
                    None => file.wrong("data", Text::new("doit être binaire", "must be binary")),
                }
            }
        });
        sources.extend(source.flatten());
    }
    sources
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::locale::Locale;

    fn faults_of<T>(value: Value, reader: impl FnOnce(&mut Fields) -> T) -> Vec<String> {
        let read = Fields::read_value(value, reader);
        read.err().unwrap_or_default().into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn every_fault_of_a_message_is_named() {
        let value = json!({
            "content": 1, "attachments": [1], "files": ["x", {"name": "a", "data": "not binary"}, {"id": 0}],
            "replyToId": -1, "clientMessageId": "",
        });
        let faults = faults_of(value, |fields| send_message(fields, |_| None));
        let expected = [
            "conversationId",
            "content",
            "attachments[0]",
            "files[0]",
            "files[1].data",
            "files[2].id",
            "replyToId",
            "clientMessageId",
        ];
        assert_eq!(faults, expected);
    }

    #[test]
    fn what_would_forge_state_is_not_even_read() {
        let value =
            json!({"conversationId": 1, "content": "x", "senderId": 2, "isRead": true, "createdAt": "1999-01-01"});
        let read = Fields::read_value(value, |fields| send_message(fields, |_| None)).unwrap();
        assert_eq!(format!("{read:?}").matches("1999").count(), 0);
        assert_eq!(read.conversation_id.as_i64(), 1);
    }

    #[test]
    fn files_are_ids_or_bytes_that_came_along() {
        let value = json!({"conversationId": 1, "files": [3.0, {"id": 4.0}, {"name": "a.txt", "data": {"num": 0}}]});
        let read =
            Fields::read_value(value, |fields| send_message(fields, |_| Some(Bytes::from_static(b"abc")))).unwrap();
        let shown: Vec<String> = read.files.iter().map(|file| format!("{file:?}")).collect();
        assert!(shown[0].contains('3') && shown[1].contains('4') && shown[2].contains("abc"), "{shown:?}");
    }

    #[test]
    fn a_cursor_of_a_search_is_a_place_as_text_or_as_number() {
        let read = |cursor: Value| {
            let value = json!({"query": "bail", "cursor": cursor});
            Fields::read_value(value, |fields| search(fields, "query")).map(|search| search.cursor)
        };
        for (cursor, place) in [(json!("12"), 12), (json!(12), 12), (json!(12.0), 12), (json!("0"), 0)] {
            assert_eq!(read(cursor.clone()), Ok(Some(place)), "{cursor}");
        }
        for cursor in [
            json!("x"),
            json!(""),
            json!("+1"),
            json!("-1"),
            json!("1.0"),
            json!(-1),
            json!(1.5),
            json!(1e300),
            json!([]),
        ] {
            let faults = read(cursor.clone()).unwrap_err();
            assert_eq!(faults.len(), 1, "{cursor}");
            assert!(faults[0].message.show(Locale::French).contains("un nombre de 0 à"), "{cursor}: {faults:?}");
        }
        assert_eq!(read(Value::Null), Ok(None));
    }

    #[test]
    fn a_query_that_shows_nothing_is_none() {
        for blank in ["", " ", "\u{200b}", "\u{3164}", "\u{2800}", "\u{ad} \u{ad}"] {
            assert_eq!(faults_of(json!({"query": blank}), |fields| search(fields, "query")), ["query"], "{blank:?}");
            let narrowed = json!({"query": blank, "hasFile": true});
            assert_eq!(Fields::read_value(narrowed, |fields| search(fields, "query")).unwrap().query, "", "{blank:?}");
        }
    }

    #[test]
    fn a_bare_date_is_the_whole_day_at_either_end_of_a_span() {
        let span = |from: &str, to: &str| {
            let value = json!({"query": "bail", "from": from, "to": to});
            let search = Fields::read_value(value, |fields| search(fields, "query")).unwrap();
            (search.from.unwrap().to_string(), search.to.unwrap().to_string())
        };
        let day = ("2026-11-22T00:00:00.000Z".to_owned(), "2026-11-22T23:59:59.999Z".to_owned());
        assert_eq!(span("2026-11-22", "2026-11-22"), day);
        assert_eq!(span(&day.0, &day.1), day, "a time is taken as it stands");
        let minute = ("2026-11-22T10:30:00.000Z".to_owned(), "2026-11-22T10:30:59.999Z".to_owned());
        assert_eq!(span("2026-11-22T10:30", "2026-11-22T10:30"), minute);
    }

    #[test]
    fn a_page_has_one_position_and_a_bounded_length() {
        assert_eq!(faults_of(json!({"before": 1, "around": 2, "limit": 201}), page), ["around", "limit"]);
        let read = Fields::read_value(json!({"after": 7}), page).unwrap();
        assert_eq!(read, (Cursor::After(7), PAGE_LIMIT));
    }

    #[test]
    fn a_position_is_any_number_from_zero() {
        for (value, is_good) in [
            (json!(0), true),
            (json!(1.0), true),
            (json!(9_007_199_254_740_991_i64), true),
            (json!(9_007_199_254_740_992_i64), false),
            (json!(u64::MAX), false),
            (json!(1e300), false),
            (json!(-1), false),
            (json!(1.5), false),
            (json!("1"), false),
            (json!([]), false),
        ] {
            for name in ["before", "after", "around"] {
                let faults = faults_of(json!({name: value}), page);
                assert_eq!(faults.is_empty(), is_good, "{name}: {value}: {faults:?}");
            }
        }
    }
}
