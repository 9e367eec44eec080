//! The words of a mail, as text and as HTML, in French and in English.
//!
//! The HTML brings nothing from elsewhere, reads on a narrow screen and in the dark, and says what the text says. No mail
//! names anybody or tells what was said, unless the practice and its reader chose so.

use crate::model::locale::Locale;

/// A mail's words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    pub subject: String,
    pub text: String,
    /// The same.
    pub html: String,
}

/// What a mail is about. Addresses are whole ones, to be followed by a press.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About<'a> {
    /// Messages wait at this address.
    Messages {
        url: &'a str,
        /// Where such mails end by one press.
        unsubscribe: &'a str,
        /// What the practice and the reader chose to have told: lines such as a name, or a name and a beginning.
        told: &'a [String],
    },
    /// Somebody wants to see whether it arrives.
    Test,
    /// An account can be opened at this address, for a week.
    Invitation { url: &'a str },
    /// Another password can be set at this address, for half an hour.
    Password { url: &'a str },
    /// An address is confirmed at this address, for a day.
    Address { url: &'a str },
    /// The account has moved to another address.
    AddressChanged,
    /// Somebody wanted this address for their account.
    AddressTaken { url: &'a str },
    /// Somebody has signed in from a device that was not seen before; the account's page shows all of them.
    NewDevice { url: &'a str },
}

/// A part of a mail.
enum Part<'a> {
    Paragraph(String),
    /// To be pressed: what it does, and where it leads.
    Button(&'static str, &'a str),
    /// Told, as it stands.
    Lines(&'a [String]),
    /// In small letters.
    Note(String),
}

/// The words of a mail of this practice.
#[must_use]
pub fn compose(practice: &str, locale: Locale, about: &About<'_>) -> Letter {
    let (subject, mut parts) = match locale {
        Locale::French => french(about),
        Locale::English => english(about),
    };
    let greeting = match locale {
        Locale::French => "Bonjour,",
        Locale::English => "Hello,",
    };
    parts.insert(0, Part::Paragraph(greeting.to_owned()));
    let note = match (locale, about) {
        (Locale::French, About::Messages { unsubscribe, .. }) => {
            format!(
                "Ce courrier est écrit par un programme. Pour ne plus en recevoir sur les messages\u{a0}: {unsubscribe}"
            )
        }
        (Locale::English, About::Messages { unsubscribe, .. }) => {
            format!("A program wrote this. To get no more mail about messages: {unsubscribe}")
        }
        (Locale::French, _) => "Ce courrier est écrit par un programme\u{a0}: personne ne lit les réponses.".to_owned(),
        (Locale::English, _) => "A program wrote this: nobody reads answers.".to_owned(),
    };
    let text = as_text(practice, locale, &parts, &note);
    let html = as_html(practice, locale, &subject, &parts, &note);
    Letter { subject: format!("{subject} – {practice}"), text, html }
}

fn french<'a>(about: &About<'a>) -> (String, Vec<Part<'a>>) {
    let (subject, parts) = match *about {
        About::Messages { url, told, .. } => (
            "Vous avez un nouveau message",
            vec![
                say("Au moins un message vous attend. Pour le lire, connectez-vous\u{a0}:"),
                Part::Lines(told),
                Part::Button("Lire mes messages", url),
            ],
        ),
        About::Test => ("Courrier d’essai", vec![say("L’envoi de courrier fonctionne.")]),
        About::Invitation { url } => (
            "Votre invitation",
            vec![
                say("Nous vous invitons à échanger avec nous par une messagerie protégée."),
                Part::Button("Ouvrir mon compte", url),
                note("Le lien fonctionne une fois, pendant sept jours. Ne le transmettez à personne."),
            ],
        ),
        About::Password { url } => (
            "Votre mot de passe",
            vec![
                say("Quelqu’un, sans doute vous, a demandé un nouveau mot de passe pour votre compte."),
                Part::Button("Choisir un nouveau mot de passe", url),
                note(
                    "Le lien fonctionne une fois, pendant trente minutes. Si ce n’était pas vous, ne faites rien\u{a0}: votre mot \
                     de passe reste le même.",
                ),
            ],
        ),
        About::Address { url } => (
            "Confirmez votre adresse",
            vec![
                say("Confirmez que vous lisez le courrier envoyé à cette adresse."),
                Part::Button("Confirmer mon adresse", url),
                note(
                    "Le lien fonctionne une fois, pendant vingt-quatre heures. Si ce n’était pas vous, ne faites rien.",
                ),
            ],
        ),
        About::AddressChanged => (
            "Votre adresse a changé",
            vec![
                say("Votre compte utilise désormais une autre adresse\u{a0}: celle-ci ne permet plus de se connecter."),
                say("Si ce n’était pas vous, prévenez-nous tout de suite."),
            ],
        ),
        About::AddressTaken { url } => (
            "Votre adresse a déjà un compte",
            vec![
                say("Quelqu’un, peut-être vous, a voulu utiliser cette adresse pour un compte. Elle en a déjà un."),
                Part::Button("Me connecter", url),
                note("Si ce n’était pas vous, ne faites rien\u{a0}: personne d’autre ne l’a appris."),
            ],
        ),
        About::NewDevice { url } => french_new_device(url),
    };
    (subject.to_owned(), parts)
}

fn english<'a>(about: &About<'a>) -> (String, Vec<Part<'a>>) {
    let (subject, parts) = match *about {
        About::Messages { url, told, .. } => (
            "You have a new message",
            vec![
                say("At least one message waits for you. Sign in to read it:"),
                Part::Lines(told),
                Part::Button("Read my messages", url),
            ],
        ),
        About::Test => ("Test mail", vec![say("Mail works.")]),
        About::Invitation { url } => (
            "Your invitation",
            vec![
                say("You are invited to talk with us by protected messages."),
                Part::Button("Open my account", url),
                note("The link works once, for seven days. Pass it on to nobody."),
            ],
        ),
        About::Password { url } => (
            "Your password",
            vec![
                say("Somebody, most likely you, asked for a new password for your account."),
                Part::Button("Choose a new password", url),
                note("The link works once, for thirty minutes. If it was not you, do nothing: your password stays."),
            ],
        ),
        About::Address { url } => (
            "Confirm your address",
            vec![
                say("Confirm that you read what is mailed to this address."),
                Part::Button("Confirm my address", url),
                note("The link works once, for twenty-four hours. If it was not you, do nothing."),
            ],
        ),
        About::AddressChanged => (
            "Your address has changed",
            vec![
                say("Your account now uses another address: this one no longer signs in."),
                say("If it was not you, tell us at once."),
            ],
        ),
        About::AddressTaken { url } => (
            "Your address has an account already",
            vec![
                say("Somebody, perhaps you, wanted this address for an account. It has one already."),
                Part::Button("Sign in", url),
                note("If it was not you, do nothing: nobody else was told."),
            ],
        ),
        About::NewDevice { url } => english_new_device(url),
    };
    (subject.to_owned(), parts)
}

fn french_new_device(url: &str) -> (&'static str, Vec<Part<'_>>) {
    (
        "Connexion depuis un nouvel appareil",
        vec![
            say("Quelqu’un, sans doute vous, s’est connecté à votre compte depuis un appareil encore inconnu."),
            Part::Button("Voir mes appareils", url),
            note(
                "Si ce n’était pas vous, déconnectez cet appareil et changez votre mot de passe tout de suite, puis \
                     prévenez-nous.",
            ),
        ],
    )
}

fn english_new_device(url: &str) -> (&'static str, Vec<Part<'_>>) {
    (
        "Sign-in from a new device",
        vec![
            say("Somebody, probably you, has signed in to your account from a device that was not known yet."),
            Part::Button("See my devices", url),
            note("If it was not you, sign that device out and change your password at once, and tell us."),
        ],
    )
}

fn say<'a>(text: &str) -> Part<'a> {
    Part::Paragraph(text.to_owned())
}

fn note<'a>(text: &str) -> Part<'a> {
    Part::Note(text.to_owned())
}

fn as_text(practice: &str, locale: Locale, parts: &[Part<'_>], note: &str) -> String {
    let mut blocks: Vec<String> = parts
        .iter()
        .map(|part| match part {
            Part::Paragraph(text) | Part::Note(text) => text.clone(),
            Part::Button(does, url) => format!("{does}{}\n{url}", locale.colon().trim_end_matches(' ')),
            Part::Lines(lines) => lines.join("\n"),
        })
        .filter(|block| !block.is_empty())
        .collect();
    blocks.push(practice.to_owned());
    blocks.push(format!("-- \n{note}"));
    blocks.join("\n\n") + "\n"
}

fn as_html(practice: &str, locale: Locale, subject: &str, parts: &[Part<'_>], note: &str) -> String {
    let mut body = String::new();
    for part in parts {
        match part {
            Part::Paragraph(text) => body.push_str(&format!("<p>{}</p>\n", escaped(text))),
            Part::Note(text) => body.push_str(&format!("<p class=\"note\">{}</p>\n", escaped(text))),
            Part::Lines(lines) => {
                lines.iter().for_each(|line| body.push_str(&format!("<p class=\"told\">{}</p>\n", escaped(line))));
            }
            Part::Button(does, url) => body.push_str(&format!(
                "<p><a class=\"button\" href=\"{url}\" style=\"display:inline-block;padding:12px 20px;border-radius:6px;\
                 background:#1f4e79;color:#ffffff;text-decoration:none\">{}</a></p>\n<p class=\"note\">{url}</p>\n",
                escaped(does),
                url = escaped(url),
            )),
        }
    }
    format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{body}<p>{practice}</p>\n<hr>\n<p class=\"note\">{note}</p>\n</main>\n</body>\n</html>\n",
        lang = locale.tag(),
        title = escaped(subject),
        practice = escaped(practice),
        note = escaped(note),
    )
}

const STYLE: &str = ":root{color-scheme:light dark}body{margin:0;padding:16px;font:16px/1.5 sans-serif;color:#1a1a1a;\
background:#ffffff}main{max-width:34em;margin:0 auto}p{overflow-wrap:anywhere}.note{font-size:13px;color:#555555}\
.told{padding-left:12px;border-left:3px solid #1f4e79}hr{border:0;border-top:1px solid #cccccc}\
@media (prefers-color-scheme:dark){body{color:#eaeaea;background:#161616}.note{color:#b0b0b0}hr{border-color:#444444}}";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://chat.cabinet.fr/x?a=1&b=2";

    fn all() -> Vec<About<'static>> {
        vec![
            About::Messages { url: URL, unsubscribe: URL, told: &[] },
            About::Test,
            About::Invitation { url: URL },
            About::Password { url: URL },
            About::Address { url: URL },
            About::AddressChanged,
            About::AddressTaken { url: URL },
            About::NewDevice { url: URL },
        ]
    }

    #[test]
    fn every_mail_says_the_same_in_text_and_in_html_and_brings_nothing_from_elsewhere() {
        for about in all() {
            for locale in [Locale::French, Locale::English] {
                let letter = compose("Cabinet <Dupré> & Fils", locale, &about);
                assert!(letter.subject.ends_with("– Cabinet <Dupré> & Fils"));
                assert!(letter.html.contains("Cabinet &lt;Dupré&gt; &amp; Fils") && !letter.html.contains("<Dupré>"));
                assert!(letter.text.contains("-- \n"));
                for foreign in ["<img", "<script", "src=", "@import", "url("] {
                    assert!(!letter.html.contains(foreign), "{foreign}");
                }
                let links = letter.html.matches("href=").count();
                assert_eq!(links > 0, letter.html.contains("class=\"button\""));
                assert_eq!(letter.text.contains(URL), letter.html.contains("a=1&amp;b=2"), "{about:?}");
            }
        }
    }

    #[test]
    fn each_language_is_set_by_its_own_rules() {
        for about in all() {
            let french = compose("Cabinet", Locale::French, &about);
            let english = compose("Cabinet", Locale::English, &about);
            for text in [&french.text, &french.html, &french.subject] {
                assert!(!text.contains(" :") && !text.contains('\''), "{text}");
            }
            for text in [&english.text, &english.html, &english.subject] {
                assert!(!text.contains(" :") && !text.contains('\u{a0}'), "{text}");
            }
        }
        let letter = compose("Cabinet", Locale::English, &About::Password { url: URL });
        assert!(letter.text.contains(&format!("Choose a new password:\n{URL}")), "{}", letter.text);
    }

    #[test]
    fn a_mail_about_messages_tells_nothing_unless_it_is_given_something() {
        let letter = compose("Cabinet", Locale::French, &all()[0]);
        assert_eq!(letter.subject, "Vous avez un nouveau message – Cabinet");
        let told = ["Me Anne Roy : <b>bonjour</b>".to_owned()];
        let about = About::Messages { url: URL, unsubscribe: URL, told: &told };
        let letter = compose("Cabinet", Locale::English, &about);
        assert!(letter.text.contains("Me Anne Roy : <b>bonjour</b>"));
        assert!(letter.html.contains("&lt;b&gt;bonjour&lt;/b&gt;"));
    }
}
