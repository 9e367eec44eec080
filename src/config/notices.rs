//! How notices leave, checked: what was typed, as settings of each third party.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::cli::notices::{Notices as Typed, NotifyDetail};
use crate::config::error::Error;
use crate::config::origins::host_name;
use crate::config::secret;
use crate::integrations::fcm;
use crate::integrations::fcm::account::{Account, BadAccount};
use crate::integrations::https::client;
use crate::integrations::https::connect::Proxy;
use crate::integrations::https::origin::{BadOrigin, Origin};
use crate::integrations::roots::{BadRoots, Roots};
use crate::integrations::smtp::mail::{Line, Mailbox};
use crate::integrations::smtp::settings::{BadRelay, OwnName, Password, Relay, Settings};
use crate::integrations::web_push::subscription::Services;
use crate::integrations::web_push::vapid::{BadContact, Contact};
use crate::model::notices::Detail;
use crate::model::text::visible;
use crate::model::zone::{NotAZone, Zone};

/// Everything about notices.
#[derive(Clone, Debug)]
pub struct Notices {
    pub mail: Option<Mail>,
    /// Pushes to browsers.
    pub web_push: Option<WebPush>,
    /// Pushes to apps.
    pub fcm: Option<fcm::sender::Settings>,
    /// How the outside is reached over HTTP.
    pub outbound: client::Settings,
    /// What notices are signed with; `None` where nobody said.
    pub practice: Option<String>,
    pub detail_max: Detail,
    pub push_after: Duration,
    pub mail_after: Duration,
    pub time_zone: Zone,
}

/// How mail leaves.
#[derive(Clone, Debug)]
pub struct Mail {
    pub smtp: Settings,
    pub from: Mailbox,
    /// Whether the relay is on this machine.
    pub is_local: bool,
}

/// How pushes to browsers leave.
#[derive(Clone, Debug)]
pub struct WebPush {
    pub contact: Contact,
    pub services: Services,
}

impl Notices {
    /// Checks what was typed. Links in mails lead to `public_url`; without it only whoever sits at this machine can follow them,
    /// which `is_private` allows.
    ///
    /// # Errors
    /// Which flag is wrong, and why.
    pub fn new(typed: &Typed, public_url: Option<&str>, is_private: bool) -> Result<Notices, Error> {
        let roots = match &typed.extra_ca {
            None => Roots::built_in(),
            Some(path) => {
                let wrong = |bad: BadRoots| bad_file("extra-ca", path, &bad);
                Roots::built_in().with_extra(&read(path)?).map_err(wrong)?
            }
        };
        let from = typed.mail_from.as_deref().map(mailbox).transpose()?;
        let mail = match (&typed.smtp, from.clone()) {
            (Some(relay), Some(from)) => Some(mail(typed, relay, from, public_url, &roots)?),
            _ => None,
        };
        if mail.is_some() && public_url.is_none() && !is_private {
            return Err(Error::NoWayHome);
        }
        let (web_push, hosts) = web_push(typed)?;
        let (fcm, api) = fcm(typed)?;
        let named = hosts.into_iter().chain(api).collect();
        let time_zone = typed.time_zone.trim().parse().map_err(|bad: NotAZone| usage("time-zone", &bad))?;
        Ok(Notices {
            mail,
            web_push,
            fcm,
            outbound: client::Settings { roots, proxy: proxy()?, named },
            practice: from.and_then(|from| from.name).map(|name| name.as_str().to_owned()),
            detail_max: match typed.notify_detail {
                NotifyDetail::None => Detail::None,
                NotifyDetail::Sender => Detail::Sender,
                NotifyDetail::Preview => Detail::Preview,
            },
            push_after: typed.push_after,
            mail_after: typed.mail_after,
            time_zone,
        })
    }
}

fn usage(flag: &'static str, wrong: &dyn std::fmt::Display) -> Error {
    Error::Usage { flag, wrong: wrong.to_string() }
}

