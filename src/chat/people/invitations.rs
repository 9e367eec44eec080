//! Invitations and the setup link: accounts that are opened with a one-time secret.
//!
//! A link that is unknown, used, taken back or expired gets one and the same answer. The secret is shown once, to
//! whoever makes the link; the database only recognises it.

use std::time::Duration;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::auth::secret::{Digest, Secret};
use crate::chat::access::caller;
use crate::chat::contract::command::people::{AcceptInvitation, CreateInvitation, RevokeInvitation, SetUp};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::presence::Presence;
use crate::chat::contract::reply::{Invited, SessionOpened, SetupLink};
use crate::chat::conversations::conversation;
use crate::chat::handle::chat::Chat;
use crate::chat::notices::post::{Letter, Post};
use crate::chat::people::accounts::{self, NewAccount, Opening};
use crate::chat::people::sign_in::{self, SignedIn};
use crate::model::conversation::Members;
use crate::model::delivery::DeliveryKind;
use crate::model::invitation::{Invitation, Welcome};
use crate::model::locale::Text;
use crate::model::timestamp::Timestamp;
use crate::model::user::{Profile, Role};
use crate::store::invitations::{self, InvitationRow, NewInvitation};
use crate::store::users::{self, NewUser};

/// How long an invitation works.
pub const INVITATION_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a setup link works.
pub const SETUP_LIFE: Duration = Duration::from_secs(30 * 60);

/// Invitations of one person that wait for an answer.
const OPEN_MAX: i64 = 500;

impl Chat {
    /// The open invitations that the caller gave out, the latest first; an administrator sees everybody's.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `FORBIDDEN` for clients.
    pub async fn list_invitations(&self, actor: Actor) -> Result<Vec<Invitation>, Error> {
        self.ask(move |conn, now| {
            let me = caller::require_member(conn, actor, now)?;
            let inviter_id = match me.role {
                Role::Client => return Err(Reason::NotAllowed.into()),
                Role::Juriste => Some(me.user_id),
                Role::Admin => None,
            };
            Ok(invitations::list_open(conn, inviter_id, now)?.into_iter().map(shown).collect())
        })
        .await
    }

    /// What the holder of an invitation's secret is shown before they accept.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn find_invitation(&self, token: String) -> Result<Welcome, Error> {
        self.ask(move |conn, now| {
            let invitation = find_open(conn, &token, now)?;
            let inviter = accounts::load(conn, invitation.inviter_id)?;
            Ok(Welcome {
                inviter_name: inviter.name,
                inviter_role: inviter.role,
                role: invitation.role,
                name: invitation.name,
                email: invitation.email,
                expires_at: invitation.expires_at,
            })
        })
        .await
    }

    /// Opens an account by invitation and signs its owner in.
    ///
    /// # Errors
    /// `NOT_FOUND` for a link that does not work, `INVALID`, `CONFLICT` if the address has an account, `RATE_LIMITED`.
    pub async fn accept_invitation(&self, token: String, account: NewAccount) -> Result<SignedIn, Error> {
        self.admit(&account.device).await?;
        let shown = token.clone();
        self.ask(move |conn, now| find_open(conn, &shown, now).map(drop)).await?;
        let Opening { name, email, password, locale, device } = self.prepare(account).await?;
        let command = AcceptInvitation { token, name, email, password, locale, device };
        self.open_session(command).await
    }

    /// Opens the first administrator's account by the setup link and signs them in.
    ///
    /// # Errors
    /// `NOT_FOUND` for a link that does not work, `INVALID`, `CONFLICT` if the address has an account, `RATE_LIMITED`.
    pub async fn set_up(&self, token: String, account: NewAccount) -> Result<SignedIn, Error> {
        self.admit(&account.device).await?;
        let digest = Digest::of_presented(&token).ok_or(Reason::NotFound)?;
        let works = move |conn: &Connection, now| Ok(invitations::knows_setup(conn, digest.as_bytes(), now)?);
        if !self.ask(works).await? {
            return Err(Reason::NotFound.into());
        }
        let Opening { name, email, password, locale, device } = self.prepare(account).await?;
        let command = SetUp { token, name, email, password, locale, device };
        self.open_session(command).await
    }
}

