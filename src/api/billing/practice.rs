//! `/admin/practice`, and the end of billing's hold.

use crate::api::call::Call;
use crate::api::reply::{self, Answer};
use crate::chat::contract::bill_fields;
use crate::chat::contract::command::billing::ResumeBilling;
use crate::chat::contract::error::Error;
use crate::documents::pdf::picture::Picture;
use crate::model::locale::Text;
use crate::model::party::Logo;

/// A body with a logo: 256 KiB in base64, and the rest.
const BODY_BYTES_MAX: u64 = 512 * 1024;

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

/// A logo that cannot be drawn would be missed on the first invoice, when it is too late.
fn require_picture(logo: &Logo) -> Result<(), Error> {
    let said = Text::new("n’est pas une image PNG ou JPEG lisible", "is no PNG or JPEG that can be read");
    Picture::read(&logo.data).map(drop).map_err(|_| Error::invalid("logo.data", said))
}
