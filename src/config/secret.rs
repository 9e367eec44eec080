//! Secrets: never typed on the command line, never shown.

use std::fmt;

use crate::cli::serve::Reach;
use crate::config::error::Error;

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

/// From its variable, or from the file that `…_FILE` names.
pub(super) fn metrics_token(reach: &Reach) -> Result<Option<Hidden>, Error> {
    let text = match &reach.metrics_token_file {
        Some(path) => {
            let read = std::fs::read_to_string(path);
            Some(read.map_err(|source| Error::Unreadable { path: path.clone(), source })?)
        }
        None => std::env::var("LEXCHAT_METRICS_TOKEN").ok(),
    };
    let token = text.map(|text| text.trim_start_matches('\u{feff}').trim().to_owned());
    let is_from_file = reach.metrics_token_file.is_some();
    match token.filter(|token| !token.is_empty() || is_from_file) {
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
