//! Calls: who rings for whom, who sits where, and when it is over. What is said in them never comes here.

pub mod apply;
pub mod call;
pub mod closing;
pub mod deadlines;
pub mod keeping;
pub mod limits;
pub mod parts;
pub mod query;
pub mod recording;
pub mod rules;
pub mod service;
