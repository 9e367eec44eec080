//! Carries commands out: the writer's thread, the table of rules, and what has to be done now and then.

pub mod batch;
pub mod dispatch;
pub mod local_admin;
pub mod maintenance;
pub mod start;
pub mod thread;
