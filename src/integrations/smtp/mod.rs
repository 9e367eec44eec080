//! Mail, handed to a relay (RFC 6409): one person per mail, by a connection that is encrypted.
//!
//! STARTTLS is demanded where TLS does not begin at once; only a relay on loopback may do without. What an answer means
//! depends on when it comes: only what is said of the recipient speaks against the address; what is said before speaks
//! against our settings, what is said after against this mail.

pub mod mail;
pub mod mailer;
pub mod outcome;
pub mod settings;
