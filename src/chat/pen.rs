//! The pen's thread: takes what waits, makes the changes in one batch, and hands on what came of them.
//!
//! Nothing is answered or told before the commit that covers it has been synced. When storage fails, nothing of the
//! batch is acknowledged, nothing is accepted any more, and [`Health::Failed`] asks for the process to end; a full
//! disk only refuses until there is space again.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, info, warn};

use crate::chat::error::{Error, Reason};
use crate::chat::execute::{Failure, Health, Settled};
use crate::chat::figures::Figures;
use crate::chat::outcome::Outcome;
use crate::chat::queue::{Job, Queue};
use crate::chat::reply::Reply;
use crate::chat::rules::Rules;
use crate::store::words;
use crate::store::writer::{Pen, Undone, WriteError};

/// Changes in one commit: what came first need not wait for more than these.
const BATCH_MAX: usize = 512;

/// Messages that may wait to be indexed while everybody waits anyway: enough to make it cheap.
const UNINDEXED_MAX: i64 = 1024;

/// Messages that may wait to be indexed otherwise: few enough for nobody to notice the time that it takes.
const UNINDEXED_CALM_MAX: i64 = 64;

/// Changes in a batch from which on everybody waits anyway.
const BUSY_BATCH: usize = 48;

/// All that the thread works with.
#[derive(Debug)]
pub struct Desk {
    /// The one that writes.
    pub pen: Pen,
    /// What waits.
    pub queue: Arc<Queue>,
    /// Where settled batches go.
    pub batches: mpsc::Sender<Vec<Settled>>,
    /// What can be promised.
    pub health: watch::Sender<Health>,
    /// How each command is carried out.
    pub rules: Rules,
    /// Where the work is counted.
    pub figures: Arc<Figures>,
}

/// Starts the thread. It ends when the queue is closed and empty.
///
/// # Errors
/// When the system gives no thread.
pub fn start(desk: Desk) -> io::Result<()> {
    thread::Builder::new().name("pen".to_owned()).spawn(move || run(desk)).map(drop)
}

fn run(mut desk: Desk) {
    let mut waiting = Vec::new();
    while desk.queue.take(&mut waiting) {
        let mut jobs = waiting.drain(..);
        while jobs.len() > 0 {
            let mut batch = jobs.by_ref().take(BATCH_MAX);
            let started = Instant::now();
            let settled = settle(&mut desk.pen, &mut desk.rules, &mut batch, &desk.health);
            desk.figures.count(&settled, started.elapsed());
            // Nobody listening is no reason to stop writing: dropping what is settled answers it.
            let _nobody_listens = desk.batches.blocking_send(settled);
        }
    }
    drop(desk.batches);
    if !matches!(*desk.health.borrow(), Health::Failed(_))
        && let Err(cause) = desk.pen.close()
    {
        warn!(%cause, "the log could not be emptied; it will be at the next start");
    }
    desk.health.send_replace(Health::Closed);
}

/// Carries out some jobs in one commit. What comes back may be told and answered.
fn settle(
    pen: &mut Pen,
    rules: &mut Rules,
    jobs: &mut impl Iterator<Item = Job>,
    health: &watch::Sender<Health>,
) -> Vec<Settled> {
    let mut finished = Vec::with_capacity(jobs.size_hint().0);
    let reason = match *health.borrow() {
        Health::Failed(_) => Some(Reason::Unavailable),
        _ => None,
    };
    let is_full = *health.borrow() == Health::Full;
    let reason = reason.or_else(|| match write(pen, rules, jobs, &mut finished, is_full) {
        Ok(()) => {
            set_health(health, Health::Open);
            None
        }
        Err(cause) => Some(lose(health, &cause)),
    });
    let Some(reason) = reason else {
        if let Err(cause) = pen.checkpoint() {
            lose(health, &cause);
        }
        return finished.into_iter().map(Finished::settled).collect();
    };
    let lost = finished.into_iter().map(|finished| finished.sender).chain(jobs.map(|job| job.sender));
    lost.map(|sender| Settled::new(Vec::new(), (sender, Err(reason.into())))).collect()
}

/// One change, made but not yet on disk.
struct Finished {
    sender: oneshot::Sender<Result<Reply, Error>>,
    result: Result<Outcome, Error>,
}

impl Finished {
    fn settled(self) -> Settled {
        match self.result {
            Ok(outcome) => Settled::new(outcome.events, (self.sender, Ok(outcome.reply))),
            Err(refusal) => Settled::new(Vec::new(), (self.sender, Err(refusal))),
        }
    }
}

