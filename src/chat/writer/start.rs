//! Starts a chat: its keys, its writer's thread, and the handle that everybody else holds.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::auth::hasher::Hasher;
use crate::auth::vapid;
use crate::chat::access::credentials::Credentials;
use crate::chat::access::keys;
use crate::chat::billing::demo;
use crate::chat::contract::bell::Bell;
use crate::chat::contract::error::Error;
use crate::chat::contract::presence::Presence;
use crate::chat::contract::seats::Seats;
use crate::chat::contract::settings::Settings;
use crate::chat::handle::activity::Activity;
use crate::chat::handle::chat::Chat;
use crate::chat::handle::completion::{Health, Outcomes};
use crate::chat::handle::guard::Faults;
use crate::chat::handle::metrics::Metrics;
use crate::chat::handle::queue::Queue;
use crate::chat::writer::batch;
use crate::chat::writer::dispatch::Rules;
use crate::chat::writer::thread;
use crate::model::timestamp::Timestamp;
use crate::store::database::history;
use crate::store::database::open::Db;

/// Batches that may wait to be announced before the writer pauses.
const BATCHES_MAX: usize = 16;

impl Chat {
    /// Starts the writer on this database, making its signing keys first if there are none. The chat goes on until
    /// [`Chat::close`].
    ///
    /// # Errors
    /// `INTERNAL` when the keys cannot be made or read, or the system gives no thread.
    pub fn new(mut db: Db, mut settings: Settings) -> Result<(Self, Outcomes), Error> {
        let now = Timestamp::now();
        batch::change(&mut db.writer, |conn| keys::ensure(conn, now))?;
        if let Some(web_push) = &mut settings.notices.available.web_push {
            let pair = keys::load_vapid(&db.writer.conn)?;
            web_push.public_key = vapid::public_key(&pair).map_err(Error::internal)?;
        }
        if db.created {
            batch::change(&mut db.writer, |conn| demo::seed(conn, settings.today(now), now))?;
        }
        let credentials = Credentials::load(&db.writer.conn, Hasher::new(settings.hasher))?;
        let history = history::load(&db.writer.conn)?.into();
        let (batches_in, batches) = mpsc::channel(BATCHES_MAX);
        let (health_in, health) = watch::channel(Health::Open);
        let queue = Arc::new(Queue::new(settings.queue_max));
        let presence = Presence::default();
        let seats = Seats::default();
        let activity = Arc::new(Activity::new(settings.event_rate, settings.event_burst));
        let settings = Arc::new(settings);
        let metrics = Arc::new(Metrics::default());
        let bell = Arc::<Bell>::default();
        thread::start(thread::WriterThread {
            writer: db.writer,
            queue: Arc::clone(&queue),
            batches: batches_in,
            health: health_in,
            metrics: Arc::clone(&metrics),
            rules: Rules::new(Arc::clone(&settings), presence.clone(), seats.clone(), Arc::clone(&bell)),
        })
        .map_err(Error::internal)?;
        let chat = Self {
            readers: db.readers,
            presence,
            bell,
            deliveries: Arc::default(),
            news: Arc::default(),
            seats,
            queue,
            health,
            faults: Faults::default(),
            credentials,
            settings,
            metrics,
            demo_accounts: Arc::default(),
            searching: Arc::default(),
            history,
            activity,
            due: Arc::new(watch::Sender::new(())),
        };
        Ok((chat, Outcomes::new(batches)))
    }
}
