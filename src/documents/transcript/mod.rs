//! A conversation on paper, for the file of the matter: HTML and PDF.

pub mod html;
pub mod pdf;
pub mod wording;
