//! What a transcript says, sentence by sentence, the same on every kind of paper.

use crate::model::attachment::FileRef;
use crate::model::id::UserId;
use crate::model::locale::Locale;
use crate::model::message::Message;
use crate::model::timestamp::Timestamp;
use crate::model::transcript::{Head, Said, Writing};
use crate::model::user::Role;
use crate::model::zone::weekday;

const MONTHS: [[&str; 2]; 12] = [
    ["janvier", "January"],
    ["février", "February"],
    ["mars", "March"],
    ["avril", "April"],
    ["mai", "May"],
    ["juin", "June"],
    ["juillet", "July"],
    ["août", "August"],
    ["septembre", "September"],
    ["octobre", "October"],
    ["novembre", "November"],
    ["décembre", "December"],
];

const WEEKDAYS: [[&str; 2]; 7] = [
    ["lundi", "Monday"],
    ["mardi", "Tuesday"],
    ["mercredi", "Wednesday"],
    ["jeudi", "Thursday"],
    ["vendredi", "Friday"],
    ["samedi", "Saturday"],
    ["dimanche", "Sunday"],
];

/// Who tells: of which conversation, in which language, by which clock.
#[derive(Clone, Copy, Debug)]
pub struct Voice<'a> {
    /// Of what.
    pub head: &'a Head,
    /// How.
    pub writing: &'a Writing,
}

/// One message as it stands on the paper.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Who said it.
    pub author: String,
    /// Its number and when it was sent.
    pub when: String,
    /// What was said; nothing where only files speak, and once deleted.
    pub text: String,
    /// What became of it, and what goes with it.
    pub notes: Vec<String>,
}

