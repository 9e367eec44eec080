//! PDF/A-3b: letters, pages, and the file around them.

pub mod archive;
pub mod picture;
pub mod sheet;
pub mod srgb;
pub mod typeface;