/// The rule of [`CreateInvitation`]: a juriste invites clients, an administrator anybody.
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN`; `CONFLICT` if the address has an account, or where nothing can be mailed; `INVALID` for a
/// mail without an address; `RATE_LIMITED` for too many open ones.
pub fn create(
    conn: &Connection,
    actor: Actor,
    command: &CreateInvitation,
    now: Timestamp,
    post: Post<'_>,
) -> Result<Outcome<Invited>, Error> {
    let me = caller::require_member(conn, actor, now)?;
    if !me.role.may_invite(command.role) {
        return Err(Reason::NotAllowed.into());
    }
    let email = command.email.as_ref().map(|email| email.as_str());
    let mailed_to = if command.send { Some(require_address(post, email)?) } else { None };
    if let Some(email) = email
        && users::find_by_email(conn, email)?.is_some()
    {
        return Err(Reason::EmailTaken.into());
    }
    if invitations::count_open(conn, me.user_id, now)? >= OPEN_MAX {
        return Err(Error::too_many(INVITATION_LIFE));
    }
    let secret = Secret::generate().map_err(Error::internal)?;
    let digest = secret.digest();
    let invitation = NewInvitation {
        token_hash: digest.as_bytes(),
        inviter_id: me.user_id,
        role: command.role,
        name: command.name.as_ref().map(|name| name.as_str()),
        email,
    };
    let expires_at = now + INVITATION_LIFE;
    let id = invitations::insert(conn, &invitation, now, expires_at)?;
    if let Some(address) = mailed_to {
        let locale = accounts::load(conn, me.user_id)?.locale;
        let letter = Letter { kind: DeliveryKind::Invitation, user_id: None, secret: Some(secret.reveal()), locale };
        post.mail(conn, &letter, address, expires_at, now)?;
        invitations::set_mailed(conn, id, now)?;
    }
    Ok(Invited { id, token: secret.reveal().to_owned(), role: command.role, expires_at }.into())
}

/// Where an invitation is mailed to.
fn require_address<'a>(post: Post<'_>, email: Option<&'a str>) -> Result<&'a str, Error> {
    post.require_channel()?;
    let wrong = |message| Err(Error::invalid("email", message));
    match email {
        None => wrong(Text::new("est requis pour envoyer l’invitation", "is required to mail the invitation")),
        Some(email) if !post.takes(email) => wrong(Text::new(
            "est une adresse d’exemple : rien n’y est envoyé",
            "is for examples: nothing is mailed there",
        )),
        Some(email) => Ok(email),
    }
}

/// The rule of [`RevokeInvitation`].
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN` for clients; `NOT_FOUND` for one that is not open or not the caller's.
pub fn revoke(
    conn: &Connection,
    actor: Actor,
    command: &RevokeInvitation,
    now: Timestamp,
) -> Result<Outcome<()>, Error> {
    let me = caller::require_member(conn, actor, now)?;
    if me.role == Role::Client {
        return Err(Reason::NotAllowed.into());
    }
    let invitation = invitations::find(conn, command.invitation_id)?
        .filter(|row| row.accepted_at.is_none() && row.revoked_at.is_none() && row.expires_at > now)
        .filter(|row| me.role == Role::Admin || row.inviter_id == me.user_id)
        .ok_or(Reason::NotFound)?;
    invitations::set_revoked(conn, invitation.id, now)?;
    Ok(().into())
}

