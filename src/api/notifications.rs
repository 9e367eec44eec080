//! `/notifications`: what the caller chose about notices, and the devices that they are told on.

use hyper::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::api::call::Call;
use crate::api::reply::{self, Answer};
use crate::auth::actor::Actor;
use crate::chat::contract::command::deliveries::TestDevice;
use crate::chat::contract::command::notices::{RegisterDevice, RemoveDevice, UpdateNotices};
use crate::chat::contract::command::people::Unsubscribe;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::notices::words::Tagged;
use crate::http::response;
use crate::integrations::fcm::message::Registration;
use crate::integrations::web_push::subscription::{BadSubscription, Services, Subscription};
use crate::model::fields::{Fault, Fields};
use crate::model::id::DeviceId;
use crate::model::locale::{Locale, Text};
use crate::model::notices::{Clock, Days, Detail, DeviceKind, EmailChoice, QuietHours};
use crate::store::devices::Reach;

/// Characters of a device's name.
const NAME_LENGTH: std::ops::RangeInclusive<usize> = 1..=100;
/// Characters of an address or a key; what makes a good one is known further on.
const ADDRESS_LENGTH: std::ops::RangeInclusive<usize> = 1..=4_096;

/// Characters of tags, with commas between them: more than a screen has room for.
const TAGS_LENGTH: std::ops::RangeInclusive<usize> = 1..=4_096;

/// `GET /notifications/settings`
pub async fn settings(call: Call) -> Answer {
    let settings = call.chat().load_notice_settings(call.member()?).await?;
    call.ok(&settings)
}

/// `PATCH /notifications/settings`
pub async fn update_settings(mut call: Call) -> Answer {
    let actor = call.member()?;
    let command = call.body(update).await?;
    let settings = call.chat().execute(actor, command).await?;
    call.ok(&settings)
}

/// `GET /notifications/conversations?tags=`: which conversations the notices on a screen are about. A push names none.
pub async fn list_conversations(call: Call) -> Answer {
    #[derive(Serialize)]
    struct Shown {
        conversations: Vec<Tagged>,
    }
    let actor = call.member()?;
    let tags = call.query(|fields| fields.text("tags", TAGS_LENGTH))?;
    let tags = tags.split(',').map(str::to_owned).collect();
    call.ok(&Shown { conversations: call.chat().find_tagged(actor, tags).await? })
}

/// `GET /notifications/devices`
pub async fn list_devices(call: Call) -> Answer {
    let devices = call.chat().list_devices(call.member()?).await?;
    call.ok(&devices)
}

/// `POST /notifications/devices`
pub async fn register_device(mut call: Call) -> Answer {
    let actor = call.member()?;
    let (typed, name) = call.body(|fields| (typed_device(fields), fields.optional_text("name", NAME_LENGTH))).await?;
    let available = &call.chat().settings().notices.available;
    let is_reached = match typed.kind {
        DeviceKind::Webpush => available.web_push.is_some(),
        DeviceKind::Fcm => available.fcm,
    };
    if !is_reached {
        call.chat().check_session(actor).await?;
        return Err(Reason::ChannelOff.into());
    }
    let reach = checked(typed, &call.api.settings.push_services)?;
    let registered = call.chat().execute(actor, RegisterDevice { reach, name }).await?;
    let status = if registered.created { StatusCode::CREATED } else { StatusCode::OK };
    call.json(status, &registered.device)
}

/// `DELETE /notifications/devices/{id}`
pub async fn remove_device(call: Call, id: DeviceId) -> Answer {
    call.chat().execute(call.member()?, RemoveDevice { device_id: id }).await?;
    reply::done()
}

/// `POST /notifications/devices/{id}/test`
pub async fn test_device(call: Call, id: DeviceId) -> Answer {
    call.chat().execute(call.member()?, TestDevice { device_id: id }).await?;
    reply::accepted()
}

/// `GET /notifications/unsubscribe/{token}`: a page that asks. Mail programs and scanners fetch links by themselves, so nothing
/// changes before the button is pressed.
pub async fn show_unsubscribe(call: Call, token: String) -> Answer {
    call.chat().find_unsubscribe(token).await?;
    let (question, button) = match call.locale {
        Locale::French => {
            ("Ne plus recevoir de courrier quand des messages vous attendent\u{a0}?", "Ne plus en recevoir")
        }
        Locale::English => ("Get no more mail when messages wait for you?", "Get no more"),
    };
    let form = format!("<h1>{question}</h1>\n<form method=\"post\"><button>{button}</button></form>");
    Ok(response::full(StatusCode::OK, HTML, page(call.locale, &form)))
}

/// `POST /notifications/unsubscribe/{token}`: by the button, or by a mail program (RFC 8058).
pub async fn unsubscribe(call: Call, token: String) -> Answer {
    call.chat().execute(Actor::Anonymous, Unsubscribe { token }).await?;
    let (done, means, back) = match call.locale {
        Locale::French => (
            "C’est fait",
            "Vous ne recevrez plus de courrier quand des messages vous attendent.",
            "Revenir sur ce choix dans vos réglages",
        ),
        Locale::English => {
            ("Done", "You will get no more mail when messages wait for you.", "Change your mind in your settings")
        }
    };
    let text = format!("<h1>{done}</h1>\n<p>{means}</p>\n<p><a href=\"/moi\">{back}</a></p>");
    Ok(response::full(StatusCode::OK, HTML, page(call.locale, &text)))
}

