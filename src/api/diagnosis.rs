//! What an administrator and `lexchat doctor` are told about the installation: one row per thing that can be set up wrong
//! or wear out. A part of the product with something to look after adds its row to `CHECKS`.

mod bills;
mod parties;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::SystemTime;

use crate::chat::billing::pending::Pending;
use crate::chat::handle::completion::Health;
use crate::chat::people::administration::Measured;
use crate::http::certificate::{Certificate, Complaint};
use crate::http::peer::Way;
use crate::model::finding::{Finding, Verdict, told};
use crate::model::locale::Locale;
use crate::store::outbox::Backlog;

/// Below this a disk is nearly full, whatever the size of the database.
const DISK_BYTES_MIN: u64 = 1 << 30;
/// A backup that is older is missing: the nightly one has failed twice.
const BACKUP_AGE_MAX_S: i64 = 2 * 24 * 60 * 60;

/// What the rows are made of.
pub struct Facts<'a> {
    /// Sizes, and when the last copy was made.
    pub measured: &'a Measured,
    /// What storage can promise.
    pub health: Health,
    /// The server's own certificate.
    pub certificate: Option<Certificate>,
    /// The names that people know the server by.
    pub names: &'a [String],
    /// The address that links are made of; `None` where it was not said.
    pub public_url: Option<&'a str>,
    /// Where whoever asks is seen, and how they come.
    pub seen: (IpAddr, Way),
    /// Whether nobody but people at this machine can be meant.
    pub is_private: bool,
    /// Whether a password that everybody knows opens an account.
    pub demo_accounts: bool,
    /// What waits to leave, channel by channel, and what its last answer was.
    pub backlogs: &'a [(Backlog, Option<String>)],
    /// What is to be done about bills.
    pub bills: &'a Pending,
    /// Every setting by its flag's name; `unset` where it is not.
    pub settings: &'a BTreeMap<&'static str, String>,
    /// The moment.
    pub now: SystemTime,
    /// The language of the texts.
    pub locale: Locale,
}