/// The rule of [`AcceptInvitation`]: a client whom a juriste invited finds their conversation there.
///
/// # Errors
/// `NOT_FOUND`; `CONFLICT` if the address has an account.
pub fn accept(
    conn: &Connection,
    command: &AcceptInvitation,
    now: Timestamp,
    presence: &Presence,
) -> Result<Outcome<SessionOpened>, Error> {
    let invitation = find_open(conn, &command.token, now)?;
    let inviter = accounts::load(conn, invitation.inviter_id)?;
    let user = NewUser {
        name: command.name.as_str(),
        email: command.email.as_str(),
        password: &command.password,
        role: invitation.role,
        specialty: None,
        locale: command.locale,
    };
    let guest = open_account(conn, &user, now)?;
    invitations::set_accepted(conn, invitation.id, guest.id, now)?;
    if invitations::was_mailed_to(conn, invitation.id, &guest.email)? {
        users::set_email_confirmed(conn, guest.id, now)?;
    }
    let mut events = Vec::new();
    if (inviter.role, guest.role) == (Role::Juriste, Role::Client) {
        let members = Members { client_id: guest.id, lawyer_id: inviter.id };
        events = conversation::open(conn, guest.id, members, now, presence)?.1;
    }
    let Outcome { reply, .. } = sign_in::start(conn, guest, &command.device, now)?;
    Ok(Outcome { reply, events })
}

/// The rule of `CreateSetupLink`; earlier links stop working.
///
/// # Errors
/// `FORBIDDEN` for all but the system; `CONFLICT` if there is an administrator.
pub fn create_setup(conn: &Connection, actor: Actor, now: Timestamp) -> Result<Outcome<SetupLink>, Error> {
    caller::require_system(actor)?;
    if users::count_active(conn, Role::Admin)? > 0 {
        return Err(Reason::AdminExists.into());
    }
    let secret = Secret::generate().map_err(Error::internal)?;
    let expires_at = now + SETUP_LIFE;
    invitations::insert_setup(conn, secret.digest().as_bytes(), now, expires_at)?;
    Ok(SetupLink { token: secret.reveal().to_owned(), expires_at }.into())
}

/// The rule of [`SetUp`].
///
/// # Errors
/// `NOT_FOUND` for a link that does not work, or once there is an administrator; `CONFLICT` if the address has an
/// account.
pub fn set_up(conn: &Connection, command: &SetUp, now: Timestamp) -> Result<Outcome<SessionOpened>, Error> {
    let digest = Digest::of_presented(&command.token).ok_or(Reason::NotFound)?;
    let works = users::count_active(conn, Role::Admin)? == 0 && invitations::use_setup(conn, digest.as_bytes(), now)?;
    if !works {
        return Err(Reason::NotFound.into());
    }
    let user = NewUser {
        name: command.name.as_str(),
        email: command.email.as_str(),
        password: &command.password,
        role: Role::Admin,
        specialty: None,
        locale: command.locale,
    };
    let profile = open_account(conn, &user, now)?;
    sign_in::start(conn, profile, &command.device, now)
}

fn open_account(conn: &Connection, user: &NewUser<'_>, now: Timestamp) -> Result<Profile, Error> {
    let profile = accounts::insert(conn, user, now)?;
    users::set_last_sign_in(conn, profile.id, now)?;
    Ok(profile)
}

fn find_open(conn: &Connection, token: &str, now: Timestamp) -> Result<InvitationRow, Error> {
    let digest = Digest::of_presented(token).ok_or(Reason::NotFound)?;
    let invitation = invitations::find_open(conn, digest.as_bytes(), now)?.ok_or(Reason::NotFound)?;
    // Whoever gave it out must still be somebody who may.
    let inviter = accounts::load(conn, invitation.inviter_id)?;
    if inviter.role.may_invite(invitation.role) { Ok(invitation) } else { Err(Reason::NotFound.into()) }
}