fn write(
    pen: &mut Pen,
    rules: &mut Rules,
    jobs: &mut impl Iterator<Item = Job>,
    finished: &mut Vec<Finished>,
    is_full: bool,
) -> Result<(), WriteError> {
    let mut batch = pen.begin()?;
    if is_full {
        // Whether there is room again shows only when something is written; most batches of an idle server write nothing.
        if let Err(Undone::Lost(cause)) = batch.change(words::touch) {
            return Err(cause);
        }
    }
    for Job { actor, command, sender } in jobs {
        let now = rules.next_now();
        let (result, lost) = match batch.change(|conn| rules.carry_out(conn, actor, command, now)) {
            Ok(outcome) => (Ok(outcome), None),
            Err(Undone::Refused(refusal)) => (Err(refusal), None),
            Err(Undone::Panicked) => (Err(Error::internal("a rule panicked")), None),
            Err(Undone::Lost(cause)) => (Err(Reason::Unavailable.into()), Some(cause)),
        };
        finished.push(Finished { sender, result });
        if let Some(cause) = lost {
            return Err(cause);
        }
    }
    let unindexed_max = if finished.len() < BUSY_BATCH { UNINDEXED_CALM_MAX } else { UNINDEXED_MAX };
    match batch.change(|conn| words::catch_up(conn, unindexed_max)) {
        Err(Undone::Lost(cause)) => return Err(cause),
        Err(Undone::Refused(cause)) => warn!(%cause, "the latest messages could not be indexed"),
        Ok(()) | Err(Undone::Panicked) => {}
    }
    batch.commit()
}

/// Says what becomes of the health of the pen, and what those are told whose changes are lost.
fn lose(health: &watch::Sender<Health>, cause: &WriteError) -> Reason {
    match cause {
        WriteError::Full => {
            set_health(health, Health::Full);
            Reason::StorageFull
        }
        WriteError::Busy => {
            warn!("another process holds the database");
            Reason::Unavailable
        }
        WriteError::Failed(cause) => {
            error!(%cause, "storage has failed: nothing is accepted any more");
            health.send_replace(Health::Failed(Failure(cause.to_string())));
            Reason::Unavailable
        }
    }
}

