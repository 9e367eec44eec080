//! Looking for messages by their words.
//!
//! Whatever people type arrives here as [`Term`]s of folded words and leaves as quoted strings of the index's query
//! language: no character of theirs is ever an operator. Who asks stands first in every expression: what others wrote is
//! never looked at, so that it takes no time either.
//!
//! Two things make the index read long lists before it knows the first hit: a beginning of words that has no index of its
//! own, and many words at once. So a few of the newest messages that may be meant are read first, by what the index finds
//! quickly, and only where that is not the whole answer it is asked for everything ([`list`]). Of a long phrase it is asked
//! for the first words only; the others are read in the messages that have these.
//!
//! Whatever is looked for, a look takes little time: it goes from the newest messages back, some ranges of ids at a time, and
//! where its time is over it says how far it has come. A message's range is a term of the index, because nothing else ends
//! the search for words that never meet.

use std::ops::{ControlFlow, RangeInclusive};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, named_params};

use crate::model::conversation::Members;
use crate::model::id::{ConversationId, MessageId, UserId};
use crate::model::timestamp::Timestamp;
use crate::store::fulltext::marks::{self, RANGE_IDS};
use crate::store::search::terms::{Needles, cut, has_long_start, quoted, widened};
pub use crate::store::search::terms::{Phrase, Term};

mod terms;

/// Messages that are read for each one wanted before the index is asked for everything.
const READ_PER_HIT: usize = 10;

/// Ranges that are looked through at once where that takes little time.
const RANGES_MAX: i64 = 8;

/// A look ends after so many times its time, whatever it waited for.
const WAIT_MAX: u32 = 12;

/// Messages that are looked at in any case before the time counts.
const ROWS_MIN: usize = 1000;

/// What is looked for, and where.
#[derive(Clone, Debug)]
pub struct Question {
    /// Only in this person's conversations.
    pub member: UserId,
    /// Only in the one with that person.
    pub other: Option<UserId>,
    /// All of these must be there.
    pub all: Vec<Term>,
    /// None of these may be there.
    pub none: Vec<Term>,
    /// Only what they said.
    pub sender_id: Option<UserId>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
    /// Only what has a file.
    pub has_file: bool,
    /// Only those whose id is below this.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// A message that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Which.
    pub id: MessageId,
    /// Where.
    pub conversation_id: ConversationId,
    /// Who talks there.
    pub members: Members,
}

/// What a look has brought.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listed {
    /// The newest first.
    pub found: Vec<Found>,
    /// Where the time was over before there was a page: messages whose ids are below this were not looked at.
    pub rest: Option<i64>,
}

/// The statement of a search. Members are asked for once more, beside the expression: whatever an index may say, nobody
/// is shown what is not theirs. The words of a message are read from the message, not from the index.
const SEARCH: &str = "
    SELECT m.id, c.id, c.client_id, c.lawyer_id, m.sender_id, m.created_at, CASE WHEN :reads THEN w.terms END
    FROM message_words w
    CROSS JOIN messages m ON m.id = w.rowid
    CROSS JOIN conversations c ON c.id = m.conversation_id
    WHERE message_words MATCH :expression
      AND w.rowid >= :first
      AND w.rowid < :end
      AND :member IN (c.client_id, c.lawyer_id)
      AND :other IN (c.client_id, c.lawyer_id)
    ORDER BY w.rowid DESC";

/// What answers the question, newest first, as far as it is found within about this time of a processor.
///
/// # Errors
/// When SQLite fails.
pub fn list(conn: &Connection, question: &Question, time: Duration) -> rusqlite::Result<Listed> {
    let mut look = Look::begin(conn, question, time)?;
    let begun = cut(&question.all);
    let all = begun.as_deref().unwrap_or(&question.all);
    let needles = || Needles::of(&question.all);
    if let Some(wider) = widened(all) {
        let reads_max = Some(question.limit * READ_PER_HIT);
        look.go_back(&Aim { all: &wider, needles: Some(needles()), reads_max, has_ranges: true })?;
    }
    // Each time that it is asked for, a long beginning costs the same wherever it is looked for.
    let has_ranges = !all.iter().any(has_long_start);
    look.go_back(&Aim { all, needles: begun.is_some().then(needles), reads_max: None, has_ranges })?;
    Ok(look.listed())
}

