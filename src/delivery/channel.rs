//! The loop of a channel: lease, hand over, settle, and wait for more.

use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

use crate::auth::actor::Actor;
use crate::chat::contract::command::deliveries::{LeaseDeliveries, ReleaseDeliveries, SettleDeliveries, Settlement};
use crate::chat::handle::chat::Chat;
use crate::delivery::hosts::{Hosts, host_of};
use crate::delivery::pause::OF_MAIL;
use crate::delivery::push::Pushed;
use crate::delivery::settings::{Mail, Settings};
use crate::delivery::{mail, push, watch};
use crate::model::delivery::Channel;
use crate::model::id::DeliveryId;
use crate::model::timestamp::Timestamp;
use crate::store::outbox::Leased;

/// Deliveries taken at once. Taking one asks for a good deal, and the ack of a message may have to wait for it.
const TAKEN_AT_ONCE: usize = 4;

/// Pushes on their way at once; they go side by side.
const PUSHES_AT_ONCE: usize = 32;

/// From one push to the next: two hundred in a second, one by one, leave the machine to the chat however many are due.
const PUSH_EVERY: Duration = Duration::from_millis(5);

/// How long it is waited for more answers of push services, so that they are stored in one change.
const ANSWERS_WITHIN: Duration = Duration::from_millis(10);

/// Mails that may fail one after the other before the relay is taken to be at fault, and asked with one at a time.
const FAILURES_MAX: u32 = 3;

/// The longest time without a look.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The shortest, where what was due was put off or worth nothing any more.
const PAUSE_MIN: Duration = Duration::from_millis(10);

/// The pause after the writer refused something.
const REFUSED_PAUSE: Duration = Duration::from_secs(5);

/// The longest pause of the channel itself; each delivery has its own beside it.
const CHANNEL_PAUSE_MAX: Duration = Duration::from_secs(60);

/// Everything that delivers.
pub struct Delivery {
    chat: Chat,
    settings: Settings,
}

impl Delivery {
    /// Ready to deliver; nobody is contacted yet.
    #[must_use]
    pub fn new(chat: Chat, settings: Settings) -> Self {
        Self { chat, settings }
    }

    /// Delivers for as long as the server runs; never returns.
    pub async fn run(self) {
        while let Err(refusal) = self.chat.execute(Actor::System, ReleaseDeliveries).await {
            warn!(%refusal, "nothing can be delivered yet");
            tokio::time::sleep(REFUSED_PAUSE).await;
        }
        tokio::join!(watch::run(&self.chat), self.mails(), self.pushes(Channel::Webpush), self.pushes(Channel::Fcm));
    }

    async fn mails(&self) {
        let Some(mail) = &self.settings.mail else { return std::future::pending().await };
        let mut failures = 0;
        loop {
            let is_sound = failures < FAILURES_MAX;
            let leased = self.lease(Channel::Email, if is_sound { TAKEN_AT_ONCE } else { 1 }).await;
            if leased.is_empty() {
                mail.mailer.rest().await;
                self.wait(Channel::Email).await;
                continue;
            }
            let results = self.hand_over(mail, leased, &mut failures).await;
            self.settle(Channel::Email, results).await;
            if failures >= FAILURES_MAX {
                let pause = OF_MAIL.next(failures - FAILURES_MAX + 1, None, Timestamp::now()).since(Timestamp::now());
                tokio::time::sleep(pause.min(CHANNEL_PAUSE_MAX)).await;
            }
        }
    }

    /// Mails go one after the other: relays throttle whoever comes in crowds. Those behind a relay's failure are not tried.
    async fn hand_over(&self, mail: &Mail, leased: Vec<Leased>, failures: &mut u32) -> Vec<(DeliveryId, Settlement)> {
        let mut results = Vec::with_capacity(leased.len());
        for delivery in leased {
            let now = Timestamp::now();
            if *failures >= FAILURES_MAX && !results.is_empty() {
                results.push((delivery.id, Settlement::Postponed { at: OF_MAIL.next(*failures, None, now) }));
                continue;
            }
            let settlement = mail::send(&self.chat, &self.settings, mail, &delivery).await;
            *failures = if matches!(settlement, Settlement::Retry { .. }) { failures.saturating_add(1) } else { 0 };
            results.push((delivery.id, settlement));
        }
        results
    }

