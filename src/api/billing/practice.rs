//! `/admin/practice`, and the end of billing's hold.

use crate::api::call::Call;
use crate::api::reply::{self, Answer};
use crate::chat::contract::bill_fields;
use crate::chat::contract::command::billing::ResumeBilling;
use crate::chat::contract::error::Error;
use crate::documents::pdf::picture::{NotAPicture, Picture};
use crate::model::locale::Text;
use crate::model::party::Logo;

/// A body with a logo: 256 KiB in base64, and the rest.
const BODY_BYTES_MAX: u64 = 512 * 1024;

/// Bytes that a logo may take in each document, as it is unpacked there.
const PICTURE_BYTES_MAX: usize = 96 * 1024;

/// `GET /admin/practice`
pub async fn show(call: Call) -> Answer {
    let practice = call.chat().load_practice(call.member()?).await?;
    call.ok(&practice)
}

/// `PATCH /admin/practice`
pub async fn update(mut call: Call) -> Answer {
    let actor = call.member()?;
    let command = call.body_of(BODY_BYTES_MAX, bill_fields::practice).await?;
    if let Some(Some(logo)) = &command.logo {
        require_picture(logo)?;
    }
    let practice = call.chat().execute(actor, command).await?;
    call.ok(&practice)
}

/// `POST /admin/invoices/resume`
pub async fn resume(mut call: Call) -> Answer {
    let actor = call.member()?;
    let command = call
        .body(|fields| ResumeBilling {
            invoice: fields.optional_text("invoice", 1..=40),
            credit: fields.optional_text("credit", 1..=40),
        })
        .await?;
    call.chat().execute(actor, command).await?;
    call.chat().wake();
    reply::done()
}

/// A logo that cannot be drawn would be missed on the first invoice, when it is too late; one that takes much room makes
/// every document large.
fn require_picture(logo: &Logo) -> Result<(), Error> {
    let said = match Picture::read(&logo.data) {
        Ok(picture) if picture.bytes() <= PICTURE_BYTES_MAX => return Ok(()),
        Ok(_) | Err(NotAPicture::TooLarge) => Text::new(
            "prendrait plus de 96\u{a0}Kio dans chaque document\u{a0}: réduisez ses dimensions (600 × 180 pixels suffisent)",
            "would take more than 96 KiB in every document: make it smaller (600 × 180 pixels are enough)",
        ),
        Err(NotAPicture::Cmyk) => Text::new("est en CMJN\u{a0}: enregistrez-la en RVB", "is in CMYK: save it in RGB"),
        Err(NotAPicture::Unreadable) => {
            Text::new("n’est pas une image PNG ou JPEG lisible", "is no PNG or JPEG that can be read")
        }
    };
    Err(Error::invalid("logo.data", said))
}