/// What a look asks the index for.
struct Aim<'a> {
    /// All of these.
    all: &'a [Term],
    /// What the words of a message must have in them besides.
    needles: Option<Needles>,
    /// After how many messages it ends.
    reads_max: Option<usize>,
    /// Whether it goes range by range.
    has_ranges: bool,
}

/// A look at what is stored, from the newest messages back.
struct Look<'a> {
    conn: &'a Connection,
    question: &'a Question,
    times: RangeInclusive<i64>,
    /// Ids below this are out of the question.
    first: i64,
    /// Ids from this on have been looked at, or are out of the question.
    end: i64,
    timer: Timer,
    rows: usize,
    is_late: bool,
    found: Vec<Found>,
}

impl<'a> Look<'a> {
    fn begin(conn: &'a Connection, question: &'a Question, time: Duration) -> rusqlite::Result<Self> {
        let timer = Timer::start(time);
        let times = question.from.map_or(0, Timestamp::as_millis)..=question.to.map_or(i64::MAX, Timestamp::as_millis);
        let newest: i64 = conn.query_row("SELECT coalesce(max(id), 0) FROM messages", [], |row| row.get(0))?;
        let first = if *times.start() > 0 { first_since(conn, newest, *times.start())? } else { 0 };
        let end = if *times.end() < i64::MAX { first_since(conn, newest, times.end() + 1)? } else { newest + 1 };
        let end = end.min(question.before.unwrap_or(end));
        Ok(Self { conn, question, times, first, end, timer, rows: 0, is_late: false, found: Vec::new() })
    }

    /// Goes back until there is a page, the time is over, or enough messages were read for this aim.
    fn go_back(&mut self, aim: &Aim) -> rusqlite::Result<()> {
        let mut ranges = 1;
        while self.end > self.first && !self.is_over() {
            let newest = (self.end - 1) / RANGE_IDS;
            let low = if aim.has_ranges { (newest + 1 - ranges) * RANGE_IDS } else { 0 }.max(self.first);
            let before = self.timer.spent();
            if self.look_down_to(low, aim)?.is_break() {
                return Ok(());
            }
            self.end = low;
            let took = self.timer.spent().saturating_sub(before);
            ranges = next_ranges(ranges, took, self.timer.left());
            self.is_late = ranges == 0 && self.end > self.first;
        }
        Ok(())
    }

