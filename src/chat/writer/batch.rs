//! One batch, from BEGIN to what may be announced: begin, a savepoint for each change, flush, followers, COMMIT.
//!
//! The writer's thread, the local administrator and the tests all make their changes here, so a rule meets the same
//! transaction wherever it runs. Nothing of a batch that is lost is announced or acknowledged.

use tracing::warn;

use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::request::{Applied, Settled};
use crate::chat::handle::queue::Job;
use crate::chat::writer::dispatch::Rules;
use crate::store::database::batch::{Batch, Undone};
use crate::store::database::error::WriteError;
use crate::store::database::wal::LOOK_EVERY;
use crate::store::database::writer::Writer;
use crate::store::fulltext;
use crate::store::new_messages::Insert;

/// A batch that was taken back, or may have been.
pub struct Lost {
    pub cause: WriteError,
    applied: Vec<Applied>,
}

impl Lost {
    /// Refuses all that was carried out in it.
    pub fn refuse(self, reason: Reason) -> impl Iterator<Item = Settled> {
        self.applied.into_iter().map(move |applied| applied.lose(reason))
    }
}

/// Changes in one commit: what came first need not wait for more than these.
pub const CHANGES_MAX: usize = 512;

/// Carries out the first of some jobs in one commit. Where `proves_space` is set something is written even if no job writes: whether a
/// full disk has space again shows only then.
///
/// # Errors
/// Where the batch is lost. Jobs that are left in the iterator were not looked at.
pub fn carry_out(
    writer: &mut Writer,
    rules: &mut Rules,
    jobs: &mut impl ExactSizeIterator<Item = Job>,
    proves_space: bool,
) -> Result<Vec<Settled>, Lost> {
    let mut applied = Vec::with_capacity(jobs.len().min(CHANGES_MAX));
    match write(writer, rules, jobs, &mut applied, proves_space) {
        Ok(()) => Ok(applied.into_iter().map(Applied::settle).collect()),
        Err(cause) => {
            rules.forget();
            rules.forget_index();
            Err(Lost { cause, applied })
        }
    }
}

/// Puts the full-text index in order by one step, where that is wanted, in a commit of its own. Nobody waits for what comes
/// of it.
///
/// # Errors
/// Where nothing could be written.
pub fn put_in_order(writer: &mut Writer, rules: &mut Rules) -> Result<(), WriteError> {
    if !rules.wants_order() {
        return Ok(());
    }
    let written = writer.begin().and_then(|mut batch| {
        rules.begin(batch.conn())?;
        write_index(&mut batch, rules, Rules::put_in_order)?;
        batch.commit()
    });
    if written.is_err() {
        rules.forget_index();
    }
    written
}

/// Makes one change that is no command, in a transaction of its own. It is on disk when this returns.
///
/// # Errors
/// The change's own refusal; else as [`unwritten`].
pub fn change<T>(
    writer: &mut Writer,
    change: impl FnOnce(&rusqlite::Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut batch = writer.begin().map_err(unwritten)?;
    let done = batch.change(change).map_err(|undone| match undone {
        Undone::Refused(refusal) => refusal,
        Undone::Panicked => Error::internal("a change panicked"),
        Undone::Lost(cause) => unwritten(cause),
    })?;
    batch.commit().map_err(unwritten)?;
    Ok(done)
}

/// What whoever asked is answered when nothing could be written.
#[must_use]
pub fn unwritten(cause: WriteError) -> Error {
    let reason = match cause {
        WriteError::Full => Reason::StorageFull,
        WriteError::Busy | WriteError::BrokenOff | WriteError::Failed(_) | WriteError::Replaced { .. } => {
            Reason::Unavailable
        }
    };
    Error { cause: Some(Box::new(cause)), ..Error::from(reason) }
}

fn write(
    writer: &mut Writer,
    rules: &mut Rules,
    jobs: &mut impl Iterator<Item = Job>,
    applied: &mut Vec<Applied>,
    proves_space: bool,
) -> Result<(), WriteError> {
    let mut batch = writer.begin()?;
    rules.begin(batch.conn())?;
    if proves_space && let Err(Undone::Lost(cause)) = batch.change(fulltext::touch) {
        return Err(cause);
    }
    let mut insert = Insert::prepare(batch.conn())?;
    for job in jobs.take(CHANGES_MAX) {
        let is_light = job.command.is_light();
        make(&mut batch, rules, &mut insert, job, applied)?;
        if (!is_light || applied.len().is_multiple_of(LOOK_EVERY)) && batch.is_long() {
            break;
        }
    }
    rules.flush(batch.conn())?;
    write_index(&mut batch, rules, |rules, conn| rules.follow(conn, applied.len()))?;
    batch.commit()
}

/// Writes to the full-text index. A batch is not lost because that fails.
fn write_index(
    batch: &mut Batch<'_>,
    rules: &mut Rules,
    write: impl FnOnce(&mut Rules, &rusqlite::Connection) -> rusqlite::Result<()>,
) -> Result<(), WriteError> {
    let undone = match batch.change(|conn| write(rules, conn)) {
        Ok(()) => return Ok(()),
        Err(Undone::Lost(cause)) => return Err(cause),
        Err(undone) => undone,
    };
    rules.forget_index();
    if let Undone::Refused(cause) = undone {
        warn!(%cause, "the full-text index could not be written");
    }
    Ok(())
}

/// Makes the change of one job, of which all is kept or nothing.
fn make(
    batch: &mut Batch<'_>,
    rules: &mut Rules,
    insert: &mut Insert<'_>,
    job: Job,
    applied: &mut Vec<Applied>,
) -> Result<(), WriteError> {
    let Job { actor, command } = job;
    let now = rules.now();
    let is_light = command.is_light();
    if !is_light {
        rules.flush(batch.conn())?;
    }
    let written_before = batch.conn().total_changes();
    let mut done = None;
    let change = |conn: &rusqlite::Connection| {
        let change = rules.apply(conn, &mut |new| insert.run(new), actor, command, now);
        let verdict = if change.is_refused() { Err(()) } else { Ok(()) };
        done = Some(change);
        verdict
    };
    let outcome = if is_light { batch.change_at_once(change) } else { batch.change(change) };
    applied.extend(done);
    match outcome {
        Err(Undone::Lost(cause)) => return Err(cause),
        Err(Undone::Refused(()) | Undone::Panicked) if batch.conn().total_changes() != written_before => rules.forget(),
        Err(Undone::Refused(()) | Undone::Panicked) | Ok(()) => {}
    }
    Ok(())
}
