//! Payments by Stripe, checked: a key alone would take money that nobody hears of.

use crate::cli::billing::Billing;
use crate::config::error::Error;
use crate::config::secret;
use crate::integrations::hook::Secret;
use crate::integrations::https::origin::Origin;
use crate::integrations::stripe::client;

/// Payments by Stripe.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose account, and where Stripe is.
    pub stripe: client::Settings,
    /// Whether a SEPA debit is offered beside the card.
    pub sepa: bool,
}

/// What was typed, if Stripe is to be used.
///
/// # Errors
/// What is missing or cannot be read, by its flag.
pub fn stripe(typed: &Billing, public_url: Option<&str>, is_private: bool) -> Result<Option<Settings>, Error> {
    let wrong = |flag: &'static str, wrong: &str| Error::Usage { flag, wrong: wrong.to_owned() };
    let Some(key_file) = &typed.stripe_key_file else {
        return match typed.stripe_webhook_secret_file.first() {
            Some(_) => Err(wrong("stripe-webhook-secret-file", "goes with --stripe-key-file")),
            None => Ok(None),
        };
    };
    let key = secret::read("stripe-key-file", key_file)?
        .parse()
        .map_err(|bad: client::BadApiKey| wrong("stripe-key-file", &bad.to_string()))?;
    if public_url.is_none() && !is_private {
        return Err(Error::Payments("payers need an address to come back to: give --public-url"));
    }
    if typed.stripe_webhook_secret_file.is_empty() {
        return Err(Error::Payments("payments would not be heard of: give --stripe-webhook-secret-file"));
    }
    let mut webhook_secrets = Vec::new();
    for path in &typed.stripe_webhook_secret_file {
        let secret = Secret::new(&secret::read("stripe-webhook-secret-file", path)?);
        webhook_secrets.push(secret.ok_or_else(|| wrong("stripe-webhook-secret-file", "the file is empty"))?);
    }
    let api = typed.stripe_api.as_deref().map(str::parse::<Origin>).transpose();
    let api = api.map_err(|bad| wrong("stripe-api", &bad.to_string()))?;
    Ok(Some(Settings { stripe: client::Settings { key, webhook_secrets, api }, sepa: typed.stripe_sepa }))
}

/// The settings as administrators see them: the files' contents never.
pub(super) fn shown(typed: &Billing) -> [(&'static str, String); 4] {
    let set = |is_set: bool| if is_set { "set" } else { "unset" }.to_owned();
    [
        ("stripe-key-file", set(typed.stripe_key_file.is_some())),
        ("stripe-webhook-secret-file", set(!typed.stripe_webhook_secret_file.is_empty())),
        ("stripe-sepa", typed.stripe_sepa.to_string()),
        ("stripe-api", typed.stripe_api.clone().unwrap_or_else(|| "unset".to_owned())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_nobody_would_hear_of_payments_with_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let key = Billing { stripe_key_file: Some(file("key", "sk_test_abc\n")), ..Billing::default() };
        assert!(matches!(stripe(&Billing::default(), None, false), Ok(None)));
        assert!(matches!(stripe(&key, None, true), Err(Error::Payments(_))), "no secret");
        let whole = Billing { stripe_webhook_secret_file: vec![file("hook", "whsec_a\n")], ..key };
        assert!(matches!(stripe(&whole, None, false), Err(Error::Payments(_))), "no address to come back to");
        for (url, is_private) in [(None, true), (Some("https://chat.example"), false)] {
            let settings = stripe(&whole, url, is_private).unwrap().unwrap();
            assert!(!settings.stripe.key.livemode() && settings.stripe.webhook_secrets.len() == 1);
        }
        let published = Billing { stripe_key_file: Some(file("wrong", "pk_test_abc")), ..whole.clone() };
        assert!(matches!(stripe(&published, None, true), Err(Error::Usage { flag: "stripe-key-file", .. })));
        let empty = Billing { stripe_webhook_secret_file: vec![file("empty", "\n")], ..whole };
        assert!(matches!(stripe(&empty, None, true), Err(Error::Usage { .. })));
    }
}
