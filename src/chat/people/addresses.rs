//! The address of an account: shown to be read by its owner, moved to another one, and freed of mail about messages.
//!
//! Whether an address has an account is told to nobody but its owner: who wants a taken one is answered as for any other.

use std::time::Duration;

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::auth::hasher::Asker;
use crate::auth::secret::{Digest, Secret};
use crate::chat::access::{caller, credentials, throttle};
use crate::chat::contract::command::people::{ConfirmEmail, Device, FailSignIn, RequestEmailConfirmation, Unsubscribe};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::settings::Notices;
use crate::chat::handle::chat::Chat;
use crate::chat::notices::post::{Letter, MAIL_LIFE, Post};
use crate::chat::notices::preferences;
use crate::chat::people::accounts;
use crate::chat::people::recovery::{LINKS_MAX, LINKS_WINDOW};
use crate::model::delivery::DeliveryKind;
use crate::model::email::Email;
use crate::model::id::UserId;
use crate::model::locale::Text;
use crate::model::timestamp::Timestamp;
use crate::store::mail_tokens::{self, Purpose};
use crate::store::users;

/// How long the link works.
const LINK_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

impl Chat {
    /// Has a link mailed to an address that the caller wants to be their account's.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `INVALID` for a wrong password; `CONFLICT` where no mail is set up; `RATE_LIMITED`.
    pub async fn request_other_email(
        &self,
        actor: Actor,
        email: Email,
        password: String,
        device: &Device,
    ) -> Result<(), Error> {
        let account = self
            .ask(move |conn, now| {
                let me = caller::require_member(conn, actor, now)?;
                users::find(conn, me.user_id)?.ok_or_else(|| Error::from(Reason::TokenInvalid))
            })
            .await?;
        let (own, address) = (account.profile.email, device.address);
        let turn = self.credentials().turn(&own).await;
        let tried = own.clone();
        self.ask(move |conn, now| throttle::check_account(conn, &tried, address, now)).await?;
        let stored = Some(account.password.0.clone());
        let verdict =
            self.credentials().hasher.verify(password, stored, Asker::Known).await.map_err(credentials::refused)?;
        if !verdict.matches {
            self.execute(Actor::Anonymous, FailSignIn { email: own, address }).await?;
            return Err(Error::invalid("password", Text::new("est incorrect", "is incorrect")));
        }
        drop(turn);
        let change = Some((account.password, email));
        self.execute(actor, RequestEmailConfirmation { change }).await
    }

    /// Confirms an address by the link that was mailed there; the address.
    ///
    /// # Errors
    /// `NOT_FOUND` for a link that does not work; `CONFLICT` if the address has an account by now; `RATE_LIMITED`.
    pub async fn confirm_email(&self, token: &str, device: &Device) -> Result<String, Error> {
        self.admit(device).await?;
        let digest = Digest::of_presented(token).ok_or(Reason::NotFound)?;
        self.execute(Actor::Anonymous, ConfirmEmail { digest }).await
    }

    /// Whether somebody's mail about messages ends by this token.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn find_unsubscribe(&self, token: String) -> Result<(), Error> {
        self.ask(move |conn, _| {
            users::find_by_unsubscribe(conn, &token)?.map(drop).ok_or_else(|| Reason::NotFound.into())
        })
        .await
    }
}

