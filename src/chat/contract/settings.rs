//! What the operator decides about the rules.

use std::time::Duration;

use crate::auth::hasher;
use crate::model::call::Provider;
use crate::model::day::Day;
use crate::model::notices::Available;
use crate::model::recording;
use crate::model::timestamp::Timestamp;
use crate::model::zone::Zone;

/// Where the practice's clock hangs unless the operator says otherwise.
pub const PRACTICE_ZONE: &str = "Europe/Paris";

/// What the operator decides about the rules.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Messages per second that one person may go on sending; 0 = as many as they like.
    pub message_rate: u32,
    /// Messages that one person may send at once.
    pub message_burst: u32,
    /// Socket events and searches per second that one person may go on asking; 0 = as many as they like.
    pub event_rate: u32,
    /// Socket events and searches that one person may ask at once.
    pub event_burst: u32,
    /// Whether clients may open accounts themselves.
    pub sign_up_open: bool,
    /// Files and addresses of one message.
    pub files_per_message_max: usize,
    /// Bytes of one file.
    pub file_bytes_max: u64,
    /// Bytes of all files of one person.
    pub user_bytes_max: u64,
    /// Commands that may wait for the writer.
    pub queue_max: usize,
    /// How long an access token, and with it a silent socket, lives. At most a day.
    pub access_token_life: Duration,
    /// Attempts to prove who one is, from one address in a minute; 0 = as many as they like.
    pub sign_in_rate: u32,
    /// New accounts from one address in a day, without invitation; 0 = as many as they like.
    pub sign_up_rate: u32,
    /// How long after it was sent a message may be edited or deleted; zero = always.
    pub edit_window: Duration,
    /// Searches are answered so long after they began, or after a multiple of it; zero = as soon as they are done.
    pub search_step: Duration,
    /// Conversations that somebody who signed up uninvited may open before a juriste answered.
    pub stranger_conversations_max: u32,
    /// Bytes of files that they may store before that.
    pub stranger_bytes_max: u64,
    /// How notices go, if they do.
    pub notices: Notices,
    /// Whether Stripe's key moves real money; `None` without Stripe.
    pub stripe_livemode: Option<bool>,
    /// Who may start calls.
    pub callers: Callers,
    /// How sound and pictures of calls get across.
    pub call_provider: Provider,
    /// How calls are recorded, where they may be.
    pub recordings: Option<recording::Rules>,
    /// How much password work may be under way.
    pub hasher: hasher::Settings,
}

/// What the operator decides about notices.
#[derive(Clone, Debug)]
pub struct Notices {
    /// The channels that are set up, and how much they may tell. The key of Web Push comes from the database.
    pub available: Available,
    /// Whether mail goes to names that are set apart for examples as well: where the relay is on this machine, and
    /// nothing leaves it.
    pub mails_anywhere: bool,
    /// How long after a message a push leaves.
    pub push_after: Duration,
    /// How long after a message a mail leaves, for who wants it soon.
    pub mail_after: Duration,
    /// Where the practice's clock hangs.
    pub time_zone: Zone,
}

impl Default for Notices {
    fn default() -> Self {
        let time_zone = PRACTICE_ZONE.parse().expect("a zone of the database that is compiled in");
        Self {
            available: Available::default(),
            mails_anywhere: false,
            push_after: Duration::from_secs(5),
            mail_after: Duration::from_secs(10 * 60),
            time_zone,
        }
    }
}

/// Who may start calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Callers {
    /// There are no calls.
    Nobody,
    /// Juristes; clients answer.
    Juristes,
    /// Juristes and clients.
    Everybody,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            message_rate: 20,
            message_burst: 60,
            event_rate: 100,
            event_burst: 400,
            sign_up_open: true,
            files_per_message_max: 20,
            file_bytes_max: 100 << 20,
            user_bytes_max: 5 << 30,
            queue_max: 16_384,
            access_token_life: Duration::from_secs(3600),
            sign_in_rate: 30,
            sign_up_rate: 5,
            edit_window: Duration::from_secs(24 * 3600),
            search_step: Duration::from_millis(10),
            stranger_conversations_max: 3,
            stranger_bytes_max: 100 << 20,
            notices: Notices::default(),
            stripe_livemode: None,
            callers: Callers::Everybody,
            call_provider: Provider::Direct,
            recordings: None,
            hasher: hasher::Settings::default(),
        }
    }
}

impl Settings {
    /// The day at this moment where the practice is.
    #[must_use]
    pub fn today(&self, now: Timestamp) -> Day {
        let date = self.notices.time_zone.date(now);
        let month_and_day = u8::try_from(date.month()).ok().zip(u8::try_from(date.day()).ok());
        let day = month_and_day.and_then(|(month, day)| Day::new(date.year().into(), month, day));
        day.expect("the date of a calendar is one")
    }
}
