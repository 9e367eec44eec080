//! Administration: people's accounts, and the state of the whole. An administrator manages people and never reads
//! what they say.

use std::path::Path;

use rusqlite::Connection;
use serde::Serialize;

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::contract::command::people::{EndUserSessions, UpdateUser};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::event::SessionEnding;
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::presence::Presence;
use crate::chat::conversations::conversation;
use crate::chat::handle::chat::Chat;
use crate::chat::people::{accounts, sessions};
use crate::model::account::{Account, AccountPage};
use crate::model::text::fold;
use crate::model::timestamp::Timestamp;
use crate::model::user::{Profile, Role};
use crate::store::database::{file, rotation, schema};
use crate::store::statistics::{self, Statistics};
use crate::store::{invitations, users};

/// People on a page whose asker did not say how many.
pub const LIMIT: usize = 50;
/// People on the longest page.
pub const LIMIT_MAX: usize = 200;

/// Which accounts are looked for.
#[derive(Clone, Debug, Default)]
pub struct AccountQuery {
    /// Beginnings of words of name or e-mail.
    pub words: Option<String>,
    /// Only those of this role.
    pub role: Option<Role>,
    /// At most so many.
    pub limit: Option<usize>,
    /// Those whose id is above this number: the `nextCursor` of the page before.
    pub cursor: Option<i64>,
}

/// What the database knows of the state of the whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Counts and sizes.
    #[serde(flatten)]
    pub statistics: Statistics,
    /// Whether a password that everybody knows still opens an account.
    pub demo_accounts_active: bool,
    /// Whether everything that is acknowledged is on disk: no storage error so far.
    pub is_healthy: bool,
}

/// Counts and sizes, and what is known around the database.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Measured {
    /// Of what is in it.
    pub statistics: Statistics,
    /// Bytes of its WAL.
    pub wal_bytes: u64,
    /// Bytes that are free where it lies, if the system says.
    pub disk_free_bytes: Option<u64>,
    /// When the last copy was made, in seconds since 1970.
    pub last_backup_s: Option<i64>,
}

impl Chat {
    /// The version of the database's schema.
    #[must_use]
    pub fn schema_version(&self) -> i64 {
        schema::VERSION
    }

    /// How large everything is now. For whoever watches over the server; it names nobody.
    ///
    /// # Errors
    /// `UNAVAILABLE`, `INTERNAL`.
    pub async fn measure(&self, database: &Path) -> Result<Measured, Error> {
        let (statistics, last_backup_s) =
            self.ask(|conn, now| Ok((statistics::load(conn, now)?, rotation::last_s(conn)?))).await?;
        let wal = std::fs::metadata(file::companion(database, "-wal"));
        Ok(Measured {
            statistics,
            wal_bytes: wal.map_or(0, |wal| wal.len()),
            disk_free_bytes: file::free_bytes(database),
            last_backup_s,
        })
    }

    /// A page of all accounts, in the order of their ids.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `FORBIDDEN` for all but administrators.
    pub async fn list_users(&self, actor: Actor, query: AccountQuery) -> Result<AccountPage, Error> {
        let presence = self.presence().clone();
        self.ask(move |conn, now| {
            caller::require_admin(conn, actor, now)?;
            list(conn, &query, &presence)
        })
        .await
    }

    /// The state of the whole.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `FORBIDDEN` for all but administrators.
    pub async fn load_status(&self, actor: Actor) -> Result<Status, Error> {
        let is_healthy = self.health() == crate::chat::handle::completion::Health::Open;
        self.ask(move |conn, now| {
            caller::require_admin(conn, actor, now)?;
            let statistics = statistics::load(conn, now)?;
            Ok(Status { statistics, demo_accounts_active: users::any_demo(conn)?, is_healthy })
        })
        .await
    }
}

/// A page of accounts.
///
/// # Errors
/// `INTERNAL`.
pub fn list(conn: &Connection, query: &AccountQuery, presence: &Presence) -> Result<AccountPage, Error> {
    let words = query.words.as_deref().unwrap_or_default();
    let limit = query.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let mut found = users::list_after(conn, query.cursor, limit + 1, |account| {
        query.role.is_none_or(|role| role == account.profile.role)
            && fold::has_words(&format!("{} {}", account.profile.name, account.profile.email), words)
    })?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| has_more).map(|account| account.profile.id);
    Ok(AccountPage { users: found.into_iter().map(|account| shown(account, presence)).collect(), next_cursor })
}