fn shown(row: InvitationRow) -> Invitation {
    Invitation {
        id: row.id,
        inviter_id: row.inviter_id,
        role: row.role,
        name: row.name,
        email: row.email,
        created_at: row.created_at,
        expires_at: row.expires_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::contract::command::people::UpdateUser;
    use crate::chat::contract::settings::Settings;
    use crate::chat::testing::fixtures::{ChatFixture, device};
    use crate::chat::writer::local_admin::LocalAdmin;
    use crate::model::locale::Locale;
    use crate::store::database::settings::Missing;

    fn guest(email: &str) -> NewAccount {
        NewAccount {
            name: "Nina Faure".to_owned(),
            email: email.to_owned(),
            password: "une phrase assez longue".to_owned(),
            locale: Locale::French,
            device: device("192.0.2.1"),
        }
    }

    async fn invite(fixture: &ChatFixture, by: &SignedIn, role: Role) -> Result<Invited, Error> {
        let command = CreateInvitation { role, name: None, email: None, send: false };
        fixture.chat.execute(fixture.actor(by), command).await
    }

    #[tokio::test]
    async fn a_client_whom_a_juriste_invited_finds_their_conversation() {
        let fixture = ChatFixture::demo();
        let juriste = fixture.sign_in("juriste1").await;
        let invited = invite(&fixture, &juriste, Role::Client).await.unwrap();
        let welcome = fixture.chat.find_invitation(invited.token.clone()).await.unwrap();
        assert_eq!((welcome.inviter_name, welcome.role), (juriste.user.name.clone(), Role::Client));
        let client = fixture.chat.accept_invitation(invited.token, guest("nina@example.com")).await.unwrap();
        let mine = fixture.chat.list_conversations(fixture.actor(&client)).await.unwrap();
        let theirs = fixture.chat.list_conversations(fixture.actor(&juriste)).await.unwrap();
        assert_eq!((mine.len(), mine[0].lawyer_id), (1, juriste.user.id));
        assert_eq!((theirs.len(), theirs[0].client_id), (1, client.user.id));
        assert_eq!(client.user.role, Role::Client);
    }

    #[tokio::test]
    async fn used_revoked_expired_and_unknown_links_answer_alike() {
        let fixture = ChatFixture::demo();
        let juriste = fixture.sign_in("juriste1").await;
        let used = invite(&fixture, &juriste, Role::Client).await.unwrap();
        fixture.chat.accept_invitation(used.token.clone(), guest("nina@example.com")).await.unwrap();
        let revoked = invite(&fixture, &juriste, Role::Client).await.unwrap();
        let revoke = RevokeInvitation { invitation_id: revoked.id };
        fixture.chat.execute(fixture.actor(&juriste), revoke).await.unwrap();
        let expired = invite(&fixture, &juriste, Role::Client).await.unwrap();
        let conn = Connection::open(fixture.path()).unwrap();
        conn.execute("UPDATE invitations SET expires_at = 1 WHERE id = ?1", [expired.id]).unwrap();
        let orphaned = invite(&fixture, &fixture.sign_in("juriste2").await, Role::Client).await.unwrap();
        LocalAdmin::open(&fixture.path()).unwrap().set_active("juriste2@example.com", false).unwrap();
        let unknown = "0".repeat(64);
        for token in [used.token, revoked.token, expired.token, orphaned.token, unknown, String::new()] {
            assert_eq!(fixture.chat.find_invitation(token.clone()).await.unwrap_err().reason, Reason::NotFound);
            let accepted = fixture.chat.accept_invitation(token, guest("other@example.com")).await;
            assert_eq!(accepted.unwrap_err().reason, Reason::NotFound);
        }
        assert!(fixture.chat.list_invitations(fixture.actor(&juriste)).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_link_that_led_to_an_error_still_works() {
        let fixture = ChatFixture::demo();
        let admin = fixture.sign_in("admin").await;
        let invited = invite(&fixture, &admin, Role::Juriste).await.unwrap();
        let taken = fixture.chat.accept_invitation(invited.token.clone(), guest("client1@example.com")).await;
        assert_eq!(taken.unwrap_err().reason, Reason::EmailTaken);
        let juriste = fixture.chat.accept_invitation(invited.token, guest("nina@example.com")).await.unwrap();
        assert_eq!(juriste.user.role, Role::Juriste);
        assert!(fixture.chat.list_conversations(fixture.actor(&juriste)).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_juriste_invites_clients_an_administrator_anybody_and_a_client_nobody() {
        let fixture = ChatFixture::demo();
        let everyone =
            [fixture.sign_in("client1").await, fixture.sign_in("juriste1").await, fixture.sign_in("admin").await];
        let mut allowed = Vec::new();
        for person in &everyone {
            for role in [Role::Client, Role::Juriste, Role::Admin] {
                allowed.push(invite(&fixture, person, role).await.is_ok());
            }
        }
        assert_eq!(allowed, [false, false, false, true, false, false, true, true, true]);
        let lists = [0, 1, 2].map(|place| fixture.chat.list_invitations(fixture.actor(&everyone[place])));
        let [client, juriste, admin] = futures_util::future::join_all(lists).await.try_into().unwrap();
        assert_eq!(client.unwrap_err().reason, Reason::NotAllowed);
        let (juriste, admin) = (juriste.unwrap(), admin.unwrap());
        assert_eq!((juriste.len(), admin.len()), (1, 4));
        let others = RevokeInvitation { invitation_id: admin[0].id };
        let refused = fixture.chat.execute(fixture.actor(&everyone[1]), others).await.unwrap_err();
        assert_eq!(refused.reason, Reason::NotFound, "another's invitation is not to be known of");
    }

    #[tokio::test]
    async fn the_setup_link_opens_the_first_administrators_account_once() {
        let fixture = ChatFixture::with(Settings { sign_in_rate: 0, ..Settings::default() }, Missing::CreateEmpty);
        let mut admin = LocalAdmin::open(&fixture.path()).unwrap();
        let replaced = admin.create_setup_link().unwrap_or_else(|refusal| panic!("{refusal}"));
        let link = admin.create_setup_link().unwrap_or_else(|refusal| panic!("{refusal}"));
        let set_up = |token: &str, email: &str| fixture.chat.set_up(token.to_owned(), guest(email));
        for token in [replaced.token.as_str(), "", &"f".repeat(64)] {
            assert_eq!(set_up(token, "a@example.com").await.unwrap_err().reason, Reason::NotFound);
        }
        let admin = set_up(&link.token, "a@example.com").await.unwrap();
        assert_eq!(admin.user.role, Role::Admin);
        assert_eq!(set_up(&link.token, "b@example.com").await.unwrap_err().reason, Reason::NotFound);
    }

    #[tokio::test]
    async fn a_setup_link_ends_after_half_an_hour_and_with_the_first_administrator() {
        let fixture = ChatFixture::with(Settings { sign_in_rate: 0, ..Settings::default() }, Missing::CreateEmpty);
        let mut admin = LocalAdmin::open(&fixture.path()).unwrap();
        let link = admin.create_setup_link().unwrap_or_else(|refusal| panic!("{refusal}"));
        assert!(link.expires_at <= Timestamp::now() + SETUP_LIFE);
        let conn = Connection::open(fixture.path()).unwrap();
        conn.execute("UPDATE setup_tokens SET expires_at = 1", []).unwrap();
        let late = fixture.chat.set_up(link.token, guest("a@example.com")).await;
        assert_eq!(late.unwrap_err().reason, Reason::NotFound);
    }

    #[tokio::test]
    async fn an_invitation_is_worth_what_its_inviter_may_still_invite() {
        let fixture = ChatFixture::demo();
        let admin = fixture.sign_in("admin").await;
        let second = invite(&fixture, &admin, Role::Admin).await.unwrap();
        let second = fixture.chat.accept_invitation(second.token, guest("b@example.org")).await.unwrap();
        let [client, juriste, chief] = [Role::Client, Role::Juriste, Role::Admin]
            .map(async |role| invite(&fixture, &second, role).await.unwrap().token);
        let (client, juriste, chief) = (client.await, juriste.await, chief.await);
        let demote = |role| UpdateUser { user_id: second.user.id, is_active: None, role: Some(role), name: None };
        for (role, works) in [(Role::Juriste, [true, false, false]), (Role::Admin, [true, false, false])] {
            fixture.chat.execute(fixture.actor(&admin), demote(role)).await.unwrap();
            for (token, works) in [&client, &juriste, &chief].into_iter().zip(works) {
                let found = fixture.chat.find_invitation(token.clone()).await;
                assert_eq!(found.is_ok(), works, "as {role:?}");
            }
        }
        let refused = fixture.chat.accept_invitation(chief, guest("c@example.org")).await.unwrap_err();
        assert_eq!(refused.reason, Reason::NotFound);
    }
}
