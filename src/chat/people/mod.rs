//! Who there is: accounts, sessions, invitations, the directory and its administration.

pub mod accounts;
pub mod addresses;
pub mod administration;
pub mod apply;
pub mod directory;
pub mod invitations;
pub mod passwords;
pub mod recovery;
pub mod sessions;
pub mod sign_in;
