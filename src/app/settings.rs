//! Each part's own settings, made from the checked configuration.

use std::sync::Arc;
use std::time::Instant;

use crate::api::call::{self, Hooks, Limits};
use crate::api::counters::Connected;
use crate::chat::contract::settings;
use crate::cli::calls::Callers;
use crate::config::notices::WebPush;
use crate::config::{self, Config, origins};
use crate::delivery;
use crate::engineio::server::Server;
use crate::gateway;
use crate::gateway::connection::Gateway;
use crate::integrations::https::client::{self, Outbound};
use crate::integrations::jitsi::recording::Fetcher;
use crate::integrations::smtp::mailer::Mailer;
use crate::integrations::stripe::client::Stripe;
use crate::integrations::web_push;
use crate::integrations::web_push::subscription::Services;
use crate::integrations::web_push::vapid::{BadKeys, Keys};
use crate::model::call::Provider;
use crate::model::notices::{Available, WebPushKey};
use crate::model::recording::Recorder;
use crate::socketio::connection;

/// Those of the gateway.
pub(super) fn of_gateway(config: &Config) -> gateway::connection::Settings {
    let calls = gateway::calls::Settings {
        servers: config.calls.servers.clone(),
        relay_only: config.calls.relay_only,
        jitsi: config.calls.jitsi.clone(),
        may_record: config.recordings.rules.is_some_and(|rules| rules.by == Recorder::Service),
    };
    let sockets_per_user_max = config.limits.sockets_per_user_max;
    gateway::connection::Settings { sockets_per_user_max, calls, ..Default::default() }
}

/// Those of the Socket.IO layer.
pub(super) fn of_socketio(config: &Config) -> connection::Settings {
    connection::Settings {
        attachments_max: config.limits.binary_attachments_max,
        packet_bytes_max: config.engineio.max_payload,
        ..connection::Settings::default()
    }
}

/// Those of the chat.
pub(super) fn of_chat(config: &Config) -> settings::Settings {
    settings::Settings {
        message_rate: config.limits.message_rate,
        message_burst: config.limits.message_burst,
        event_rate: config.limits.event_rate,
        event_burst: config.limits.event_burst,
        sign_in_rate: config.limits.sign_in_rate,
        sign_up_rate: config.limits.sign_up_rate,
        edit_window: config.limits.edit_window,
        sign_up_open: config.sign_up_open,
        files_per_message_max: config.limits.files_per_message_max,
        file_bytes_max: config.limits.file_bytes_max,
        user_bytes_max: config.limits.user_bytes_max,
        stripe_livemode: config.stripe.as_ref().map(|settings| settings.stripe.key.livemode()),
        notices: of_notices(&config.notices),
        callers: match config.calls.callers {
            Callers::Off => settings::Callers::Nobody,
            Callers::Juriste => settings::Callers::Juristes,
            Callers::All => settings::Callers::Everybody,
        },
        call_provider: provider(config),
        recordings: config.recordings.rules.filter(|_| config.calls.are_on()),
        ..settings::Settings::default()
    }
}

/// Which notices there are. The key of Web Push is known once the database is open.
fn of_notices(notices: &config::notices::Notices) -> settings::Notices {
    settings::Notices {
        available: Available {
            web_push: notices.web_push.as_ref().map(|_| WebPushKey { public_key: String::new() }),
            fcm: notices.fcm.is_some(),
            email: notices.mail.is_some(),
            detail: notices.detail_max,
        },
        mails_anywhere: notices.mail.as_ref().is_some_and(|mail| mail.is_local),
        push_after: notices.push_after,
        mail_after: notices.mail_after,
        time_zone: notices.time_zone.clone(),
    }
}

