//! Security: what an attacker can send from outside, against the real binary.
//!
//! One file per subject. `docs/SECURITY.md` names for each property the test that shows it, and `page` checks that each
//! of them exists.

mod accounts;
mod attachments;
mod authorisation;
mod dependencies;
mod first_run;
mod headers;
mod hostile;
mod origins;
mod page;
mod sessions;
mod stage;
mod tokens;