impl Voice<'_> {
    /// The title of the paper.
    #[must_use]
    pub fn title(self) -> String {
        let names: Vec<&str> = self.head.members.iter().map(|one| one.name.as_str()).collect();
        format!(
            "{} {}",
            self.pick("Conversation entre", "Conversation between"),
            names.join(self.pick(" et ", " and "))
        )
    }

    /// What stands below the title.
    #[must_use]
    pub fn facts(self) -> Vec<String> {
        let Head { id, members, created_at, rev, updated_at } = self.head;
        let mut facts: Vec<String> =
            members.iter().map(|one| format!("{}, {}", one.name, self.role(one.role))).collect();
        let opened = self.moment(*created_at);
        facts.push(match self.writing.locale {
            Locale::French => format!("Conversation n° {id}, ouverte le {opened}"),
            Locale::English => format!("Conversation no. {id}, opened on {opened}"),
        });
        let changed = self.moment(*updated_at);
        facts.push(match self.writing.locale {
            Locale::French => format!("État après la modification n° {rev}, du {changed}"),
            Locale::English => format!("State after change no. {rev}, of {changed}"),
        });
        facts.extend(self.period());
        facts.push(format!("{} {}", self.pick("Heures :", "Times:"), self.writing.zone.name()));
        facts
    }

    fn period(self) -> Option<String> {
        let period = self.writing.period;
        let [from, to] = [period.from, period.to].map(|at| at.map(|at| self.moment(at)));
        Some(match (self.writing.locale, from, to) {
            (_, None, None) => return None,
            (Locale::French, Some(from), Some(to)) => format!("Messages du {from} au {to}"),
            (Locale::English, Some(from), Some(to)) => format!("Messages from {from} to {to}"),
            (Locale::French, Some(from), None) => format!("Messages à partir du {from}"),
            (Locale::English, Some(from), None) => format!("Messages from {from} on"),
            (Locale::French, None, Some(to)) => format!("Messages jusqu’au {to}"),
            (Locale::English, None, Some(to)) => format!("Messages until {to}"),
        })
    }

    /// What is said where there is no message.
    #[must_use]
    pub fn nothing(self) -> &'static str {
        self.pick("Aucun message dans cette période.", "No message in this period.")
    }

    /// Which page, of how many.
    #[must_use]
    pub fn page(self, page: usize, pages: usize) -> String {
        format!("page {page} {} {pages}", self.pick("sur", "of"))
    }

    /// What a message says, and what became of it.
    #[must_use]
    pub fn entry(self, said: &Said) -> Entry {
        let message = &said.message;
        let number = self.pick("n°", "no.");
        Entry {
            author: self.name_of(message.sender_id).to_owned(),
            when: format!("{number} {} · {}", message.id, self.moment(message.created_at)),
            text: message.content.clone(),
            notes: self.notes(said),
        }
    }

    fn notes(self, said: &Said) -> Vec<String> {
        let message = &said.message;
        let mut notes = Vec::new();
        if let Some(id) = message.reply_to_id {
            notes.push(format!("{} {id}", self.pick("En réponse au n°", "In reply to no.")));
        }
        if let Some(at) = message.deleted_at {
            notes.push(format!("{} {}", self.pick("Message supprimé le", "Message deleted on"), self.moment(at)));
        }
        notes.extend(message.files.iter().map(|file| self.file(file)));
        notes.extend(links(message).map(|link| format!("{} {link}", self.pick("Lien :", "Link:"))));
        if let Some(at) = message.edited_at {
            notes.push(format!("{} {}", self.pick("Modifié le", "Edited on"), self.moment(at)));
        }
        for earlier in &said.revisions {
            let (at, text) = (self.moment(earlier.at), &earlier.content);
            notes.push(match self.writing.locale {
                Locale::French => format!("Texte du {at} : « {text} »"),
                Locale::English => format!("Text of {at}: “{text}”"),
            });
        }
        for reaction in &message.reactions {
            let names: Vec<&str> = reaction.user_ids.iter().map(|id| self.name_of(*id)).collect();
            let (label, emoji) = (self.pick("Réaction", "Reaction"), &reaction.emoji);
            notes.push(format!("{label} {emoji}{}{}", self.writing.locale.colon(), names.join(", ")));
        }
        if let Some(at) = message.read_at {
            notes.push(format!("{} {}", self.pick("Lu le", "Read on"), self.moment(at)));
        }
        notes
    }

    fn file(self, file: &FileRef) -> String {
        let (name, kind, sha256) = (&file.name, &file.mime_type, &file.sha256);
        format!("{} {name} ({}, {kind}, SHA-256 {sha256})", self.pick("Fichier :", "File:"), self.size(file.size))
    }

    /// `1,2 Mo`.
    fn size(self, bytes: i64) -> String {
        let (thousands, unit) = match bytes {
            ..1_000 => return format!("{bytes} {}", self.pick("octets", "bytes")),
            1_000..1_000_000 => (bytes / 100, self.pick("ko", "kB")),
            1_000_000..1_000_000_000 => (bytes / 100_000, self.pick("Mo", "MB")),
            _ => (bytes / 100_000_000, self.pick("Go", "GB")),
        };
        format!("{}{}{} {unit}", thousands / 10, self.pick(",", "."), thousands % 10)
    }

    /// `samedi 28 novembre 2026 à 13:06`.
    #[must_use]
    pub fn moment(self, at: Timestamp) -> String {
        let local = self.writing.zone.wall(at);
        let (date, year) = (local.day(), local.year());
        let weekday = self.of(WEEKDAYS[usize::from(weekday(local.date())) % 7]);
        let month = self.of(MONTHS[usize::try_from(local.month() - 1).unwrap_or(0) % 12]);
        let date = if date == 1 { self.pick("1er", "1").to_owned() } else { date.to_string() };
        let at = self.pick("à", "at");
        format!("{weekday} {date} {month} {year} {at} {:02}:{:02}", local.hour(), local.minute())
    }

    /// The two-letter tag of the paper's language.
    #[must_use]
    pub fn language(self) -> &'static str {
        self.writing.locale.tag()
    }

    fn name_of(&self, id: UserId) -> &str {
        self.head.members.iter().find(|one| one.id == id).map_or("?", |one| &one.name)
    }

    fn role(self, role: Role) -> &'static str {
        match role {
            Role::Client => self.pick("client", "client"),
            Role::Juriste => self.pick("juriste", "jurist"),
            Role::Admin => self.pick("administration", "administration"),
        }
    }

    fn of(self, [french, english]: [&'static str; 2]) -> &'static str {
        self.pick(french, english)
    }

    fn pick(self, french: &'static str, english: &'static str) -> &'static str {
        match self.writing.locale {
            Locale::French => french,
            Locale::English => english,
        }
    }
}

/// The addresses of a message that are not those of its files.
fn links(message: &Message) -> impl Iterator<Item = &String> {
    let all = message.attachments.iter().flatten();
    all.filter(|link| message.files.iter().all(|file| file.url != **link))
}