const HTML: &str = "text/html; charset=utf-8";

fn page(locale: Locale, inner: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>lexchat</title>\n\
         <link rel=\"stylesheet\" href=\"/api.css\">\n</head>\n<body>\n<main>\n{inner}\n</main>\n</body>\n</html>\n",
        locale.tag()
    )
}

fn update(fields: &mut Fields) -> UpdateNotices {
    let zone_text = Text::new("doit être un fuseau comme Europe/Paris", "must be a time zone such as Europe/Paris");
    let email_text = Text::new("doit être never, 10m, 1h ou daily", "must be never, 10m, 1h or daily");
    let detail_text = Text::new("doit être none, sender ou preview", "must be none, sender or preview");
    UpdateNotices {
        push: fields.optional_boolean("push"),
        email: fields.optional_parsed("email", email_text, EmailChoice::find),
        detail: fields.optional_parsed("detail", detail_text, Detail::find),
        time_zone: if fields.is_null("timeZone") {
            Some(None)
        } else {
            fields.optional_parsed("timeZone", zone_text, |text| text.parse().ok()).map(Some)
        },
        quiet_hours: if fields.is_null("quietHours") { Some(None) } else { quiet_hours(fields).map(Some) },
        calls_in_quiet_hours: fields.optional_boolean("callsInQuietHours"),
    }
}

/// `{from, to, days}`: two times of day, and the days on which it begins, 1 being Monday.
fn quiet_hours(fields: &mut Fields) -> Option<QuietHours> {
    let value = fields.take("quietHours")?;
    let quiet = fields.inner("quietHours", value, |quiet| {
        let clock = || Text::new("doit être une heure comme 20:00", "must be a time such as 20:00");
        let midnight = Clock::find("00:00")?;
        let from = quiet.parsed("from", clock(), midnight, Clock::find);
        let to = quiet.parsed("to", clock(), midnight, Clock::find);
        Some(QuietHours { from, to, days: days(quiet)? })
    });
    let quiet = quiet.flatten()?;
    if quiet.from == quiet.to && quiet.days.is_whole_week() {
        let message = Text::new("doit laisser un moment dans la semaine", "must leave a moment of the week");
        fields.wrong::<()>("quietHours", message);
    }
    Some(quiet)
}

fn days(fields: &mut Fields) -> Option<Days> {
    let list = fields.optional_list("days", 7).unwrap_or_default();
    let day = |value: &Value| value.as_u64().filter(|day| (1..=7).contains(day)).map(|day| 1_u8 << (day - 1));
    let bits = list.iter().map(day).try_fold(0, |bits, day| day.map(|day| bits | day));
    let days = bits.and_then(Days::from_bits);
    if days.is_none() {
        fields.wrong::<()>(
            "days",
            Text::new("doit nommer des jours de 1 (lundi) à 7", "must name days from 1 (Monday) to 7"),
        );
    }
    days
}

/// A device as it names itself, not yet known to be one that may be pushed to.
fn typed_device(fields: &mut Fields) -> Reach {
    let kind_text = Text::new("doit être webpush ou fcm", "must be webpush or fcm");
    let kind = fields.parsed("kind", kind_text, DeviceKind::Webpush, DeviceKind::find);
    match kind {
        DeviceKind::Fcm => Reach { kind, address: fields.text("registration", ADDRESS_LENGTH), keys: None },
        DeviceKind::Webpush => {
            let address = fields.text("endpoint", ADDRESS_LENGTH);
            let keys = fields.take("keys").unwrap_or_else(|| Value::Object(serde_json::Map::new()));
            let keys = fields
                .inner("keys", keys, |keys| (keys.text("p256dh", ADDRESS_LENGTH), keys.text("auth", ADDRESS_LENGTH)));
            Reach { kind, address, keys }
        }
    }
}

/// A device that may be pushed to. No text names its address, which is a secret of the device.
fn checked(mut typed: Reach, services: &Services) -> Result<Reach, Error> {
    let fault = match (typed.kind, &typed.keys) {
        (DeviceKind::Fcm, _) => Registration::new(&typed.address).err().map(|_| {
            let message = Text::new("n’est pas un enregistrement de Firebase", "is no registration of Firebase");
            Fault::new("registration", message)
        }),
        (DeviceKind::Webpush, Some((p256dh, auth))) => {
            match Subscription::new(services, &typed.address, p256dh, auth) {
                Ok(subscription) => {
                    typed.address = subscription.endpoint().to_string();
                    None
                }
                Err(bad) => Some(bad_subscription(bad)),
            }
        }
        (DeviceKind::Webpush, None) => Some(bad_subscription(BadSubscription::PublicKey)),
    };
    fault.map_or(Ok(typed), |fault| Err(vec![fault].into()))
}

fn bad_subscription(bad: BadSubscription) -> Fault {
    let (field, message) = match bad {
        BadSubscription::Endpoint => (
            "endpoint",
            Text::new(
                "n’est pas l’adresse d’un service de notifications connu",
                "is not the address of a known push service",
            ),
        ),
        BadSubscription::PublicKey => {
            ("keys.p256dh", Text::new("n’est pas une clé publique P-256", "is not a public key of P-256"))
        }
        BadSubscription::Auth => {
            ("keys.auth", Text::new("doit être 16 octets en base64url", "must be 16 bytes in base64url"))
        }
    };
    Fault::new(field, message)
}