/// Pushes to browsers, and the origins that may be named for them beside the known ones.
fn web_push(typed: &Typed) -> Result<(Option<WebPush>, Vec<Origin>), Error> {
    let mut hosts = Vec::new();
    for text in &typed.push_host {
        hosts.push(text.trim().parse().map_err(|bad: BadOrigin| usage("push-host", &bad))?);
    }
    let Some(text) = &typed.push_contact else { return Ok((None, hosts)) };
    let contact = text.trim().parse().map_err(|bad: BadContact| usage("push-contact", &bad))?;
    Ok((Some(WebPush { contact, services: Services::with_extra(hosts.clone()) }), hosts))
}

/// `address` or `Name <address>`.
fn mailbox(text: &str) -> Result<Mailbox, Error> {
    let wrong = || Error::Usage {
        flag: "mail-from",
        wrong: format!("`{text}` is no mailbox, such as 'Cabinet Dupré <avis@cabinet.example>'"),
    };
    let text = text.trim();
    let (name, address) = match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((name, address)) => (Some(name.trim().trim_matches('"')), address),
        None => (None, text),
    };
    let name = name.filter(|name| visible::has_visible(name)).map(Line::new);
    Ok(Mailbox { name, address: address.trim().parse().map_err(|_| wrong())? })
}

fn mail(typed: &Typed, relay: &str, from: Mailbox, public_url: Option<&str>, roots: &Roots) -> Result<Mail, Error> {
    let wrong = |bad: BadRelay| match bad {
        BadRelay::NoPassword | BadRelay::PasswordInAddress => usage("smtp-password-file", &bad),
        BadRelay::Malformed | BadRelay::NoUser => usage("smtp", &bad),
    };
    let relay: Relay = relay.trim().parse().map_err(wrong)?;
    let password = match &typed.smtp_password_file {
        None => None,
        Some(path) => Some(Password::new(&secret::read("smtp-password-file", path)?)),
    };
    let own_name = OwnName::new(public_url.map_or(from.address.domain(), host_name));
    let is_local = relay.is_loopback();
    let smtp = Settings::new(relay, password, own_name, roots.clone()).map_err(wrong)?;
    Ok(Mail { smtp, from, is_local })
}

fn fcm(typed: &Typed) -> Result<(Option<fcm::sender::Settings>, Option<Origin>), Error> {
    let Some(path) = &typed.fcm_account else { return Ok((None, None)) };
    let api: Option<Origin> = match &typed.fcm_api {
        None => None,
        Some(text) => Some(text.trim().parse().map_err(|bad: BadOrigin| usage("fcm-api", &bad))?),
    };
    let wrong = |bad: BadAccount| bad_file("fcm-account", path, &bad);
    let account = Account::from_json(&read(path)?).map_err(wrong)?;
    let settings = fcm::sender::Settings::new(account, api.clone()).map_err(wrong)?;
    Ok((Some(settings), api))
}

/// The proxy that the usual variables name.
fn proxy() -> Result<Option<Proxy>, Error> {
    let variable =
        |names: [&str; 2]| names.iter().find_map(|name| std::env::var(name).ok()).filter(|text| !text.is_empty());
    let Some(address) = variable(["HTTPS_PROXY", "https_proxy"]) else { return Ok(None) };
    let except = variable(["NO_PROXY", "no_proxy"]).unwrap_or_default();
    Proxy::new(&address, &except)
        .map(Some)
        .map_err(|bad| Error::Variable { name: "HTTPS_PROXY", wrong: bad.to_string() })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })
}

fn bad_file(flag: &'static str, path: &Path, wrong: &dyn std::fmt::Display) -> Error {
    Error::BadFile { flag, path: path.to_owned(), wrong: wrong.to_string() }
}

