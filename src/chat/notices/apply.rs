//! Which rule carries out which command about notices.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::context::Context;
use crate::chat::contract::command::{DeliveryCommand, NoticeCommand};
use crate::chat::contract::request::Applied;
use crate::chat::notices::post::Post;
use crate::chat::notices::{deliveries, devices, messages, preferences};
use crate::model::timestamp::Timestamp;

/// Carries out one command inside a transaction. What a refused one has written must be taken back.
pub fn apply(
    command: NoticeCommand,
    conn: &Connection,
    actor: Actor,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Applied {
    use NoticeCommand as C;
    let notices = &context.settings.notices;
    match command {
        C::UpdateNotices(ask) => ask.apply(|command| preferences::update(conn, actor, &command, now, notices)),
        C::RegisterDevice(ask) => ask.apply(|command| devices::register(conn, actor, &command, now, notices)),
        C::RemoveDevice(ask) => ask.apply(|command| devices::remove(conn, actor, &command, now)),
        C::TestDevice(ask) => {
            let post = Post::of(context);
            ask.apply(|command| deliveries::test_device(conn, actor, &command, now, post))
        }
    }
}

/// Carries out one command about what leaves the house, as [`apply`].
pub fn apply_delivery(
    command: DeliveryCommand,
    conn: &Connection,
    actor: Actor,
    now: Timestamp,
    context: &mut Context<'_>,
) -> Applied {
    use DeliveryCommand as C;
    let post = Post::of(context);
    match command {
        C::LeaseDeliveries(ask) => ask.apply(|command| deliveries::lease(conn, actor, &command, now, context)),
        C::ReleaseDeliveries(ask) => ask.apply(|_| deliveries::release(conn, actor)),
        C::SettleDeliveries(ask) => ask.apply(|command| deliveries::settle(conn, actor, &command, now, post)),
        C::RaiseNotices(ask) => ask.apply(|command| messages::raise(conn, actor, &command, now, context)),
        C::RetryDelivery(ask) => ask.apply(|command| deliveries::retry(conn, actor, &command, now, context)),
        C::SendTestMail(ask) => ask.apply(|command| deliveries::send_test_mail(conn, actor, &command, now, post)),
    }
}
