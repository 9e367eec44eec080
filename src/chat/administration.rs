//! Administration: people's accounts, and the state of the whole. An administrator manages people and never reads
//! what they say.

use rusqlite::Connection;
use serde::Serialize;

use crate::auth::actor::Actor;
use crate::chat::command::{EndUserSessions, UpdateUser};
use crate::chat::error::{Error, Reason};
use crate::chat::event::{SessionEnding, Told};
use crate::chat::execute::Chat;
use crate::chat::outcome::Outcome;
use crate::chat::presence::Presence;
use crate::chat::reply::Reply;
use crate::chat::{access, accounts, conversations, sessions};
use crate::model::account::{Account, AccountPage};
use crate::model::fold;
use crate::model::id::UserId;
use crate::model::timestamp::Timestamp;
use crate::model::user::{Profile, Role};
use crate::store::statistics::{self, Statistics};
use crate::store::users;

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
    /// Those after this one: the `nextCursor` of the page before.
    pub cursor: Option<UserId>,
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

impl Chat {
    /// A page of all accounts, in the order of their ids.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `FORBIDDEN` for all but administrators.
    pub async fn list_users(&self, actor: Actor, query: AccountQuery) -> Result<AccountPage, Error> {
        let presence = self.presence().clone();
        self.ask(move |conn, now| {
            access::require_admin(conn, actor, now)?;
            list(conn, &query, &presence)
        })
        .await
    }

    /// The state of the whole.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `FORBIDDEN` for all but administrators.
    pub async fn load_status(&self, actor: Actor) -> Result<Status, Error> {
        let is_healthy = self.health() == crate::chat::execute::Health::Open;
        self.ask(move |conn, now| {
            access::require_admin(conn, actor, now)?;
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

/// The rule of [`crate::chat::command::Command::UpdateUser`]. The command line may do it too.
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
) -> Result<Outcome, Error> {
    if actor != Actor::System {
        access::require_admin(conn, actor, now)?;
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
    let mut events = Vec::new();
    if before.is_active && !after.is_active {
        events.extend(sessions::end_all(conn, before.id, None, SessionEnding::Disabled, now)?);
    }
    if before.is_active != after.is_active || before.name != after.name {
        events.extend(tell_contacts(conn, before.id, now, presence)?);
    }
    let account = users::find(conn, before.id)?.ok_or(Reason::NotFound)?;
    Ok(Outcome { reply: Reply::Account(shown(account, presence)), events })
}

/// The rule of [`crate::chat::command::Command::EndUserSessions`].
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN`, `NOT_FOUND`.
pub fn end_sessions(
    conn: &Connection,
    actor: Actor,
    command: &EndUserSessions,
    now: Timestamp,
) -> Result<Outcome, Error> {
    access::require_admin(conn, actor, now)?;
    let user_id = accounts::load(conn, command.user_id)?.id;
    Ok(Outcome::done(sessions::end_all(conn, user_id, None, SessionEnding::Revoked, now)?))
}

/// Their conversations show another name, or that they are not there any more.
fn tell_contacts(conn: &Connection, user_id: UserId, now: Timestamp, presence: &Presence) -> Result<Vec<Told>, Error> {
    let mut events = Vec::new();
    for whole in crate::store::conversations::list_of(conn, user_id)? {
        events.extend(conversations::updated(conn, whole.row.id, now, presence)?);
    }
    Ok(events)
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