    /// Looks at what the index finds from `low` on; breaks off where it need not go further.
    fn look_down_to(&mut self, low: i64, aim: &Aim) -> rusqlite::Result<ControlFlow<()>> {
        let question = self.question;
        let ranges = aim.has_ranges.then(|| low / RANGE_IDS..=(self.end - 1) / RANGE_IDS);
        let mut asked = self.conn.prepare_cached(SEARCH)?;
        let mut hits = asked.query(named_params! {
            ":expression": expression(question, aim.all, ranges),
            ":reads": aim.needles.is_some(),
            ":first": low,
            ":end": self.end,
            ":member": question.member,
            ":other": question.other.unwrap_or(question.member),
        })?;
        let mut read = 0;
        while let Some(hit) = hits.next()? {
            let id: MessageId = hit.get(0)?;
            let is_meant = question.sender_id.is_none_or(|wanted| hit.get(4) == Ok(wanted))
                && self.times.contains(&hit.get(5)?)
                && match &aim.needles {
                    Some(needles) => needles.all_in(hit.get_ref(6)?.as_str_or_null()?.unwrap_or_default()),
                    None => true,
                };
            if is_meant {
                let members = Members { client_id: hit.get(2)?, lawyer_id: hit.get(3)? };
                self.found.push(Found { id, conversation_id: hit.get(1)?, members });
            }
            self.rows += 1;
            read += 1;
            self.is_late = self.rows >= ROWS_MIN && self.timer.left().is_zero();
            if self.is_over() || aim.reads_max == Some(read) {
                self.end = id.as_i64();
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn is_over(&self) -> bool {
        self.is_late || self.found.len() >= self.question.limit
    }

    fn listed(self) -> Listed {
        Listed { found: self.found, rest: (self.is_late && self.end > self.first).then_some(self.end) }
    }
}

/// The time that a look has: that of a processor, since on a busy machine one that waits for its turn costs nobody anything.
struct Timer {
    time: Duration,
    began: Instant,
    spent_before: Duration,
}

impl Timer {
    fn start(time: Duration) -> Self {
        Self { time, began: Instant::now(), spent_before: thread_time() }
    }

    fn spent(&self) -> Duration {
        let now = thread_time();
        if now.is_zero() { self.began.elapsed() } else { now.saturating_sub(self.spent_before) }
    }

    /// What is left of it; nothing once it has waited for long.
    fn left(&self) -> Duration {
        if self.began.elapsed() >= self.time * WAIT_MAX {
            return Duration::ZERO;
        }
        self.time.saturating_sub(self.spent())
    }
}

/// Processor time that this thread has taken so far; nothing where that is not known.
#[cfg(target_os = "linux")]
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(not(target_os = "linux"))]
fn thread_time() -> Duration {
    Duration::ZERO
}

/// How many ranges to look through next, where so many took that long and that much time is left; none where there is not
/// enough for one.
fn next_ranges(ranges: i64, took: Duration, left: Duration) -> i64 {
    let in_time = i64::try_from(left.as_nanos() * ranges.unsigned_abs() as u128 / took.as_nanos().max(1));
    in_time.unwrap_or(i64::MAX).min(2 * ranges).min(RANGES_MAX)
}

/// The first message that is not older, by halving: ids rise with the time of storing, which never goes back.
fn first_since(conn: &Connection, newest: i64, millis: i64) -> rusqlite::Result<i64> {
    let mut next = conn.prepare_cached(
        "SELECT id, created_at
         FROM messages
         WHERE id >= :id
         ORDER BY id
         LIMIT 1",
    )?;
    let (mut low, mut high) = (0, newest + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let found: Option<(i64, i64)> =
            next.query_row(named_params! { ":id": middle }, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        match found {
            Some((id, created_at)) if created_at < millis => low = id + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// `"1" AND ("contrat") AND ("bail" * OR "baux")`, then perhaps `NOT ("meuble")`; the first is who asks, by their mark.
fn expression(question: &Question, all: &[Term], ranges: Option<RangeInclusive<i64>>) -> String {
    let people = [Some(question.member), question.other, question.sender_id].into_iter().flatten();
    let mut wanted: Vec<String> =
        people.map(|user_id| format!("\"{}\"", marks::member(user_id).collect::<String>())).collect();
    wanted.dedup();
    let mark = |mark: char| format!("\"{mark}\"");
    wanted.extend(question.has_file.then(|| mark(marks::HAS_FILE)));
    let any_of = |ranges: RangeInclusive<i64>| ranges.rev().map(|range| mark(marks::range(range))).collect::<Vec<_>>();
    wanted.extend(ranges.map(|ranges| format!("({})", any_of(ranges).join(" OR "))));
    wanted.extend(all.iter().map(quoted));
    let wanted = wanted.join(" AND ");
    let unwanted: Vec<String> = question.none.iter().map(quoted).collect();
    if unwanted.is_empty() { wanted } else { format!("({wanted}) NOT ({})", unwanted.join(" OR ")) }
}

#[cfg(test)]
mod tests;