/// The rule of [`RequestEmailConfirmation`].
///
/// # Errors
/// `UNAUTHENTICATED`; `CONFLICT` where no mail is set up; `INVALID` for an address for examples, or if the password was
/// changed since it was checked; `RATE_LIMITED`.
pub fn request(
    conn: &Connection,
    actor: Actor,
    command: &RequestEmailConfirmation,
    now: Timestamp,
    post: Post<'_>,
) -> Result<Outcome<()>, Error> {
    let me = caller::require_member(conn, actor, now)?;
    post.require_channel()?;
    let account = users::find(conn, me.user_id)?.ok_or(Reason::TokenInvalid)?;
    let profile = account.profile;
    let address = match &command.change {
        None => profile.email.as_str(),
        Some((password, _)) if *password != account.password => {
            return Err(Error::invalid("password", Text::new("est incorrect", "is incorrect")));
        }
        Some((_, email)) => email.as_str(),
    };
    if !post.takes(address) {
        let message =
            Text::new("est une adresse d’exemple : rien n’y est envoyé", "is for examples: nothing is mailed there");
        return Err(Error::invalid("email", message));
    }
    if mail_tokens::count_since(conn, profile.id, Purpose::Email, now - LINKS_WINDOW)? >= LINKS_MAX {
        return Err(Error::too_many(LINKS_WINDOW));
    }
    let secret = Secret::generate().map_err(Error::internal)?;
    let (digest, expires_at) = (secret.digest(), now + LINK_LIFE);
    // Counted whatever the address: how many one may ask for says nothing about it either.
    mail_tokens::insert(conn, digest.as_bytes(), (profile.id, Purpose::Email), address, now, expires_at)?;
    let owner = users::find_by_email(conn, address)?.filter(|owner| owner.profile.id != profile.id);
    match owner {
        Some(owner) => {
            mail_tokens::set_used(conn, digest.as_bytes(), now)?;
            let (user_id, locale) = (Some(owner.profile.id), owner.profile.locale);
            let letter = Letter { kind: DeliveryKind::AddressTaken, user_id, secret: None, locale };
            post.mail(conn, &letter, address, now + MAIL_LIFE, now)?;
        }
        None => {
            let (user_id, secret, locale) = (Some(profile.id), Some(secret.reveal()), profile.locale);
            let letter = Letter { kind: DeliveryKind::Address, user_id, secret, locale };
            post.mail(conn, &letter, address, expires_at, now)?;
        }
    }
    Ok(().into())
}

/// The rule of [`ConfirmEmail`]; the address. The one before is told if the account moves.
///
/// # Errors
/// `NOT_FOUND` for a link that does not work; `CONFLICT` if the address has an account by now.
pub fn confirm(
    conn: &Connection,
    command: &ConfirmEmail,
    now: Timestamp,
    post: Post<'_>,
) -> Result<Outcome<String>, Error> {
    let hash = command.digest.as_bytes();
    let link = mail_tokens::find(conn, hash, Purpose::Email, now)?.ok_or(Reason::NotFound)?;
    let before = accounts::load(conn, link.user_id)?;
    if before.email == link.email {
        users::set_email_confirmed(conn, before.id, now)?;
    } else {
        if users::find_by_email(conn, &link.email)?.is_some() {
            return Err(Reason::EmailTaken.into());
        }
        users::set_email(conn, before.id, &link.email, now)?;
        let (user_id, locale) = (Some(before.id), before.locale);
        let letter = Letter { kind: DeliveryKind::AddressChanged, user_id, secret: None, locale };
        post.mail(conn, &letter, &before.email, now + MAIL_LIFE, now)?;
    }
    mail_tokens::set_used(conn, hash, now)?;
    Ok(link.email.into())
}

