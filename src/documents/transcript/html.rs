//! A transcript as one HTML file that needs nothing else: no script, no address that anything is fetched from.
//!
//! It is written piece by piece: [`head`], a [`message`] each, [`END`].

use std::fmt::Write as _;

use crate::documents::transcript::wording::Voice;
use crate::model::transcript::Said;

/// What ends the file.
pub const END: &str = "</main>\n</body>\n</html>\n";

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;color:#1c1c21;margin:0}\
main{max-width:46rem;margin:0 auto;padding:2rem 1rem}h1{font-size:1.4rem;margin:0 0 .5rem}\
.facts,.notes{color:#66666e;font-size:.85rem}.facts p,.notes p{margin:0;overflow-wrap:anywhere;white-space:pre-wrap}\
article{border-top:1px solid #ccc9c2;padding:.75rem 0;break-inside:avoid}\
h2{font-size:1rem;margin:0;display:flex;gap:1rem;justify-content:space-between;flex-wrap:wrap}\
h2 span{font-weight:400;color:#66666e;font-size:.85rem}\
.text{margin:.25rem 0;white-space:pre-wrap;overflow-wrap:anywhere}\
@page{size:A4;margin:18mm;@bottom-right{content:counter(page) ' / ' counter(pages)}}";

/// The file up to its first message.
#[must_use]
pub fn head(voice: Voice<'_>) -> String {
    let (title, language) = (escaped(&voice.title()), voice.language());
    let mut text = format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<main>\n<h1 dir=\"auto\">{title}</h1>\n<div class=\"facts\">"
    );
    for fact in voice.facts() {
        let _ = write!(text, "<p dir=\"auto\">{}</p>", escaped(&fact));
    }
    text.push_str("</div>\n");
    text
}

/// One message.
#[must_use]
pub fn message(voice: Voice<'_>, said: &Said) -> String {
    let entry = voice.entry(said);
    let (id, author, when) = (said.message.id, escaped(&entry.author), escaped(&entry.when));
    let moment = said.message.created_at;
    let mut text = format!(
        "<article id=\"m{id}\">\n<h2 dir=\"auto\">{author} <span><time datetime=\"{moment}\">{when}</time></span></h2>\n"
    );
    if !entry.text.is_empty() {
        let _ = writeln!(text, "<p class=\"text\" dir=\"auto\">{}</p>", escaped(&entry.text));
    }
    if !entry.notes.is_empty() {
        text.push_str("<div class=\"notes\">");
        for note in &entry.notes {
            let _ = write!(text, "<p dir=\"auto\">{}</p>", escaped(note));
        }
        text.push_str("</div>\n");
    }
    text.push_str("</article>\n");
    text
}

/// What stands in the place of messages where there are none.
#[must_use]
pub fn nothing(voice: Voice<'_>) -> String {
    format!("<p>{}</p>\n", voice.nothing())
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
