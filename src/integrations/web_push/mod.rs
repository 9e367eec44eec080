//! Web Push: a notice to a browser, through the push service of its maker.
//!
//! RFC 8030 (the request), RFC 8188 and 8291 (the encryption: the service carries what it cannot read), RFC 8292 (VAPID: who
//! sends). Every body has the same length, so that the service does not learn how much is said. A request goes to
//! a known push service and nowhere else, because its address comes from whoever registers a device.

pub mod encryption;
pub mod sender;
pub mod subscription;
pub mod vapid;