/// A row: what it finds, or nothing where there is nothing to look at.
type Check = fn(&Facts<'_>) -> Vec<Finding>;

/// The rows, in the order in which they are shown.
const CHECKS: [Check; 10] =
    [storage, disk, backup, address, proxy, own_certificate, parties::rows, demo, recordings, bills::rows];

/// All rows.
#[must_use]
pub fn examine(facts: &Facts<'_>) -> Vec<Finding> {
    CHECKS.iter().flat_map(|check| check(facts)).collect()
}

fn storage(facts: &Facts<'_>) -> Vec<Finding> {
    let l = facts.locale;
    vec![match &facts.health {
        Health::Open => Finding::good(
            "storage",
            told(l, "Tout ce qui est confirmé est sur le disque.", "All that is acknowledged is on disk."),
        ),
        Health::Full => Finding::fault(
            "storage",
            Verdict::Bad,
            told(
                l,
                "Le disque est plein : rien de nouveau n’est enregistré.",
                "The disk is full: nothing new is stored.",
            ),
            told(
                l,
                "Libérez de la place ; le serveur reprend de lui-même.",
                "Make room; the server goes on by itself.",
            ),
        ),
        Health::Closed | Health::Failed(_) => Finding::fault(
            "storage",
            Verdict::Bad,
            told(l, "Le serveur ne peut plus rien enregistrer.", "The server can store nothing any more."),
            told(l, "Voyez le journal, vérifiez le disque, redémarrez.", "See the log, look at the disk, restart."),
        ),
    }]
}

fn disk(facts: &Facts<'_>) -> Vec<Finding> {
    let l = facts.locale;
    let database = u64::try_from(facts.measured.statistics.database_bytes).unwrap_or(0);
    facts.measured.disk_free_bytes.map(|free| disk_row(free, database, l)).into_iter().collect()
}

/// How much room is left for a database of this size.
#[must_use]
pub fn disk_row(free: u64, database: u64, l: Locale) -> Finding {
    let size = size(free, l);
    if free >= DISK_BYTES_MIN && free >= database.saturating_mul(2) {
        let text = told(l, "Place libre sur le disque : ", "Free space on the disk: ");
        return Finding::good("disk", format!("{text}{size}"));
    }
    let verdict = if free < DISK_BYTES_MIN / 10 { Verdict::Bad } else { Verdict::Warning };
    let text = told(l, "Il ne reste que peu de place sur le disque : ", "Little space is left on the disk: ");
    let remedy = told(
        l,
        "Agrandissez le disque ou déplacez les copies : une mise à jour et une sauvegarde demandent chacune la taille de la base.",
        "Enlarge the disk or move the copies: an upgrade and a backup each need as much as the database has.",
    );
    Finding::fault("disk", verdict, format!("{text}{size}"), remedy)
}

fn backup(facts: &Facts<'_>) -> Vec<Finding> {
    if facts.demo_accounts {
        return Vec::new();
    }
    let l = facts.locale;
    let remedy = "lexchat backup --keep 30 /backup (docs/deploy/lexchat-backup.timer)";
    let now_s = facts.now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let age_s = facts.measured.last_backup_s.map(|at| i64::try_from(now_s).unwrap_or(i64::MAX).saturating_sub(at));
    vec![match age_s {
        None => {
            let text = told(l, "Aucune sauvegarde n’a encore été faite.", "No backup has been made yet.");
            Finding::fault("backup", Verdict::Warning, text, remedy)
        }
        Some(age_s) if age_s > BACKUP_AGE_MAX_S => {
            let days = age_s / (24 * 60 * 60);
            let text = match l {
                Locale::French => format!("La dernière sauvegarde date de {days} jours."),
                Locale::English => format!("The last backup is {days} days old."),
            };
            Finding::fault("backup", Verdict::Bad, text, remedy)
        }
        Some(_) => Finding::good(
            "backup",
            told(l, "La dernière sauvegarde a moins de deux jours.", "The last backup is less than two days old."),
        ),
    }]
}

fn address(facts: &Facts<'_>) -> Vec<Finding> {
    vec![address_row(facts.public_url, facts.seen, facts.is_private, facts.locale)]
}

fn address_row(public_url: Option<&str>, (seen, way): (IpAddr, Way), is_private: bool, l: Locale) -> Finding {
    let unsaid = |remedy: String| {
        let text = told(
            l,
            "L’adresse que les gens utilisent n’est pas indiquée\u{a0}: les invitations en nomment une autre.",
            "The address that people use is not said: invitations name another one.",
        );
        Finding::fault("address", Verdict::Warning, text, remedy)
    };
    let flag = "--public-url https://… (LEXCHAT_PUBLIC_URL)";
    match (public_url, way) {
        (Some(url), _) => {
            let text = told(l, "Les liens et invitations mènent à ", "Links and invitations lead to ");
            Finding::good("address", format!("{text}{url}"))
        }
        // Whoever comes through a proxy need not be at this machine.
        (None, Way::UntrustedProxy(_)) => unsaid(format!("{flag}, --trust-proxy {seen} (LEXCHAT_TRUST_PROXY)")),
        (None, Way::Direct) if is_private => Finding::good(
            "address",
            told(l, "Cette machine seule peut se connecter.", "Only this machine can connect."),
        ),
        (None, _) => unsaid(flag.to_owned()),
    }
}

/// Whether the limits of one address are those of one person: as the administrator's own request shows it.
fn proxy(facts: &Facts<'_>) -> Vec<Finding> {
    let (address, way) = facts.seen;
    vec![proxy_row(address, way, facts.locale)]
}

fn proxy_row(address: IpAddr, way: Way, l: Locale) -> Finding {
    let of_proxy = |french: &str, english: &str, remedy: String| {
        let text = match l {
            Locale::French => {
                format!("Le proxy à {address} {french}\u{a0}: tous partagent une adresse et ses limites.")
            }
            Locale::English => format!("The proxy at {address} {english}: all share one address and its limits."),
        };
        Finding::fault("proxy", Verdict::Bad, text, remedy)
    };
    match way {
        Way::Direct | Way::TrustedProxy => {
            Finding::good("proxy", format!("{}{address}", told(l, "Vous êtes vu à l’adresse ", "You are seen at ")))
        }
        Way::UntrustedProxy(_) => {
            of_proxy("n’est pas reconnu", "is not trusted", format!("--trust-proxy {address} (LEXCHAT_TRUST_PROXY)"))
        }
        Way::SilentProxy => of_proxy(
            "ne dit pas pour qui il demande",
            "does not say for whom it asks",
            "X-Forwarded-For (docs/deploy)".to_owned(),
        ),
    }
}

fn own_certificate(facts: &Facts<'_>) -> Vec<Finding> {
    let certificate = facts.certificate.as_ref();
    certificate.map(|own| certificate_rows(own, facts.names, facts.now, facts.locale)).unwrap_or_default()
}

/// What there is to say about a certificate that is shown under these names.
#[must_use]
pub fn certificate_rows(certificate: &Certificate, names: &[String], now: SystemTime, l: Locale) -> Vec<Finding> {
    let complaints = certificate.complaints(names, now);
    if complaints.is_empty() {
        let text = told(l, "Le certificat est valable jusqu’au ", "The certificate is good until ");
        return vec![Finding::good("certificate", format!("{text}{}", certificate.ends_on()))];
    }
    complaints.iter().map(|complaint| certificate_fault(complaint, l)).collect()
}

fn certificate_fault(complaint: &Complaint, l: Locale) -> Finding {
    let french = match complaint {
        Complaint::Ended(day) => format!("Le certificat a expiré le {day} : les navigateurs le refusent."),
        Complaint::EndsSoon { ends, days } => format!("Le certificat expire le {ends}, dans {days} jours."),
        Complaint::NotYet(day) => {
            format!("Le certificat n’est valable qu’à partir du {day} (l’horloge est-elle juste ?).")
        }
        Complaint::OtherName(name) => {
            format!("Le certificat n’est pas fait pour {name} : les navigateurs le refusent.")
        }
    };
    let english = complaint.to_string();
    let verdict = if matches!(complaint, Complaint::EndsSoon { .. }) { Verdict::Warning } else { Verdict::Bad };
    let remedy = told(
        l,
        "Renouvelez-le, puis `systemctl reload lexchat` (ou SIGHUP).",
        "Renew it, then `systemctl reload lexchat` (or SIGHUP).",
    );
    Finding::fault("certificate", verdict, told(l, &french, &english), remedy)
}

fn demo(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.demo_accounts {
        return Vec::new();
    }
    let l = facts.locale;
    let text = told(
        l,
        "Des comptes de démonstration sont ouverts, dont tout le monde connaît le mot de passe.",
        "Demo accounts are open, whose password everybody knows.",
    );
    vec![Finding::fault(
        "demo",
        Verdict::Warning,
        text,
        "--no-demo --db FILE, lexchat user passwd, lexchat user disable",
    )]
}

/// In the units of the language, with a space at which no line breaks.
fn size(bytes: u64, l: Locale) -> String {
    if bytes < 10_000_000_000 {
        format!("{}\u{a0}{}", bytes / 1_000_000, told(l, "Mo", "MB"))
    } else {
        format!("{}\u{a0}{}", bytes / 1_000_000_000, told(l, "Go", "GB"))
    }
}

/// Recordings that a service made without everybody's consent.
fn recordings(facts: &Facts<'_>) -> Vec<Finding> {
    let (count, l) = (facts.measured.statistics.refused_recordings, facts.locale);
    if count == 0 {
        return Vec::new();
    }
    let text = told(
        l,
        "Des enregistrements sont venus sans l’accord de tous ; ils ont été effacés : ",
        "Recordings came without everybody's consent; they were deleted: ",
    );
    let remedy = told(
        l,
        "Rappelez aux juristes de demander l’accord dans la messagerie avant d’enregistrer dans Jitsi.",
        "Remind juristes to ask for consent in lexchat before they record in Jitsi.",
    );
    vec![Finding::fault("recordings", Verdict::Warning, format!("{text}{count}."), remedy)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(
        measured: &Measured,
        health: Health,
        public_url: Option<&str>,
        is_private: bool,
    ) -> Vec<(&'static str, Verdict)> {
        let facts = Facts {
            measured,
            health,
            certificate: None,
            names: &[],
            public_url,
            seen: (IpAddr::from([192, 0, 2, 7]), Way::Direct),
            is_private,
            demo_accounts: false,
            backlogs: &[],
            bills: &Pending::default(),
            settings: &BTreeMap::new(),
            now: SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000),
            locale: Locale::English,
        };
        examine(&facts).iter().map(|finding| (finding.check, finding.verdict)).collect()
    }

    #[test]
    fn room_on_the_disk_is_told_in_the_units_of_the_language() {
        let said = |free, l| disk_row(free, 0, l).text;
        assert!(said(64_000_000_000, Locale::French).ends_with("\u{a0}: 64\u{a0}Go"));
        assert!(said(64_000_000_000, Locale::English).ends_with(": 64\u{a0}GB"));
        assert!(said(9_000_000, Locale::French).ends_with("\u{a0}: 9\u{a0}Mo"));
    }

    #[test]
    fn each_row_says_when_it_is_not_as_it_should_be_and_what_mends_it() {
        let mut measured =
            Measured { disk_free_bytes: Some(50 << 30), last_backup_s: Some(999_990_000), ..Measured::default() };
        let good = verdicts(&measured, Health::Open, Some("https://chat.example"), false);
        assert!(good.iter().all(|(_, verdict)| *verdict == Verdict::Good) && good.len() == 5, "{good:?}");
        measured.disk_free_bytes = Some(10 << 20);
        measured.last_backup_s = Some(999_000_000);
        let bad = verdicts(&measured, Health::Full, None, false);
        let expected = [
            ("storage", Verdict::Bad),
            ("disk", Verdict::Bad),
            ("backup", Verdict::Bad),
            ("address", Verdict::Warning),
            ("proxy", Verdict::Good),
        ];
        assert_eq!(bad, expected);
        measured.last_backup_s = None;
        assert_eq!(
            verdicts(&measured, Health::Open, None, true)[2..4],
            [("backup", Verdict::Warning), ("address", Verdict::Good)]
        );
        measured.statistics.database_bytes = 40 << 30;
        measured.disk_free_bytes = Some(60 << 30);
        assert_eq!(
            verdicts(&measured, Health::Open, None, true)[1],
            ("disk", Verdict::Warning),
            "a copy would not fit"
        );
    }

    #[test]
    fn a_proxy_that_makes_all_share_one_address_is_named_with_what_mends_it() {
        let at = IpAddr::from([10, 0, 0, 2]);
        for (way, verdict, mends) in [
            (Way::Direct, Verdict::Good, None),
            (Way::TrustedProxy, Verdict::Good, None),
            (Way::UntrustedProxy("via"), Verdict::Bad, Some("--trust-proxy 10.0.0.2")),
            (Way::SilentProxy, Verdict::Bad, Some("X-Forwarded-For")),
        ] {
            let row = proxy_row(at, way, Locale::French);
            assert_eq!(row.verdict, verdict, "{row:?}");
            assert_eq!(row.remedy.is_some(), mends.is_some(), "{row:?}");
            assert!(row.remedy.unwrap_or_default().contains(mends.unwrap_or_default()), "{way:?}");
        }
    }

    #[test]
    fn nobody_is_told_that_only_this_machine_can_connect_who_came_through_a_proxy() {
        for (way, verdict, mends) in [
            (Way::Direct, Verdict::Good, None),
            (Way::TrustedProxy, Verdict::Warning, Some("--public-url")),
            (Way::SilentProxy, Verdict::Warning, Some("--public-url")),
            (Way::UntrustedProxy("x-forwarded-for"), Verdict::Warning, Some("--trust-proxy 127.0.0.1")),
        ] {
            let row = address_row(None, (IpAddr::from([127, 0, 0, 1]), way), true, Locale::French);
            assert_eq!((row.verdict, row.remedy.is_some()), (verdict, mends.is_some()), "{row:?}");
            assert!(row.remedy.unwrap_or_default().contains(mends.unwrap_or_default()), "{way:?}");
        }
    }
}
