//! Who asks, what they may see, and how often they may ask.

pub mod caller;
pub mod context;
pub mod credentials;
pub mod keys;
pub mod memberships;
pub mod rates;
pub mod throttle;
