//! `/conversations/{id}/export`: a conversation on paper or as data, and signed addresses of what a conversation holds.
//!
//! HTML and JSON leave page by page while they are read from the database; a PDF is set whole first, for it says on each
//! page how many there are.

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::json;

use crate::api::call::Call;
use crate::api::reply::Answer;
use crate::auth::actor::Actor;
use crate::auth::link::Subject;
use crate::chat::contract::error::{Error, Reason};
use crate::chat::handle::chat::Chat;
use crate::documents::transcript::wording::Voice;
use crate::documents::transcript::{html, pdf};
use crate::http::disposition::{self, Disposition};
use crate::http::response::{self, Body, BoxError};
use crate::model::day::Day;
use crate::model::fields::Fields;
use crate::model::id::{ConversationId, MessageId};
use crate::model::locale::{Locale, Text};
use crate::model::timestamp::Timestamp;
use crate::model::transcript::{Head, Period, Said, Writing};
use crate::model::zone::Zone;

/// What an export that is opened by itself may do: nothing.
const SANDBOX: &str = "sandbox; default-src 'none'";

/// Bytes of text in one PDF; some 20 000 messages of usual length.
const PDF_TEXT_BYTES_MAX: usize = 8 << 20;
/// What a message takes on paper beside its texts.
const PDF_MESSAGE_BYTES: usize = 300;

/// In what form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    Html,
    Pdf,
    Json,
}

impl Format {
    const ALL: [Self; 3] = [Self::Html, Self::Pdf, Self::Json];

