//! The rows about third parties: each that is set up, and what keeps anything from leaving by it. Nobody is asked for these;
//! `lexchat doctor` asks.

use crate::api::diagnosis::Facts;
use crate::model::delivery::Channel;
use crate::model::finding::{Finding, Verdict, told};
use crate::model::locale::Locale;
use crate::store::outbox::Backlog;

/// Somebody outside the house whom the server speaks with, or sends people to.
struct Party {
    /// The row's name, as the doctor has it.
    check: &'static str,
    /// The flag that sets it up.
    flag: &'static str,
    /// What leaves by it, where that waits in rows.
    channel: Option<Channel>,
    french: &'static str,
    english: &'static str,
}

const PARTIES: [Party; 5] = [
    Party {
        check: "mail",
        flag: "smtp",
        channel: Some(Channel::Email),
        french: "Les courriels partent par le relais indiqué",
        english: "Mail leaves by the relay that was named",
    },
    Party {
        check: "push",
        flag: "push-contact",
        channel: Some(Channel::Webpush),
        french: "Les navigateurs reçoivent des notifications",
        english: "Browsers get notifications",
    },
    Party {
        check: "fcm",
        flag: "fcm-account",
        channel: Some(Channel::Fcm),
        french: "Les applications reçoivent des notifications",
        english: "Apps get notifications",
    },
    Party {
        check: "stripe",
        flag: "stripe-key-file",
        channel: None,
        french: "Les paiements en ligne passent par Stripe",
        english: "Online payments go by Stripe",
    },
    Party {
        check: "jitsi",
        flag: "jitsi-url",
        channel: None,
        french: "Les appels passent par Jitsi",
        english: "Calls go by Jitsi",
    },
];

/// A row for each third party that is set up, and one for each channel on which something waits because of an answer that it
/// got.
pub(super) fn rows(facts: &Facts<'_>) -> Vec<Finding> {
    let is_stuck = |channel| stuck(facts).any(|(backlog, _)| Some(backlog.channel) == channel);
    let well = PARTIES.iter().filter(|party| !is_stuck(party.channel)).filter_map(|party| row(party, facts));
    well.chain(stuck(facts).map(|(backlog, reason)| held_back(backlog, reason, facts.locale))).collect()
}

fn row(party: &Party, facts: &Facts<'_>) -> Option<Finding> {
    let value = facts.settings.get(party.flag).map(String::as_str).filter(|value| *value != "unset")?;
    let text = told(facts.locale, party.french, party.english);
    // A secret is shown as being set, which the row says anyway.
    Some(Finding::good(party.check, if value == "set" { format!("{text}.") } else { format!("{text} ({value}).") }))
}

fn stuck<'a>(facts: &Facts<'a>) -> impl Iterator<Item = (&'a Backlog, &'a str)> {
    facts.backlogs.iter().filter_map(|(backlog, reason)| Some((backlog, reason.as_deref()?)))
}

fn held_back(backlog: &Backlog, reason: &str, l: Locale) -> Finding {
    let (channel, waiting) = (backlog.channel.as_str(), backlog.waiting);
    let text = match l {
        Locale::French => format!("{waiting} envois attendent ({channel}). Dernière réponse\u{a0}: {reason}"),
        Locale::English => format!("{waiting} deliveries wait ({channel}). Last answer: {reason}"),
    };
    let flags = match backlog.channel {
        Channel::Email => "--smtp, --smtp-password-file, --mail-from",
        Channel::Webpush => "--push-contact, --push-host, HTTPS_PROXY",
        Channel::Fcm => "--fcm-account, HTTPS_PROXY",
    };
    Finding::fault("deliveries", Verdict::Warning, text, flags)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::IpAddr;
    use std::time::SystemTime;

    use super::*;
    use crate::chat::billing::pending::Pending;
    use crate::chat::handle::completion::Health;
    use crate::chat::people::administration::Measured;
    use crate::http::peer::Way;
    use crate::model::timestamp::Timestamp;

    fn shown(settings: &[(&'static str, &str)], backlogs: &[(Backlog, Option<String>)]) -> Vec<Finding> {
        let settings: BTreeMap<_, _> = settings.iter().map(|(flag, value)| (*flag, (*value).to_owned())).collect();
        rows(&Facts {
            measured: &Measured::default(),
            health: Health::Open,
            certificate: None,
            names: &[],
            public_url: None,
            seen: (IpAddr::from([127, 0, 0, 1]), Way::Direct),
            is_private: true,
            demo_accounts: false,
            backlogs,
            bills: &Pending::default(),
            settings: &settings,
            now: SystemTime::UNIX_EPOCH,
            locale: Locale::English,
        })
    }

    #[test]
    fn each_third_party_that_is_set_up_has_a_row_and_what_is_stuck_takes_its_place() {
        assert!(shown(&[("smtp", "unset"), ("stripe-key-file", "unset")], &[]).is_empty());
        let all = [("smtp", "mail.example:587"), ("push-contact", "a@b.example"), ("fcm-account", "set")];
        let all = [all.as_slice(), &[("stripe-key-file", "set"), ("jitsi-url", "https://meet.example")]].concat();
        let well = shown(&all, &[]);
        let names: Vec<&str> = well.iter().map(|row| row.check).collect();
        assert_eq!(names, ["mail", "push", "fcm", "stripe", "jitsi"]);
        assert!(well.iter().all(|row| row.verdict == Verdict::Good), "{well:?}");
        assert_eq!(well[0].text, "Mail leaves by the relay that was named (mail.example:587).");
        assert_eq!(well[3].text, "Online payments go by Stripe.");

        let backlog = Backlog { channel: Channel::Email, waiting: 3, oldest_at: Timestamp::now() };
        let stuck = shown(&all, &[(backlog, Some("535 no".to_owned()))]);
        let names: Vec<&str> = stuck.iter().map(|row| row.check).collect();
        assert_eq!(names, ["push", "fcm", "stripe", "jitsi", "deliveries"]);
        assert!(stuck[4].text.contains("3 deliveries wait (email)") && stuck[4].text.contains("535 no"), "{stuck:?}");
    }
}