/// The rule of [`Unsubscribe`]; a second time changes nothing.
///
/// # Errors
/// `NOT_FOUND`.
pub fn unsubscribe(
    conn: &Connection,
    command: &Unsubscribe,
    now: Timestamp,
    operator: &Notices,
) -> Result<Outcome<()>, Error> {
    let user_id: UserId = users::find_by_unsubscribe(conn, &command.token)?.ok_or(Reason::NotFound)?;
    preferences::end_mail(conn, user_id, now, operator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::contract::settings::Settings;
    use crate::chat::testing::fixtures::RulesFixture;
    use crate::model::notices::Available;
    use crate::model::user::PasswordHash;

    fn fixture() -> RulesFixture {
        let available = Available { email: true, ..Available::default() };
        let notices = Notices { available, mails_anywhere: true, ..Notices::default() };
        RulesFixture::with(Settings { notices, ..Settings::default() })
    }

    fn mails(fixture: &RulesFixture) -> Vec<(String, String, Option<String>)> {
        let mut statement = fixture.conn().prepare("SELECT kind, address, secret FROM outbox ORDER BY id").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn change(fixture: &RulesFixture, email: &str) -> RequestEmailConfirmation {
        let account = users::find(fixture.conn(), UserId::new(1).unwrap()).unwrap().unwrap();
        RequestEmailConfirmation { change: Some((account.password, email.parse().unwrap())) }
    }

    fn confirm_by(secret: &str) -> ConfirmEmail {
        ConfirmEmail { digest: Digest::of_presented(secret).unwrap() }
    }

    #[test]
    fn an_account_moves_when_the_new_address_is_shown_to_be_read_and_the_old_one_is_told() {
        let mut fixture = fixture();
        let client = fixture.actor(1);
        let command = change(&fixture, "moi@cabinet.fr");
        fixture.run(client, command).unwrap();
        let (kind, address, secret) = mails(&fixture).remove(0);
        assert_eq!((kind.as_str(), address.as_str()), ("address", "moi@cabinet.fr"));
        let reply = fixture.run(Actor::Anonymous, confirm_by(&secret.clone().unwrap())).unwrap().reply;
        assert_eq!(reply, "moi@cabinet.fr");
        let told = mails(&fixture).remove(1);
        assert_eq!((told.0.as_str(), told.1.as_str()), ("address_changed", "client1@example.com"));
        assert!(fixture.run(Actor::Anonymous, confirm_by(&secret.unwrap())).is_err(), "once");
    }

    #[test]
    fn a_taken_address_is_answered_alike_and_told_to_its_owner_alone() {
        let mut fixture = fixture();
        let client = fixture.actor(1);
        let command = change(&fixture, "client2@example.com");
        fixture.run(client, command).unwrap();
        let (kind, address, secret) = mails(&fixture).remove(0);
        assert_eq!((kind.as_str(), address.as_str(), secret), ("address_taken", "client2@example.com", None));
        for _ in 0..2 {
            let command = change(&fixture, "client2@example.com");
            fixture.run(client, command).unwrap();
        }
        let command = change(&fixture, "libre@cabinet.fr");
        assert!(fixture.run(client, command).is_err(), "three an hour, taken or not");
    }

    #[test]
    fn ones_own_address_is_confirmed_by_the_link() {
        let mut fixture = fixture();
        let client = fixture.actor(1);
        fixture.run(client, RequestEmailConfirmation { change: None }).unwrap();
        let secret = mails(&fixture).remove(0).2.unwrap();
        fixture.run(Actor::Anonymous, confirm_by(&secret)).unwrap();
        assert_eq!(mails(&fixture).len(), 1, "nobody else is told");
        fixture.pass(LINK_LIFE);
        assert!(fixture.run(Actor::Anonymous, confirm_by(&secret)).is_err());
    }

    #[test]
    fn one_press_ends_mail_about_messages_however_often_it_is_pressed() {
        let mut fixture = fixture();
        let token = users::unsubscribe_token(fixture.conn(), UserId::new(1).unwrap()).unwrap();
        assert_eq!(token, users::unsubscribe_token(fixture.conn(), UserId::new(1).unwrap()).unwrap(), "it stays");
        let events = fixture.run(Actor::Anonymous, Unsubscribe { token: token.clone() }).unwrap().events;
        assert_eq!(events.len(), 1);
        assert!(fixture.run(Actor::Anonymous, Unsubscribe { token }).unwrap().events.is_empty());
        let unknown = Unsubscribe { token: "00".to_owned() };
        assert_eq!(fixture.run(Actor::Anonymous, unknown).unwrap_err().reason, Reason::NotFound);
    }

    #[test]
    fn a_password_that_was_changed_meanwhile_moves_nothing() {
        let mut fixture = fixture();
        let client = fixture.actor(1);
        let change = Some((PasswordHash("old".to_owned()), "moi@cabinet.fr".parse::<Email>().unwrap()));
        assert!(fixture.run(client, RequestEmailConfirmation { change }).is_err());
        assert!(mails(&fixture).is_empty());
    }
}
