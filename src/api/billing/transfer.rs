//! Paying by transfer: the account, and the code that banking applications read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qrcodegen::QrCode;
use serde::Serialize;
use serde_json::json;

use crate::api::call::Call;
use crate::api::reply::Answer;
use crate::documents::payment_code;
use crate::model::billing::Transfer;
use crate::model::id::InvoiceId;

/// A transfer with its code; none of a specimen, which nobody is to pay.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    transfer: Transfer,
    code: Option<Squares>,
}

/// The squares of a QR code, row by row from the left above: a bit each, the dark ones set, the highest bit of a byte first.
#[derive(Serialize)]
struct Squares {
    /// In a row, and rows.
    size: i32,
    /// In base64.
    dark: String,
}

/// `GET /invoices/{id}/transfer`: `{transfer: {…}|null}`
pub async fn show(call: Call, id: InvoiceId) -> Answer {
    let found = call.chat().load_transfer(call.member()?, id).await?;
    call.ok(&json!({ "transfer": found.map(shown) }))
}

fn shown(transfer: Transfer) -> Shown {
    let Transfer { name, iban, bic, amount_cents, reference, is_specimen } = &transfer;
    let code = (!is_specimen)
        .then(|| payment_code::transfer(name, iban, bic.as_deref(), *amount_cents, reference))
        .flatten()
        .map(|code| squares(&code));
    Shown { code, transfer }
}

fn squares(code: &QrCode) -> Squares {
    let size = code.size();
    let all: Vec<bool> = (0..size).flat_map(|y| (0..size).map(move |x| code.get_module(x, y))).collect();
    let byte =
        |bits: &[bool]| bits.iter().zip((0..8).rev()).map(|(is_dark, place)| u8::from(*is_dark) << place).sum::<u8>();
    Squares { size, dark: STANDARD.encode(all.chunks(8).map(byte).collect::<Vec<_>>()) }
}

#[cfg(test)]
mod tests {
    use qrcodegen::QrCodeEcc;

    use super::*;

    #[test]
    fn the_squares_are_the_codes_row_by_row() {
        let code = QrCode::encode_text("x", QrCodeEcc::Medium).unwrap();
        let squares = squares(&code);
        let bytes = STANDARD.decode(&squares.dark).unwrap();
        assert_eq!((squares.size, bytes.len()), (21, 56));
        for (place, (y, x)) in (0..21).flat_map(|y| (0..21).map(move |x| (y, x))).enumerate() {
            let is_dark = bytes[place / 8] >> (7 - place % 8) & 1 == 1;
            assert_eq!(is_dark, code.get_module(x, y), "{x} {y}");
        }
    }
}
