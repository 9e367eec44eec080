//! `/invitations`, and the two one-time links that open accounts: an invitation, and the setup of a new practice.

use hyper::StatusCode;
use serde::Serialize;

use crate::api::auth;
use crate::api::call::Call;
use crate::api::reply::{self, Answer};
use crate::chat::contract::command::people::{CreateInvitation, RevokeInvitation};
use crate::chat::people::accounts;
use crate::model::id::InvitationId;
use crate::model::timestamp::Timestamp;
use crate::model::user::Role;

/// `POST /invitations`
pub async fn create(mut call: Call) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Shown {
        id: InvitationId,
        url: String,
        role: Role,
        expires_at: Timestamp,
    }
    let actor = call.member()?;
    let command = call
        .body(|fields| CreateInvitation {
            role: auth::role(fields, "role"),
            name: fields.optional_parsed("name", accounts::name_text(), |text| text.parse().ok()),
            email: fields.optional_parsed("email", accounts::email_text(), |text| text.parse().ok()),
            send: fields.optional_boolean("send").unwrap_or(false),
        })
        .await?;
    let invited = call.chat().execute(actor, command).await?;
    let url = format!("{}/invitation/{}", call.api.settings.public_url, invited.token);
    call.json(StatusCode::CREATED, &Shown { id: invited.id, url, role: invited.role, expires_at: invited.expires_at })
}

/// `GET /invitations`
pub async fn list(call: Call) -> Answer {
    let invitations = call.chat().list_invitations(call.member()?).await?;
    call.ok(&invitations)
}

/// `DELETE /invitations/{id}`
pub async fn revoke(call: Call, id: InvitationId) -> Answer {
    let command = RevokeInvitation { invitation_id: id };
    call.chat().execute(call.member()?, command).await?;
    reply::done()
}

/// `GET /invitations/{token}`
pub async fn load(call: Call, token: String) -> Answer {
    let welcome = call.chat().find_invitation(token).await?;
    call.ok(&welcome)
}

/// `POST /auth/accept-invitation`
pub async fn accept(mut call: Call) -> Answer {
    let (token, account) = auth::by_link(&mut call).await?;
    let signed_in = call.chat().accept_invitation(token, account).await?;
    auth::shown(&call, StatusCode::CREATED, &signed_in)
}

/// `POST /auth/setup`
pub async fn set_up(mut call: Call) -> Answer {
    let (token, account) = auth::by_link(&mut call).await?;
    let signed_in = call.chat().set_up(token, account).await?;
    auth::shown(&call, StatusCode::CREATED, &signed_in)
}