/// Every setting that is in force, by the name of its flag; of files only that there is one.
pub(super) fn shown(typed: &Typed) -> impl Iterator<Item = (&'static str, String)> {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "unset".to_owned());
    let file = |path: &Option<std::path::PathBuf>| if path.is_some() { "set" } else { "unset" }.to_owned();
    let relay = typed.smtp.as_deref().and_then(|relay| relay.trim().parse::<Relay>().ok());
    let hosts = if typed.push_host.is_empty() { "unset".to_owned() } else { typed.push_host.join(" ") };
    let detail = match typed.notify_detail {
        NotifyDetail::None => "none",
        NotifyDetail::Sender => "sender",
        NotifyDetail::Preview => "preview",
    };
    [
        ("smtp", relay.map_or_else(|| "unset".to_owned(), |relay| relay.to_string())),
        ("smtp-password-file", file(&typed.smtp_password_file)),
        ("mail-from", text(&typed.mail_from)),
        ("extra-ca", file(&typed.extra_ca)),
        ("push-contact", text(&typed.push_contact)),
        ("push-host", hosts),
        ("fcm-account", file(&typed.fcm_account)),
        ("fcm-api", text(&typed.fcm_api)),
        ("notify-detail", detail.to_owned()),
        ("push-after", format!("{}s", typed.push_after.as_secs())),
        ("mail-after", format!("{}s", typed.mail_after.as_secs())),
        ("time-zone", typed.time_zone.clone()),
    ]
    .into_iter()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn checked(flags: &[&str], public_url: Option<&str>, is_private: bool) -> Result<Notices, Error> {
        let words = ["lexchat", "serve"].iter().chain(flags);
        let Command::Serve(serve) = Cli::parse_from(words).typed() else { panic!("not serve") };
        Notices::new(&serve.notices, public_url, is_private)
    }

    #[test]
    fn with_nothing_typed_nothing_leaves() {
        let notices = checked(&[], None, true).unwrap();
        assert!(notices.mail.is_none() && notices.web_push.is_none() && notices.fcm.is_none());
        assert_eq!((notices.detail_max, notices.time_zone.name()), (Detail::None, "Europe/Paris"));
    }

    #[test]
    fn links_in_mails_must_lead_home() {
        let mail = ["--smtp", "smtp://127.0.0.1:2525", "--mail-from", "Cabinet Dupré <avis@cabinet.example>"];
        assert!(matches!(checked(&mail, None, false), Err(Error::NoWayHome)));
        let notices = checked(&mail, Some("https://chat.cabinet.example"), false).unwrap();
        assert_eq!(notices.practice.as_deref(), Some("Cabinet Dupré"));
        assert!(checked(&mail, None, true).unwrap().mail.unwrap().is_local);
        let nameless =
            ["--smtp", "smtp://127.0.0.1:2525", "--mail-from", "\"\u{200b}\u{3164}\" <avis@cabinet.example>"];
        assert_eq!(checked(&nameless, None, true).unwrap().practice, None, "a name shows something");
    }

    #[test]
    fn what_makes_no_sense_names_its_flag() {
        let mail = ["--mail-from", "a@cabinet.example"];
        for (flags, flag) in [
            (vec!["--smtp", "http://x"], "smtp"),
            (vec!["--smtp", "smtp://user@host"], "smtp-password-file"),
            (vec!["--smtp", "smtp://user:secret@host"], "smtp-password-file"),
            (vec!["--push-contact", "a@localhost"], "push-contact"),
            (vec!["--push-contact", "a@b.example", "--push-host", "http://push.example"], "push-host"),
            (vec!["--time-zone", "Paris"], "time-zone"),
        ] {
            let Err(Error::Usage { flag: named, .. }) = checked(&[&flags[..], &mail].concat(), None, true) else {
                panic!("{flags:?} passed")
            };
            assert_eq!(named, flag);
        }
        let Err(Error::Usage { flag, .. }) = checked(&["--mail-from", "Cabinet <nobody>"], None, true) else {
            panic!("passed")
        };
        assert_eq!(flag, "mail-from");
        assert!(matches!(checked(&["--fcm-account", "/nowhere"], None, true), Err(Error::Unreadable { .. })));
    }
}
