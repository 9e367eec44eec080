//! The directory: the people whom one may write to.

use crate::auth::actor::Actor;
use crate::chat::access::caller;
use crate::chat::contract::error::Error;
use crate::chat::handle::chat::Chat;
use crate::model::account::Contact;
use crate::model::text::fold;
use crate::model::user::Role;
use crate::store::users;

/// People on a page whose asker did not say how many.
pub const LIMIT: usize = 50;
/// People on the longest page.
pub const LIMIT_MAX: usize = 200;

/// Which people are looked for.
#[derive(Clone, Debug, Default)]
pub struct ContactQuery {
    /// Only those of this role.
    pub role: Option<Role>,
    /// Beginnings of words of their name, or of a juriste's field of law.
    pub words: Option<String>,
    /// At most so many.
    pub limit: Option<usize>,
}

impl Chat {
    /// The people whom the caller may write to, by name: a client finds juristes, a juriste finds clients, an
    /// administrator nobody.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    pub async fn list_people(&self, actor: Actor, query: ContactQuery) -> Result<Vec<Contact>, Error> {
        let presence = self.presence().clone();
        self.ask(move |conn, now| {
            let me = caller::require_member(conn, actor, now)?;
            let Some(role) = counterpart(me.role).filter(|role| query.role.is_none_or(|wanted| wanted == *role)) else {
                return Ok(Vec::new());
            };
            let words = query.words.unwrap_or_default();
            let limit = query.limit.unwrap_or(LIMIT).min(LIMIT_MAX);
            let found = users::list_active(conn, role, limit, |account| {
                let specialty = account.profile.specialty.as_deref().unwrap_or_default();
                fold::has_words(&format!("{} {specialty}", account.profile.name), &words)
            })?;
            let shown = |account: users::Account| Contact {
                is_online: presence.is_online(account.profile.id),
                id: account.profile.id,
                name: account.profile.name,
                role: account.profile.role,
                specialty: account.profile.specialty,
            };
            Ok(found.into_iter().map(shown).collect())
        })
        .await
    }
}

/// Whom somebody of this role may write to.
fn counterpart(role: Role) -> Option<Role> {
    match role {
        Role::Client => Some(Role::Juriste),
        Role::Juriste => Some(Role::Client),
        Role::Admin => None,
    }
}