/// What there is to deliver with; `vapid` is the key pair that browsers subscribed for.
///
/// # Errors
/// When the key pair is none.
pub(super) fn of_delivery(config: &Config, url: &str, vapid: &[u8]) -> Result<delivery::settings::Settings, BadKeys> {
    let notices = &config.notices;
    let outbound = Outbound::new(&notices.outbound);
    let web_push = match &notices.web_push {
        None => None,
        Some(WebPush { contact, services }) => {
            let keys = Keys::from_pkcs8(vapid)?;
            Some(web_push::sender::Settings { keys, contact: contact.clone(), services: services.clone() })
        }
    };
    let settings = delivery::settings::Settings {
        public_url: url.to_owned(),
        practice: notices.practice.clone().unwrap_or_else(|| origins::host_name(url).to_owned()),
        mail: notices
            .mail
            .as_ref()
            .map(|mail| delivery::settings::Mail { mailer: Mailer::new(mail.smtp.clone()), from: mail.from.clone() }),
        web_push: None,
        fcm: None,
    };
    Ok(settings.with_push(web_push, notices.fcm.clone(), &outbound))
}

/// Those of the API, and how it learns about the sockets.
pub(super) fn of_api(
    config: &Config,
    url: &str,
    sockets: &Server,
    gateway: &Gateway,
    stripe: Option<Arc<Stripe>>,
) -> call::Settings {
    let (sockets, gateway) = (sockets.clone(), gateway.clone());
    call::Settings {
        public_url: url.to_owned(),
        limits: Limits {
            file_bytes: config.limits.file_bytes_max,
            files_per_message: config.limits.files_per_message_max,
            edit_window: config.limits.edit_window.as_secs(),
        },
        calls: config.calls.are_on().then(|| of_calls(config)),
        hooks: of_hooks(config),
        metrics_token: config.metrics_token.as_ref().map(|token| token.reveal().into()),
        shown: config.shown.clone(),
        push_services: config.notices.web_push.as_ref().map_or_else(Services::known, |push| push.services.clone()),
        database: config.database.clone(),
        is_private: config.is_private,
        has_public_url: config.public_url.is_some(),
        names: names_of(config),
        identity: config.listener.identity.clone(),
        started: Instant::now(),
        stripe,
        connected: Box::new(move || Connected {
            sessions: sockets.sessions() as u64,
            sockets: gateway.sockets() as u64,
            queue_bytes: sockets.queue_bytes() as u64,
            refused: gateway.refused(),
            endpoint_refused: sockets.refused().map(|(fault, count)| (fault.reason(), count)).collect(),
        }),
    }
}

fn of_hooks(config: &Config) -> Hooks {
    let recordings = &config.recordings;
    Hooks {
        jibri_token: recordings.jibri_token.as_ref().map(|token| token.reveal().into()),
        jaas_secrets: recordings.jaas_secrets.clone(),
        jaas_app_id: config.calls.jitsi.as_ref().map(|jitsi| jitsi.app_id().to_owned()).unwrap_or_default(),
    }
}

/// What fetches recordings from 8x8, where its webhooks are set up.
pub(super) fn fetcher(config: &Config) -> Option<Fetcher> {
    let recordings = &config.recordings;
    let named = recordings.jaas_hosts.clone();
    let outbound = Outbound::new(&client::Settings { named: named.clone(), ..config.notices.outbound.clone() });
    (!recordings.jaas_secrets.is_empty()).then(|| Fetcher::new(named, &outbound))
}

fn of_calls(config: &Config) -> call::Calls {
    let gateway = of_gateway(config).calls;
    call::Calls {
        has_relay: config.calls.servers.has_relay() || config.calls.jitsi.is_some(),
        provider: provider(config),
        frame: config.calls.jitsi.as_ref().map(|jitsi| jitsi.server().to_string()),
        admit: Box::new(move |room, profile| gateway.jitsi(room, profile)),
    }
}

fn provider(config: &Config) -> Provider {
    if config.calls.jitsi.is_some() { Provider::Jitsi } else { Provider::Direct }
}

/// The names that people know the server by.
pub(super) fn names_of(config: &Config) -> Vec<String> {
    config.public_url.iter().map(|url| origins::host_name(url).to_owned()).collect()
}
