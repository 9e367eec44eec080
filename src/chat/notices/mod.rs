//! What is told to who is not looking: what each person chose, the devices that they are told on,
//! and what is on its way to them.

pub mod apply;
pub mod deliveries;
pub mod devices;
pub mod due;
mod leaving;
pub mod messages;
pub mod post;
pub mod preferences;
pub mod ringing;
pub mod words;