fn set_health(health: &watch::Sender<Health>, now: Health) {
    let before = health.borrow().clone();
    if before == now || matches!(before, Health::Failed(_)) {
        return;
    }
    match now {
        Health::Full => warn!("the disk is full: nothing can be stored until there is space"),
        _ => info!("storing goes on"),
    }
    health.send_replace(now);
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;
    use crate::auth::actor::Actor;
    use crate::chat::command::{AddUser, Command};
    use crate::chat::error::Code;
    use crate::chat::execute::{Chat, Settings};
    use crate::chat::presence::Presence;
    use crate::model::user::{PasswordHash, Role};
    use crate::store::db::{self, Db, Missing};

    fn open(folder: &TempDir) -> Db {
        let path = folder.path().join("lexchat.db");
        Db::open(&db::Settings { path, missing: Missing::CreateEmpty, readers_max: 2 }).unwrap()
    }

    fn rules() -> Rules {
        Rules::new(Arc::new(Settings::default()), Presence::default())
    }

    fn add(email: &str) -> Command {
        Command::AddUser(AddUser {
            name: "Camille Moreau".parse().unwrap(),
            email: email.parse().unwrap(),
            role: Role::Client,
            specialty: None,
            password: PasswordHash("$argon2id$".to_owned()),
        })
    }

    type Receiver = oneshot::Receiver<Result<Reply, Error>>;

    fn jobs(emails: &[&str]) -> (Vec<Job>, Vec<Receiver>) {
        let job = |email: &&str| {
            let (sender, receiver) = oneshot::channel();
            (Job { actor: Actor::System, command: add(email), sender }, receiver)
        };
        emails.iter().map(job).unzip()
    }

    fn code(receiver: &mut Receiver) -> Option<Code> {
        receiver.try_recv().unwrap().err().map(|error| error.code())
    }

    #[test]
    fn nothing_is_answered_before_it_is_told_and_a_refusal_leaves_its_batch_mates_alone() {
        let folder = TempDir::new().unwrap();
        let mut db = open(&folder);
        let (health, _) = watch::channel(Health::Open);
        let (jobs, mut answers) = jobs(&["a@example.com", "a@example.com", "b@example.com"]);
        let settled = settle(&mut db.pen, &mut rules(), &mut jobs.into_iter(), &health);
        assert!(answers.iter_mut().all(|answer| matches!(answer.try_recv(), Err(TryRecvError::Empty))));
        drop(settled);
        let codes: Vec<Option<Code>> = answers.iter_mut().map(code).collect();
        assert_eq!(codes, [None, Some(Code::Conflict), None]);
    }

    #[test]
    fn after_a_failed_commit_nothing_is_acknowledged_and_nothing_more_accepted() {
        let folder = TempDir::new().unwrap();
        let mut db = open(&folder);
        let (health, seen) = watch::channel(Health::Open);
        db.pen.conn.commit_hook(Some(|| true)).unwrap();
        let (first, mut answers) = jobs(&["a@example.com", "b@example.com"]);
        for settled in settle(&mut db.pen, &mut rules(), &mut first.into_iter(), &health) {
            assert!(settled.events().is_empty());
            settled.complete();
        }
        assert!(answers.iter_mut().all(|answer| code(answer) == Some(Code::Unavailable)));
        assert!(matches!(*seen.borrow(), Health::Failed(_)));
        db.pen.conn.commit_hook(None::<fn() -> bool>).unwrap();
        let (later, mut answers) = jobs(&["c@example.com"]);
        drop(settle(&mut db.pen, &mut rules(), &mut later.into_iter(), &health));
        assert_eq!(code(&mut answers[0]), Some(Code::Unavailable));
        let people: i64 = db.pen.conn.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap();
        assert_eq!(people, 0);
    }

    #[test]
    fn a_full_disk_refuses_until_there_is_room_again() {
        let folder = TempDir::new().unwrap();
        let mut db = open(&folder);
        let (health, seen) = watch::channel(Health::Open);
        let room = |db: &Db, sql: &str| db.pen.conn.query_row(sql, [], |_| Ok(())).unwrap();
        room(&db, "PRAGMA max_page_count = 1");
        let emails: Vec<String> = (0..400).map(|number| format!("person{number}@example.com")).collect();
        let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
        let (many, mut answers) = jobs(&emails);
        drop(settle(&mut db.pen, &mut rules(), &mut many.into_iter(), &health));
        assert_eq!(code(answers.last_mut().unwrap()), Some(Code::Unavailable));
        room(&db, "PRAGMA max_page_count = 100000");
        let (again, mut answers) = jobs(&emails);
        drop(settle(&mut db.pen, &mut rules(), &mut again.into_iter(), &health));
        assert_eq!(code(answers.last_mut().unwrap()), None);
        assert_eq!(*seen.borrow(), Health::Open);
    }

    #[test]
    fn while_the_disk_is_full_each_batch_tries_to_write() {
        let folder = TempDir::new().unwrap();
        let mut db = open(&folder);
        let (health, _) = watch::channel(Health::Open);
        let mut changes = |health: &watch::Sender<Health>| {
            let before = db.pen.conn.total_changes();
            drop(settle(&mut db.pen, &mut rules(), &mut std::iter::empty(), health));
            db.pen.conn.total_changes() - before
        };
        assert_eq!(changes(&health), 0);
        health.send_replace(Health::Full);
        assert_eq!(changes(&health), 1);
        assert_eq!(*health.borrow(), Health::Open);
    }

    #[tokio::test]
    async fn what_was_submitted_before_closing_is_carried_out_and_what_comes_after_is_not() {
        let folder = TempDir::new().unwrap();
        let (chat, mut outcomes) = Chat::new(open(&folder), Settings::default()).unwrap();
        let waiting: Vec<_> =
            (0..50).map(|number| chat.submit(Actor::System, add(&format!("person{number}@example.com")))).collect();
        let told = tokio::spawn(async move { while outcomes.recv().await.is_some() {} });
        chat.close().await;
        for pending in waiting {
            pending.await.unwrap();
        }
        told.await.unwrap();
        assert_eq!(chat.health(), Health::Closed);
        let late = chat.execute(Actor::System, add("late@example.com")).await;
        assert_eq!(late.unwrap_err().code(), Code::Unavailable);
    }

    #[tokio::test]
    async fn nobody_listening_is_no_reason_not_to_answer() {
        let folder = TempDir::new().unwrap();
        let (chat, outcomes) = Chat::new(open(&folder), Settings::default()).unwrap();
        drop(outcomes);
        chat.execute(Actor::System, add("a@example.com")).await.unwrap();
    }
}