/// The rule of [`UpdateUser`]. The command line may do it too.
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN`, `NOT_FOUND`; `CONFLICT` if no active administrator would be left, or for another role
/// of somebody who has conversations.
pub fn update(
    conn: &Connection,
    actor: Actor,
    command: UpdateUser,
    now: Timestamp,
    presence: &Presence,
) -> Result<Outcome<Account>, Error> {
    if actor != Actor::System {
        caller::require_admin(conn, actor, now)?;
    }
    let before = accounts::load(conn, command.user_id)?;
    let after = Profile {
        name: command.name.map_or_else(|| before.name.clone(), |name| name.to_string()),
        role: command.role.unwrap_or(before.role),
        is_active: command.is_active.unwrap_or(before.is_active),
        updated_at: now,
        ..before.clone()
    };
    let contacts = crate::store::conversations::list_contacts(conn, before.id)?;
    if after.role != before.role && !contacts.is_empty() {
        return Err(Reason::RoleInUse.into());
    }
    users::set_profile(conn, &after, now)?;
    if before.role == Role::Admin && before.is_active && users::count_active(conn, Role::Admin)? == 0 {
        return Err(Reason::LastAdmin.into());
    }
    // All of them when the account is closed, and when it is opened: what ended does not come back, nor what was open while
    // nobody took invitations back.
    let has_turned = before.is_active != after.is_active;
    for guest in Role::ALL.into_iter().filter(|guest| has_turned || !after.role.may_invite(*guest)) {
        invitations::revoke_open(conn, before.id, guest, now)?;
    }
    let mut events = Vec::new();
    if before.is_active && !after.is_active {
        events.extend(sessions::end_all(conn, before.id, None, SessionEnding::Disabled, now)?);
    }
    if has_turned || before.name != after.name {
        events.extend(conversation::updated_of(conn, before.id, now)?);
    }
    let account = users::find(conn, before.id)?.ok_or(Reason::NotFound)?;
    Ok(Outcome { reply: shown(account, presence), events })
}

/// The rule of [`EndUserSessions`].
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN`, `NOT_FOUND`.
pub fn end_sessions(
    conn: &Connection,
    actor: Actor,
    command: &EndUserSessions,
    now: Timestamp,
) -> Result<Outcome<()>, Error> {
    caller::require_admin(conn, actor, now)?;
    let user_id = accounts::load(conn, command.user_id)?.id;
    Ok(Outcome::done(sessions::end_all(conn, user_id, None, SessionEnding::Revoked, now)?))
}

