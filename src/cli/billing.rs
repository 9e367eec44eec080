//! Payments by Stripe.

use std::path::PathBuf;

use clap::Args;

/// Payments by Stripe.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Payments")]
pub struct Billing {
    /// A file with the secret key of an account at Stripe; without it invoices are paid by transfer
    #[arg(long, value_name = "FILE", env = "LEXCHAT_STRIPE_KEY_FILE")]
    pub stripe_key_file: Option<PathBuf>,
    /// A file with the secret that Stripe signs webhooks with (repeatable, for a change)
    #[arg(long, value_name = "FILE", env = "LEXCHAT_STRIPE_WEBHOOK_SECRET_FILE", value_delimiter = ',')]
    pub stripe_webhook_secret_file: Vec<PathBuf>,
    /// Offer a SEPA direct debit beside the card
    #[arg(long, env = "LEXCHAT_STRIPE_SEPA", value_parser = clap::builder::FalseyValueParser::new())]
    pub stripe_sepa: bool,
    /// Another address than Stripe's, for tests
    #[arg(long, value_name = "URL", env = "LEXCHAT_STRIPE_API")]
    pub stripe_api: Option<String>,
}