    async fn pushes(&self, channel: Channel) {
        let is_set_up = match channel {
            Channel::Email => false,
            Channel::Webpush => self.settings.web_push.is_some(),
            Channel::Fcm => self.settings.fcm.is_some(),
        };
        if !is_set_up {
            return std::future::pending().await;
        }
        // Whoever waits for a service that says nothing keeps only its own place.
        let (mut hosts, mut on_their_way) = (Hosts::default(), FuturesUnordered::new());
        let mut next_at = Instant::now();
        loop {
            let places = PUSHES_AT_ONCE.saturating_sub(on_their_way.len());
            let wanted = if Instant::now() < next_at { 0 } else { places.min(TAKEN_AT_ONCE) };
            let leased = if wanted > 0 { self.lease(channel, wanted).await } else { Vec::new() };
            let may_be_more = leased.len() == wanted;
            let mut results = Vec::new();
            next_at = next_at.max(Instant::now());
            for delivery in leased {
                match hosts.postpones(host_of(&delivery), Timestamp::now()) {
                    Some(at) => results.push((delivery.id, Settlement::Postponed { at })),
                    None => {
                        on_their_way.push(self.push(delivery, next_at));
                        next_at += PUSH_EVERY;
                    }
                }
            }
            if results.is_empty() {
                tokio::select! {
                    Some((delivery, pushed)) = on_their_way.next() => {
                        let mut answered = vec![(delivery, pushed)];
                        let deadline = Instant::now() + ANSWERS_WITHIN;
                        while let Ok(Some(next)) = tokio::time::timeout_at(deadline, on_their_way.next()).await {
                            answered.push(next);
                        }
                        for (delivery, pushed) in answered {
                            hosts.note(host_of(&delivery), pushed.is_well, Timestamp::now());
                            results.push((delivery.id, pushed.settlement));
                        }
                    }
                    () = self.wait(channel), if !may_be_more => continue,
                    () = sleep_until(next_at), if may_be_more && places > 0 => continue,
                }
            }
            self.settle(channel, results).await;
        }
    }

    async fn push(&self, delivery: Leased, at: Instant) -> (Leased, Pushed) {
        sleep_until(at).await;
        let pushed = push::send(&self.chat, &self.settings, &delivery).await;
        (delivery, pushed)
    }

    async fn lease(&self, channel: Channel, limit: usize) -> Vec<Leased> {
        let limit = i64::try_from(limit).unwrap_or(1);
        match self.chat.execute_along(Actor::System, LeaseDeliveries { channel, limit }).await {
            Ok(leased) => leased,
            Err(refusal) => {
                debug!(%refusal, channel = channel.as_str(), "nothing was taken to be delivered");
                tokio::time::sleep(REFUSED_PAUSE).await;
                Vec::new()
            }
        }
    }

    async fn settle(&self, channel: Channel, results: Vec<(DeliveryId, Settlement)>) {
        for (_, settlement) in &results {
            self.chat.deliveries().count(channel, settlement);
        }
        // What is not settled is tried again when its lease is over; a mail has the same Message-ID then.
        if let Err(refusal) = self.chat.execute_along(Actor::System, SettleDeliveries { results }).await {
            warn!(%refusal, channel = channel.as_str(), "what became of deliveries could not be stored");
            tokio::time::sleep(REFUSED_PAUSE).await;
        }
    }

    /// Until something is due, or somebody rings.
    async fn wait(&self, channel: Channel) {
        let due = self.chat.next_due(channel).await.ok().flatten();
        let pause = due.map_or(LOOK_EVERY, |due| due.since(Timestamp::now()).min(LOOK_EVERY));
        tokio::select! {
            () = self.chat.bell().rung(channel) => {}
            () = tokio::time::sleep(pause.max(PAUSE_MIN)) => {}
        }
    }
}