fn shown(account: users::Account, presence: &Presence) -> Account {
    let users::Account { profile, is_demo, last_sign_in_at, last_seen_at, .. } = account;
    Account {
        is_online: presence.is_online(profile.id),
        id: profile.id,
        name: profile.name,
        email: profile.email,
        role: profile.role,
        specialty: profile.specialty,
        is_active: profile.is_active,
        is_demo,
        last_sign_in_at,
        last_seen_at,
        created_at: profile.created_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::contract::command::conversations::CreateConversation;
    use crate::chat::people::directory::ContactQuery;
    use crate::chat::people::sign_in::SignedIn;
    use crate::chat::testing::fixtures::ChatFixture;
    use crate::model::id::UserId;

    fn user(id: i64) -> UserId {
        UserId::new(id).unwrap()
    }

    async fn change(fixture: &ChatFixture, by: &SignedIn, command: UpdateUser) -> Result<Account, Error> {
        fixture.chat.execute(fixture.actor(by), command).await
    }

    fn active(id: i64, is_active: bool) -> UpdateUser {
        UpdateUser { user_id: user(id), is_active: Some(is_active), role: None, name: None }
    }

    fn role(id: i64, role: Role) -> UpdateUser {
        UpdateUser { user_id: user(id), is_active: None, role: Some(role), name: None }
    }

    #[tokio::test]
    async fn a_disabled_person_is_out_everywhere_and_back_when_enabled() {
        let fixture = ChatFixture::demo();
        let admin = fixture.sign_in("admin").await;
        let devices = [fixture.sign_in("client1").await, fixture.sign_in("client1").await];
        assert!(!change(&fixture, &admin, active(1, false)).await.unwrap().is_active);
        for device in &devices {
            assert!(!fixture.is_live(device).await);
        }
        assert_eq!(fixture.endings(), [SessionEnding::Disabled; 2]);
        let closed = fixture.try_sign_in("client1@example.com", "Pass123!", "192.0.2.1").await;
        assert_eq!(closed.unwrap_err().reason, Reason::CredentialsWrong);
        change(&fixture, &admin, active(1, true)).await.unwrap();
        fixture.sign_in("client1").await;
        assert!(!fixture.is_live(&devices[0]).await, "ended is ended");
    }

    #[tokio::test]
    async fn only_administrators_manage_people() {
        let fixture = ChatFixture::demo();
        for name in ["client1", "juriste1"] {
            let person = fixture.sign_in(name).await;
            let actor = fixture.actor(&person);
            assert_eq!(change(&fixture, &person, active(2, false)).await.unwrap_err().reason, Reason::NotAllowed);
            let end = EndUserSessions { user_id: user(2) };
            assert_eq!(fixture.chat.execute(actor, end).await.unwrap_err().reason, Reason::NotAllowed);
            let list = fixture.chat.list_users(actor, AccountQuery::default()).await;
            assert_eq!(list.unwrap_err().reason, Reason::NotAllowed);
            assert_eq!(fixture.chat.load_status(actor).await.unwrap_err().reason, Reason::NotAllowed);
        }
        let nobody = fixture.chat.list_users(Actor::Anonymous, AccountQuery::default()).await;
        assert_eq!(nobody.unwrap_err().reason, Reason::TokenMissing);
    }

    #[tokio::test]
    async fn an_administrator_remains() {
        let fixture = ChatFixture::demo();
        let admin = fixture.sign_in("admin").await;
        for command in [active(11, false), role(11, Role::Client)] {
            assert_eq!(change(&fixture, &admin, command).await.unwrap_err().reason, Reason::LastAdmin);
        }
        assert!(fixture.is_live(&admin).await, "a refused change changes nothing");
        change(&fixture, &admin, role(10, Role::Admin)).await.unwrap();
        change(&fixture, &admin, active(11, false)).await.unwrap();
        assert!(!fixture.is_live(&admin).await);
    }

    #[tokio::test]
    async fn whoever_has_conversations_keeps_their_role() {
        let fixture = ChatFixture::demo();
        let (admin, client) = (fixture.sign_in("admin").await, fixture.sign_in("client1").await);
        let open = CreateConversation { participant_id: user(6) };
        fixture.chat.execute(fixture.actor(&client), open).await.unwrap();
        for id in [1, 6] {
            assert_eq!(change(&fixture, &admin, role(id, Role::Admin)).await.unwrap_err().reason, Reason::RoleInUse);
        }
        let promoted = change(&fixture, &admin, role(2, Role::Juriste)).await.unwrap();
        assert_eq!(promoted.role, Role::Juriste);
        assert_eq!(change(&fixture, &admin, active(99, false)).await.unwrap_err().reason, Reason::NotFound);
    }

    #[tokio::test]
    async fn accounts_are_paged_and_found_by_words() {
        let fixture = ChatFixture::demo();
        let admin = fixture.actor(&fixture.sign_in("admin").await);
        let mut query = AccountQuery { limit: Some(4), ..AccountQuery::default() };
        let mut ids = Vec::new();
        loop {
            let page = fixture.chat.list_users(admin, query.clone()).await.unwrap();
            ids.extend(page.users.iter().map(|account| account.id.as_i64()));
            query.cursor = page.next_cursor.map(|id| id.as_i64());
            if query.cursor.is_none() {
                break;
            }
        }
        assert_eq!(ids, (1..=11).collect::<Vec<_>>());
        let by_email = AccountQuery { words: Some("juriste3".into()), ..AccountQuery::default() };
        let found = fixture.chat.list_users(admin, by_email).await.unwrap().users;
        assert_eq!(found.iter().map(|account| account.id.as_i64()).collect::<Vec<_>>(), [8]);
        let clients = AccountQuery { role: Some(Role::Client), ..AccountQuery::default() };
        assert_eq!(fixture.chat.list_users(admin, clients).await.unwrap().users.len(), 5);
    }

    #[tokio::test]
    async fn the_status_counts_what_there_is() {
        let fixture = ChatFixture::demo();
        let admin = fixture.actor(&fixture.sign_in("admin").await);
        let status = fixture.chat.load_status(admin).await.unwrap();
        assert_eq!((status.statistics.users, status.statistics.sessions, status.statistics.messages), (11, 1, 0));
        assert!(status.demo_accounts_active && status.is_healthy && status.statistics.database_bytes > 0);
        let json = serde_json::to_value(status).unwrap();
        assert_eq!(json["activeUsers"], 11);
    }

    #[tokio::test]
    async fn people_find_those_whom_they_may_write_to() {
        let fixture = ChatFixture::demo();
        let admin = fixture.sign_in("admin").await;
        change(&fixture, &admin, active(7, false)).await.unwrap();
        let mut found = Vec::new();
        for name in ["client1", "juriste1", "admin"] {
            let actor = fixture.actor(&fixture.sign_in(name).await);
            let people = fixture.chat.list_people(actor, ContactQuery::default()).await.unwrap();
            assert!(serde_json::to_string(&people).unwrap().find('@').is_none(), "never e-mails");
            found.push(people.iter().map(|person| person.id.as_i64()).collect::<Vec<_>>());
        }
        found.iter_mut().for_each(|ids| ids.sort_unstable());
        assert_eq!(found, [vec![6, 8, 9, 10], vec![1, 2, 3, 4, 5], vec![]]);
        let client = fixture.actor(&fixture.sign_in("client1").await);
        let wrong_role = ContactQuery { role: Some(Role::Client), ..ContactQuery::default() };
        assert!(fixture.chat.list_people(client, wrong_role).await.unwrap().is_empty());
        let limited = ContactQuery { limit: Some(2), ..ContactQuery::default() };
        assert_eq!(fixture.chat.list_people(client, limited).await.unwrap().len(), 2);
    }
}
