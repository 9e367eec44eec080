//! What a look at the installation found: a line for people, and what mends it.

use serde::Serialize;

use crate::model::locale::Locale;

/// How it is with one thing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, and will not for ever or not for everybody.
    Warning,
    /// It does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// What was looked at: a word that programs and tests know it by.
    pub check: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// How it is, for people.
    pub text: String,
    /// The flag, variable or command that mends it, with what else there is to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    /// It is as it should be.
    pub fn good(check: &'static str, text: impl Into<String>) -> Finding {
        Finding { check, verdict: Verdict::Good, text: text.into(), remedy: None }
    }

    /// It is not, and this mends it.
    pub fn fault(check: &'static str, verdict: Verdict, text: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { check, verdict, text: text.into(), remedy: Some(remedy.into()) }
    }
}

/// One of two texts.
pub fn told<'a>(locale: Locale, french: &'a str, english: &'a str) -> &'a str {
    match locale {
        Locale::French => french,
        Locale::English => english,
    }
}