    const fn ending(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Json => "json",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Pdf => "application/pdf",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// An end of the period, as it was said: a day of the reader's calendar, or a moment.
#[derive(Clone, Copy, Debug)]
enum Bound {
    Day(Day),
    Moment(Timestamp),
}

/// Which export.
#[derive(Debug)]
struct Wanted {
    format: Format,
    from: Option<Bound>,
    to: Option<Bound>,
    /// That of the practice where none is said.
    zone: Option<Zone>,
    locale: Option<Locale>,
}

impl Wanted {
    fn read(fields: &mut Fields) -> Self {
        let format = Text::new("doit être html, pdf ou json", "must be html, pdf or json");
        let zone = Text::new("doit être un fuseau tel que Europe/Paris", "must be a time zone such as Europe/Paris");
        let locale = Text::new("doit être fr ou en", "must be fr or en");
        let find = |text: &str| Format::ALL.into_iter().find(|format| format.ending() == text);
        Self {
            format: fields.optional_parsed("format", format, find).unwrap_or(Format::Html),
            from: bound(fields, "from"),
            to: bound(fields, "to"),
            zone: fields.optional_parsed("timeZone", zone, |text| text.parse().ok()),
            locale: fields.optional_parsed("locale", locale, Locale::find),
        }
    }

    /// As a query says it.
    fn query(&self) -> String {
        let bound = |bound: Option<Bound>| {
            bound.map(|bound| match bound {
                Bound::Day(day) => day.to_string(),
                Bound::Moment(at) => at.to_string(),
            })
        };
        let locale = self.locale.map(|locale| locale.tag().to_owned());
        let pairs = [
            ("format", Some(self.format.ending().to_owned())),
            ("from", bound(self.from)),
            ("to", bound(self.to)),
            ("timeZone", self.zone.as_ref().map(|zone| zone.name().to_owned())),
            ("locale", locale),
        ];
        let said = pairs.into_iter().filter_map(|(name, value)| {
            value.map(|value| format!("{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC)))
        });
        said.collect::<Vec<_>>().join("&")
    }

    fn writing(&self, locale: Locale, practice: &Zone) -> Writing {
        let zone = self.zone.as_ref().unwrap_or(practice);
        let from = self.from.map(|bound| match bound {
            Bound::Day(day) => zone.start_of(day),
            Bound::Moment(at) => at,
        });
        // A day at the end of a period means all of it.
        let to = self.to.map(|bound| match bound {
            Bound::Day(day) => Timestamp::from_millis(zone.start_of(day.plus_days(1)).as_millis().saturating_sub(1)),
            Bound::Moment(at) => at,
        });
        Writing { locale: self.locale.unwrap_or(locale), zone: zone.clone(), period: Period { from, to } }
    }
}

fn bound(fields: &mut Fields, name: &str) -> Option<Bound> {
    let expected = Text::new("doit être une date ISO 8601", "must be an ISO 8601 time");
    fields.optional_parsed(name, expected, |text| {
        let day = text.parse().map(Bound::Day).ok();
        day.or_else(|| text.parse().map(Bound::Moment).ok())
    })
}

/// `GET`, `HEAD /conversations/{id}/export?format=html|pdf|json&from=&to=&timeZone=&locale=`
pub async fn download(call: Call, id: ConversationId) -> Answer {
    let (wanted, grant) = call.query(|fields| (Wanted::read(fields), fields.optional_text("grant", 1..=512)))?;
    let actor = match &grant {
        Some(grant) => call.chat().verify_grant(Subject::Export(id), grant)?,
        None => call.member()?,
    };
    call.spend(actor)?;
    let head = call.chat().begin_export(actor, id).await?;
    let writing = wanted.writing(call.locale, &call.chat().settings().notices.time_zone);
    let export = Export { chat: call.chat().clone(), actor, head, writing };
    let body = match wanted.format {
        _ if call.is_head() => response::body_of(Bytes::new()),
        Format::Pdf => response::body_of(paper(&call, export).await?),
        format => body(export, format),
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(wanted.format.media_type()));
    let name = format!("conversation-{id}.{}", wanted.format.ending());
    headers.insert(header::CONTENT_DISPOSITION, disposition::header_value(Disposition::Attachment, &name));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    if grant.is_some() {
        let policy = HeaderName::from_static("cross-origin-resource-policy");
        headers.insert(policy, HeaderValue::from_static("cross-origin"));
    }
    Ok(response)
}

/// `POST /conversations/{id}/link {what: "files"|"export", …}`
pub async fn link(mut call: Call, id: ConversationId) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Shown {
        url: String,
        expires_at: Timestamp,
    }
    let actor = call.member()?;
    let (what, wanted) = call.body(|fields| (fields.text("what", 1..=20), Wanted::read(fields))).await?;
    let link = match what.as_str() {
        "files" => call.chat().link_files(actor, id).await?,
        "export" => call.chat().link_export(actor, id, &wanted.query()).await?,
        _ => {
            let known = Text::new("doit être « files » ou « export »", "must be `files` or `export`");
            return Err(Error::invalid("what", known));
        }
    };
    call.json(StatusCode::OK, &Shown { url: link.url, expires_at: link.expires_at })
}

/// What is taken out, for whom.
struct Export {
    chat: Chat,
    actor: Actor,
    head: Head,
    writing: Writing,
}

impl Export {
    fn voice(&self) -> Voice<'_> {
        Voice { head: &self.head, writing: &self.writing }
    }

    async fn page(&self, last: Option<MessageId>) -> Result<(Vec<Said>, Option<MessageId>), Error> {
        let page = self.chat.export_page(self.actor, self.head.id, self.writing.period, last).await?;
        Ok((page.said, page.next))
    }

    fn opening(&self, format: Format) -> String {
        if format == Format::Html {
            return html::head(self.voice());
        }
        let Period { from, to } = self.writing.period;
        let zone = &self.writing.zone;
        let head = json!({ "conversation": self.head, "from": from, "to": to, "timeZone": zone });
        let head = head.to_string();
        format!("{},\"messages\":[", head.strip_suffix('}').unwrap_or(&head))
    }

    /// Some messages, of which there were others before or not.
    fn written(&self, format: Format, said: &[Said], are_first: bool) -> Result<String, Error> {
        let mut text = String::new();
        for (place, one) in said.iter().enumerate() {
            if format == Format::Html {
                text.push_str(&html::message(self.voice(), one));
                continue;
            }
            if place > 0 || !are_first {
                text.push(',');
            }
            text.push_str(&serde_json::to_string(one).map_err(Error::internal)?);
        }
        Ok(text)
    }

    fn ending(&self, format: Format, is_empty: bool) -> String {
        match format {
            Format::Html if is_empty => html::nothing(self.voice()) + html::END,
            Format::Html => html::END.to_owned(),
            _ => "]}\n".to_owned(),
        }
    }
}

/// Where the sending of an export stands.
#[derive(Clone, Copy)]
enum Step {
    Head,
    /// After this message, or before the first.
    Page(Option<MessageId>),
    End,
    Over,
}

/// Reads on only as fast as the caller takes it. An export that may no longer be seen breaks off.
fn body(export: Export, format: Format) -> Body {
    let chunks = stream::try_unfold((export, Step::Head, true), move |(export, mut step, mut is_empty)| async move {
        loop {
            let text = match step {
                Step::Head => {
                    step = Step::Page(None);
                    export.opening(format)
                }
                Step::Page(last) => {
                    let (said, next) = export.page(last).await?;
                    step = next.map_or(Step::End, |next| Step::Page(Some(next)));
                    if said.is_empty() {
                        continue;
                    }
                    let text = export.written(format, &said, is_empty)?;
                    is_empty = false;
                    text
                }
                Step::End => {
                    step = Step::Over;
                    export.ending(format, is_empty)
                }
                Step::Over => return Ok::<_, BoxError>(None),
            };
            return Ok(Some((Frame::data(Bytes::from(text)), (export, step, is_empty))));
        }
    });
    StreamBody::new(chunks).boxed_unsync()
}

/// The whole PDF, set on a thread of its own.
async fn paper(call: &Call, export: Export) -> Result<Vec<u8>, Error> {
    let _turn = call.api.papers.acquire().await.map_err(Error::internal)?;
    let (mut all, mut last, mut bytes) = (Vec::new(), None, 0);
    loop {
        let (said, next) = export.page(last).await?;
        bytes += said.iter().map(text_bytes).sum::<usize>();
        if bytes > PDF_TEXT_BYTES_MAX {
            return Err(Reason::PaperTooLong.into());
        }
        all.extend(said);
        match next {
            Some(next) => last = Some(next),
            None => break,
        }
    }
    let set = tokio::task::spawn_blocking(move || pdf::pdf(export.voice(), &all)).await;
    set.map_err(Error::internal)
}

fn text_bytes(said: &Said) -> usize {
    let message = &said.message;
    let earlier: usize = said.revisions.iter().map(|revision| revision.content.len()).sum();
    let files: usize = message.files.iter().map(|file| file.name.len() + PDF_MESSAGE_BYTES).sum();
    let links: usize = message.attachments.iter().flatten().map(String::len).sum();
    PDF_MESSAGE_BYTES + message.content.len() + earlier + files + links
}
