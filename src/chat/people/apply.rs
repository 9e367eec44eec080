//! Which rule carries out which command about people.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::context::Context;
use crate::chat::contract::command::PeopleCommand;
use crate::chat::contract::request::Applied;
use crate::chat::notices::post::Post;
use crate::chat::people::{accounts, addresses, administration, invitations, passwords, recovery, sessions, sign_in};
use crate::model::timestamp::Timestamp;

/// Carries out one command inside a transaction. What a refused one has written must be taken back.
pub fn apply(
    command: PeopleCommand,
    conn: &Connection,
    actor: Actor,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Applied {
    use PeopleCommand as C;
    if command.changes_memberships() {
        context.memberships.forget();
    }
    let post = Post::of(context);
    let Context { rates, memberships, settings, presence, .. } = context;
    match command {
        C::AdmitAttempt(ask) => ask.apply(|command| sign_in::admit(conn, &command, settings.sign_in_rate, now)),
        C::OpenSession(ask) => ask.apply(|command| sign_in::open(conn, command, now, post)),
        C::FailSignIn(ask) => ask.apply(|command| sign_in::fail(conn, &command, now)),
        C::RefreshSession(ask) => ask.apply(|command| sessions::refresh(conn, &command, now)),
        C::SignOut(ask) => ask.apply(|_| sessions::sign_out(conn, actor, now)),
        C::EndSession(ask) => ask.apply(|command| sessions::end_one(conn, actor, &command, now)),
        C::SignUp(ask) => ask.apply(|command| accounts::sign_up(conn, command, settings.sign_up_rate, now)),
        C::UpdateProfile(ask) => ask.apply(|command| accounts::update_profile(conn, actor, command, now, rates)),
        C::ChangePassword(ask) => ask.apply(|command| passwords::change_password(conn, actor, &command, now)),
        C::Rehash(ask) => ask.apply(|command| passwords::rehash(conn, actor, &command)),
        C::RecordLastSeen(ask) => {
            ask.apply(|command| accounts::record_last_seen(conn, actor, &command, now, memberships))
        }
        C::AddUser(ask) => ask.apply(|command| accounts::add(conn, actor, &command, now)),
        C::SetPassword(ask) => ask.apply(|command| passwords::set_password(conn, actor, &command, now)),
        C::CreateInvitation(ask) => ask.apply(|command| invitations::create(conn, actor, &command, now, post)),
        C::RevokeInvitation(ask) => ask.apply(|command| invitations::revoke(conn, actor, &command, now)),
        C::AcceptInvitation(ask) => ask.apply(|command| invitations::accept(conn, &command, now, presence)),
        C::CreateSetupLink(ask) => ask.apply(|_| invitations::create_setup(conn, actor, now)),
        C::SetUp(ask) => ask.apply(|command| invitations::set_up(conn, &command, now)),
        C::UpdateUser(ask) => ask.apply(|command| administration::update(conn, actor, command, now, presence)),
        C::RequestPasswordReset(ask) => ask.apply(|command| recovery::request(conn, &command, now, post)),
        C::ResetPassword(ask) => ask.apply(|command| recovery::reset(conn, &command, now)),
        C::RequestEmailConfirmation(ask) => ask.apply(|command| addresses::request(conn, actor, &command, now, post)),
        C::ConfirmEmail(ask) => ask.apply(|command| addresses::confirm(conn, &command, now, post)),
        C::Unsubscribe(ask) => ask.apply(|command| addresses::unsubscribe(conn, &command, now, &settings.notices)),
        C::EndUserSessions(ask) => ask.apply(|command| administration::end_sessions(conn, actor, &command, now)),
    }
}
