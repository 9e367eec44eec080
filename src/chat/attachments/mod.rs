//! Files: the rules about them, and their way in and out.

pub mod apply;
pub mod chunks;
pub mod resume;
pub mod rules;
pub mod transfer;
