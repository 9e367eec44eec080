//! The rows of `lexchat doctor` about third parties: the relay for mail, push services, Stripe, Jitsi. Each is asked where it
//! is set up, and nothing is sent to anybody; where nothing is set up nobody is contacted.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::Uri;
use hyper::header::X_FRAME_OPTIONS;

use crate::cli::maintenance::Doctor;
use crate::config::billing;
use crate::config::calls::Calls;
use crate::config::notices::Notices;
use crate::integrations::https::client::{self, Outbound, Request};
use crate::integrations::https::origin::Origin;
use crate::integrations::jitsi::token;
use crate::integrations::smtp::mailer::Mailer;
use crate::integrations::smtp::outcome::Outcome;
use crate::integrations::stripe::call::{Call, EventsWanted};
use crate::integrations::stripe::client::{Kind, Stripe};
use crate::integrations::web_push::subscription::PUBLIC_SERVICES;
use crate::model::finding::{Finding, Verdict};
use crate::operator::remedies;

/// How long each of them may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The rows of what is set up by flags or variables; none without any.
pub(super) fn examine(typed: &Doctor, public_url: Option<&str>) -> Vec<Finding> {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return Vec::new() };
    let mut rows = Vec::new();
    let notices = match Notices::new(&typed.notices, public_url, true) {
        Ok(notices) => notices,
        Err(wrong) => return vec![misread("notices", &wrong)],
    };
    if let Some(mail) = notices.mail.clone() {
        let mut smtp = mail.smtp;
        smtp.command_timeout = TIMEOUT;
        let relay = smtp.relay.to_string();
        rows.push(mail_row(&relay, runtime.block_on(Mailer::new(smtp).try_out())));
    }
    if notices.web_push.is_some() || notices.fcm.is_some() {
        rows.push(runtime.block_on(push(&notices, typed)));
    }
    match billing::stripe(&typed.billing, public_url, true) {
        Ok(None) => {}
        Ok(Some(settings)) => rows.push(runtime.block_on(stripe(settings, &notices.outbound))),
        Err(wrong) => rows.push(misread("stripe", &wrong)),
    }
    match Calls::new(&typed.calls).map(|calls| calls.jitsi) {
        Ok(None) => {}
        Ok(Some(jitsi)) => rows.push(runtime.block_on(meeting(&jitsi, &notices.outbound))),
        Err(wrong) => rows.push(misread("calls", &wrong)),
    }
    rows
}

/// What the server would refuse at its start.
fn misread(check: &'static str, wrong: &dyn std::error::Error) -> Finding {
    let cause = wrong.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    Finding::fault(
        check,
        Verdict::Bad,
        format!("{wrong}{cause}"),
        "correct that flag; `lexchat serve --help` explains it",
    )
}

fn mail_row(relay: &str, tried: Result<(), Outcome>) -> Finding {
    let Err(outcome) = tried else {
        let text = format!("{relay} lets this server in; `lexchat test email ADDRESS` sends a mail");
        return Finding::good("mail", text);
    };
    let remedy = remedies::of_mail(&outcome).unwrap_or_default();
    let (Outcome::Misconfigured { reason, .. }
    | Outcome::Retry { reason, .. }
    | Outcome::AddressDead { reason }
    | Outcome::Refused { reason }
    | Outcome::Sent { queue_id: reason }) = outcome;
    Finding::fault("mail", Verdict::Bad, format!("no mail leaves by {relay}: {reason}"), remedy)
}

/// Whether the services can be reached that devices may name. Whether they take a push only a push shows.
async fn push(notices: &Notices, typed: &Doctor) -> Finding {
    let fcm = notices.fcm.is_some().then_some(["fcm.googleapis.com", "oauth2.googleapis.com"]);
    let fcm = fcm.filter(|_| typed.notices.fcm_api.is_none()).into_iter().flatten();
    let web = notices.web_push.is_some().then_some(PUBLIC_SERVICES).into_iter().flatten();
    let mut services: Vec<Origin> = fcm.chain(web).filter_map(|host| host.parse().ok()).collect();
    services.extend(notices.outbound.named.iter().cloned());
    let outbound = Outbound::new(&notices.outbound);
    let mut out_of_reach = Vec::new();
    for service in services {
        if let Err(failure) = ask(&service, &outbound).await {
            let why = format!("{service} ({failure})");
            if !out_of_reach.contains(&why) {
                out_of_reach.push(why);
            }
        }
    }
    if out_of_reach.is_empty() {
        return Finding::good("push", "push services can be reached; `lexchat test push EMAIL` sends a push");
    }
    Finding::fault(
        "push",
        Verdict::Warning,
        format!("devices of these services get no push: {}", out_of_reach.join(", ")),
        "let this machine reach them on port 443, or name a proxy in HTTPS_PROXY; --push-host, --fcm-api",
    )
}

async fn stripe(settings: billing::Settings, outbound: &client::Settings) -> Finding {
    let named = with(settings.stripe.api.as_ref(), outbound);
    let stripe = Stripe::new(settings.stripe, &Outbound::new(&named));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let wanted = EventsWanted { since: Some(now), ..EventsWanted::default() };
    let mode = if stripe.livemode() { "live" } else { "test" };
    match stripe.send(&Call::events(&wanted)).await {
        Ok(_) => Finding::good("stripe", format!("Stripe takes the key ({mode} mode)")),
        Err(failure) => {
            let remedy = match failure.kind {
                Kind::Misconfigured => {
                    "--stripe-key-file (LEXCHAT_STRIPE_KEY_FILE): the account's secret key, still valid"
                }
                _ => "let this machine reach api.stripe.com on port 443, or name a proxy in HTTPS_PROXY; --stripe-api",
            };
            Finding::fault("stripe", Verdict::Bad, failure.to_string(), remedy)
        }
    }
}

/// Whether the Jitsi server answers, and lets the page show it in a frame.
async fn meeting(jitsi: &token::Settings, outbound: &client::Settings) -> Finding {
    let server = jitsi.server();
    // 8x8's rooms are made to be framed, whatever its front page is.
    let is_framed = |answer: &client::Answer| jitsi.is_jaas() || !answer.headers.contains_key(X_FRAME_OPTIONS);
    let bad = |text: String, remedy: &str| Finding::fault("jitsi", Verdict::Bad, text, remedy);
    match ask(server, &Outbound::new(&with(Some(server), outbound))).await {
        Err(failure) => bad(format!("{server}: {failure}"), "--jitsi-url (LEXCHAT_JITSI_URL), or start that server"),
        Ok(answer) if answer.status.is_server_error() => {
            bad(format!("{server} answers {}", answer.status), "look at that server, or correct --jitsi-url")
        }
        Ok(answer) if !is_framed(&answer) => bad(
            format!("{server} forbids pages to show it in a frame (X-Frame-Options)"),
            "have that server allow it: Content-Security-Policy: frame-ancestors with the address that people use here",
        ),
        Ok(_) => Finding::good("jitsi", format!("{server} answers")),
    }
}

/// Any answer of a service.
async fn ask(service: &Origin, outbound: &Outbound) -> Result<client::Answer, String> {
    let uri: Uri = service.at("/").map_err(|bad| bad.to_string())?;
    let asked = Request::get(uri).timeout(TIMEOUT);
    outbound.client(service.clone()).send(asked).await.map_err(|failure| failure.to_string())
}

/// What the operator named may be near by.
fn with(named: Option<&Origin>, outbound: &client::Settings) -> client::Settings {
    let mut settings = outbound.clone();
    settings.named.extend(named.cloned());
    settings
}
