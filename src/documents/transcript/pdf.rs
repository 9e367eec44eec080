//! A transcript as PDF/A: each message with its author and full date, pages numbered.
//!
//! What the typeface cannot draw (emoji, other scripts) stands in the text that is copied and searched.

use crate::documents::pdf::archive::{self, Metadata};
use crate::documents::pdf::sheet::{Align, BLACK, GREY, HEIGHT, PALE, Sheet, Style, WIDTH, wrapped};
use crate::documents::pdf::typeface::Weight;
use crate::documents::transcript::wording::{Entry, Voice};
use crate::model::day::Day;
use crate::model::transcript::Said;

const LEFT: f32 = 56.0;
const RIGHT: f32 = WIDTH - 56.0;
const TEXT_WIDTH: f32 = RIGHT - LEFT;
const TOP: f32 = 64.0;
const FOOT: f32 = HEIGHT - 52.0;
/// Where the last line of a page stands.
const LAST: f32 = FOOT - 14.0;

const TITLE: Style = Style { weight: Weight::SemiBold, size: 15.0, ink: BLACK };
const NAME: Style = Style { weight: Weight::SemiBold, size: 9.5, ink: BLACK };
const BODY: Style = Style { weight: Weight::Regular, size: 9.5, ink: BLACK };
const SMALL: Style = Style { weight: Weight::Regular, size: 8.0, ink: GREY };
const LEADING: f32 = 13.5;
const SMALL_LEADING: f32 = 11.0;

/// The name that stands left of a date gets so much of the line.
const NAME_WIDTH: f32 = 230.0;

/// The whole paper.
#[must_use]
pub fn pdf(voice: Voice<'_>, all: &[Said]) -> Vec<u8> {
    let mut paper = Paper { sheet: Sheet::default(), y: TOP };
    paper.lines(&voice.title(), TITLE, 20.0);
    for fact in voice.facts() {
        paper.lines(&fact, SMALL, SMALL_LEADING);
    }
    paper.y += 10.0;
    if all.is_empty() {
        paper.lines(voice.nothing(), BODY, LEADING);
    }
    for said in all {
        paper.message(&voice.entry(said));
    }
    let Paper { mut sheet, .. } = paper;
    feet(&mut sheet, voice);
    let local = voice.writing.zone.wall(voice.head.updated_at);
    let [month, date] = [local.month(), local.day()].map(|part| u8::try_from(part).unwrap_or(0));
    let day = Day::new(local.year().into(), month, date).expect("the calendar that it was read from has it");
    let metadata = Metadata { title: &voice.title(), author: "lexchat", language: voice.language(), day };
    archive::write(sheet, &metadata, None)
}

/// Pages, and how far down the present one is written.
struct Paper {
    sheet: Sheet,
    y: f32,
}

impl Paper {
    /// Goes on on a new page where so much height does not fit any more.
    fn room(&mut self, height: f32) {
        if self.y + height > LAST {
            self.sheet.turn();
            self.y = TOP;
        }
    }

    /// A text over as many lines, and pages, as it takes.
    fn lines(&mut self, text: &str, style: Style, leading: f32) {
        for line in wrapped(text, TEXT_WIDTH, style) {
            self.room(leading);
            self.sheet.text(LEFT, self.y, &line, style, Align::Left);
            self.y += leading;
        }
    }

    fn message(&mut self, entry: &Entry) {
        // No head stands alone at the end of a page.
        self.room(2.0 * LEADING + 8.0);
        self.sheet.rule(LEFT, self.y - 10.0, TEXT_WIDTH, PALE);
        self.y += 4.0;
        self.sheet.text(RIGHT, self.y, &entry.when, SMALL, Align::Right);
        for line in wrapped(&entry.author, NAME_WIDTH, NAME) {
            self.room(LEADING);
            self.sheet.text(LEFT, self.y, &line, NAME, Align::Left);
            self.y += LEADING;
        }
        self.lines(&entry.text, BODY, LEADING);
        for note in &entry.notes {
            self.lines(note, SMALL, SMALL_LEADING);
        }
        self.y += 10.0;
    }
}

fn feet(sheet: &mut Sheet, voice: Voice<'_>) {
    let pages = sheet.pages();
    sheet.turn();
    let title = wrapped(&voice.title(), TEXT_WIDTH - 90.0, SMALL);
    for page in 0..pages {
        sheet.on_page(page, |sheet| {
            sheet.rule(LEFT, FOOT, TEXT_WIDTH, PALE);
            if let Some(line) = title.first() {
                sheet.text(LEFT, FOOT + 13.0, line, SMALL, Align::Left);
            }
            sheet.text(RIGHT, FOOT + 13.0, &voice.page(page + 1, pages), SMALL, Align::Right);
        });
    }
}
