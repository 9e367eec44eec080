//! Secrets: never typed on the command line, never shown.

use std::fmt;
use std::path::Path;

use crate::cli::serve::Reach;
use crate::config::error::Error;
use crate::model::text::visible;

/// A secret that no `Debug` shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    /// What a file holds, without the mark and the line's end that editors add.
    pub fn new(text: &str) -> Self {
        Self(text.trim_start_matches('\u{feff}').trim().to_owned())
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(…)")
    }
}

/// What a file with a secret holds. One in which nothing can be seen holds none.
pub(super) fn read(flag: &'static str, path: &Path) -> Result<String, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    let is_empty = || Error::Usage { flag, wrong: "the file is empty".to_owned() };
    if visible::has_visible(&text) { Ok(text) } else { Err(is_empty()) }
}

/// From its variable, or from the file that `…_FILE` names.
pub(super) fn metrics_token(reach: &Reach) -> Result<Option<Hidden>, Error> {
    let text = match &reach.metrics_token_file {
        Some(path) => Some(read("metrics-token-file", path)?),
        None => std::env::var("LEXCHAT_METRICS_TOKEN").ok().filter(|text| visible::has_visible(text)),
    };
    let token = text.map(|text| text.trim_start_matches('\u{feff}').trim().to_owned());
    match token {
        Some(token) if token.len() < 16 => Err(Error::Usage {
            flag: "metrics-token-file",
            wrong: "a token of at least 16 characters is needed".into(),
        }),
        token => Ok(token.map(Hidden)),
    }
}

#[cfg(test)]
mod tests {
    use super::Hidden;

    #[test]
    fn a_secret_is_not_in_what_debug_shows() {
        assert_eq!(format!("{:?}", Hidden("geheim".into())), "Hidden(…)");
    }
}
