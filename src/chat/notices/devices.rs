//! The browsers and apps to which somebody's notices go.
//!
//! A device belongs to who registered it last: two people may use one browser, and only the one who is signed in there is
//! told anything. It goes with its session, unless that ends by its age alone.

use rusqlite::Connection;

use crate::auth::actor::Actor;
use crate::chat::access::caller::{self, Member};
use crate::chat::contract::command::notices::{RegisterDevice, RemoveDevice};
use crate::chat::contract::error::{Error, Reason};
use crate::chat::contract::outcome::Outcome;
use crate::chat::contract::reply::DeviceRegistered;
use crate::chat::contract::settings::Notices;
use crate::chat::handle::chat::Chat;
use crate::model::delivery::Channel;
use crate::model::id::{DeviceId, UserId};
use crate::model::notices::{Device, DeviceKind};
use crate::model::timestamp::Timestamp;
use crate::store::devices;
use crate::store::notices::{self, MarkChannel};

/// Devices of one person.
const DEVICES_MAX: i64 = 20;

impl Chat {
    /// The caller's devices, the latest first.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    pub async fn list_devices(&self, actor: Actor) -> Result<Vec<Device>, Error> {
        self.ask(move |conn, now| {
            let me = caller::require_member(conn, actor, now)?;
            Ok(devices::list_of(conn, me.user_id, me.session_id)?)
        })
        .await
    }
}

/// The devices of somebody that are reached by what is set up, and by which way.
pub(super) fn list_reached(
    conn: &Connection,
    user_id: UserId,
    operator: &Notices,
) -> rusqlite::Result<Vec<(DeviceId, Channel)>> {
    let available = &operator.available;
    let channel = |kind| match kind {
        DeviceKind::Webpush => available.web_push.as_ref().map(|_| Channel::Webpush),
        DeviceKind::Fcm => available.fcm.then_some(Channel::Fcm),
    };
    let all = devices::list_ids(conn, user_id)?.into_iter();
    Ok(all.filter_map(|(id, kind)| Some((id, channel(kind)?))).collect())
}

/// The rule of [`RegisterDevice`]. Whoever registers their first device is told nothing old there.
///
/// # Errors
/// `UNAUTHENTICATED`; `CONFLICT` where such devices are not reached, and for one more than one may have.
pub fn register(
    conn: &Connection,
    actor: Actor,
    command: &RegisterDevice,
    now: Timestamp,
    operator: &Notices,
) -> Result<Outcome<DeviceRegistered>, Error> {
    let me = caller::require_member(conn, actor, now)?;
    let RegisterDevice { reach, name } = command;
    let is_reached = match reach.kind {
        DeviceKind::Webpush => operator.available.web_push.is_some(),
        DeviceKind::Fcm => operator.available.fcm,
    };
    if !is_reached {
        return Err(Reason::ChannelOff.into());
    }
    let known = devices::find_owner(conn, &reach.address)?;
    if let Some((id, owner)) = known
        && owner == me.user_id
    {
        devices::set_registered(conn, id, me.session_id, reach, name.as_deref(), now)?;
        return Ok(DeviceRegistered { device: load(conn, me, id)?, created: false }.into());
    }
    let count = devices::count_reached(conn, me.user_id)?;
    if count >= DEVICES_MAX {
        return Err(Reason::TooManyDevices.into());
    }
    if let Some((id, _)) = known {
        devices::delete(conn, id)?;
    }
    if count == 0 {
        notices::mark_all(conn, me.user_id, MarkChannel::Push, now)?;
    }
    let id = devices::insert(conn, (me.user_id, me.session_id), reach, name.as_deref(), now)?;
    Ok(DeviceRegistered { device: load(conn, me, id)?, created: true }.into())
}

/// The rule of [`RemoveDevice`].
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND` if the caller has no such device.
pub fn remove(conn: &Connection, actor: Actor, command: &RemoveDevice, now: Timestamp) -> Result<Outcome<()>, Error> {
    let me = caller::require_member(conn, actor, now)?;
    let device = load(conn, me, command.device_id)?;
    devices::delete(conn, device.id)?;
    Ok(().into())
}

fn load(conn: &Connection, me: Member, id: crate::model::id::DeviceId) -> Result<Device, Error> {
    let found = devices::find(conn, me.user_id, me.session_id, id)?;
    found.map(|row| row.device).ok_or_else(|| Reason::NotFound.into())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::chat::contract::command::people::{ChangePassword, EndSession, SignOut, UpdateUser};
    use crate::chat::contract::command::system::Tidy;
    use crate::chat::contract::settings::Settings;
    use crate::chat::testing::fixtures::RulesFixture;
    use crate::model::id::{DeviceId, UserId};
    use crate::model::notices::{Available, WebPushKey};
    use crate::model::user::PasswordHash;
    use crate::store::devices::Reach;
    use crate::store::users;

    fn fixture() -> RulesFixture {
        let web_push = Some(WebPushKey { public_key: "key".to_owned() });
        let available = Available { web_push, ..Available::default() };
        let notices = Notices { available, ..Notices::default() };
        RulesFixture::with(Settings { notices, ..Settings::default() })
    }

    fn browser(address: &str) -> RegisterDevice {
        let keys = Some(("p256dh".to_owned(), "auth".to_owned()));
        let reach = Reach { kind: DeviceKind::Webpush, address: address.to_owned(), keys };
        RegisterDevice { reach, name: Some("Firefox".to_owned()) }
    }

    fn owners(fixture: &RulesFixture) -> Vec<i64> {
        let mut statement = fixture.conn().prepare("SELECT user_id FROM devices ORDER BY id").unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn a_device_that_registers_again_is_the_same_and_one_of_somebody_else_changes_hands() {
        let mut fixture = fixture();
        let (client, juriste) = (fixture.actor(1), fixture.actor(6));
        let first = fixture.run(client, browser("https://push/a")).unwrap().reply;
        let again = fixture.run(client, RegisterDevice { name: None, ..browser("https://push/a") }).unwrap().reply;
        assert!(first.created && !again.created && first.device.id == again.device.id);
        assert_eq!(again.device.name.as_deref(), Some("Firefox"));
        let taken = fixture.run(juriste, browser("https://push/a")).unwrap().reply;
        assert!(taken.created && taken.device.id != first.device.id);
        assert_eq!(owners(&fixture), [6]);
    }

    #[test]
    fn a_channel_that_is_off_takes_no_device_and_nobody_has_more_than_twenty() {
        let mut off = RulesFixture::default();
        let client = off.actor(1);
        assert_eq!(off.run(client, browser("https://push/a")).unwrap_err().reason, Reason::ChannelOff);
        let mut fixture = fixture();
        let client = fixture.actor(1);
        let app = Reach { kind: DeviceKind::Fcm, address: "x".to_owned(), keys: None };
        let refused = fixture.run(client, RegisterDevice { reach: app, name: None }).unwrap_err();
        assert_eq!(refused.reason, Reason::ChannelOff);
        for number in 0..20 {
            fixture.run(client, browser(&format!("https://push/{number}"))).unwrap();
        }
        assert_eq!(fixture.run(client, browser("https://push/20")).unwrap_err().reason, Reason::TooManyDevices);
        fixture.run(client, browser("https://push/7")).unwrap();
    }

    #[test]
    fn devices_go_with_their_session_and_not_with_another_one() {
        let mut fixture = fixture();
        let (here, there) = (fixture.actor(1), fixture.actor(1));
        let session_id = there.caller().unwrap().session_id();
        fixture.run(here, browser("https://push/here")).unwrap();
        fixture.run(there, browser("https://push/there")).unwrap();
        fixture.run(here, EndSession { session_id }).unwrap();
        assert_eq!(owners(&fixture).len(), 1);
        fixture.run(here, SignOut).unwrap();
        assert_eq!(owners(&fixture).len(), 0);
    }

    #[test]
    fn a_new_password_ends_what_is_told_on_all_devices_but_this_one() {
        let mut fixture = fixture();
        let (here, there) = (fixture.actor(1), fixture.actor(1));
        for (actor, address) in
            [(here, "https://push/here"), (there, "https://push/there"), (there, "https://push/old")]
        {
            fixture.run(actor, browser(address)).unwrap();
        }
        // A session that is over by its age has left its device behind.
        fixture.conn().execute("UPDATE devices SET session_id = NULL WHERE address LIKE '%old'", []).unwrap();
        let stored = users::find(fixture.conn(), UserId::new(1).unwrap()).unwrap().unwrap().password;
        let next = PasswordHash("another".to_owned());
        fixture.run(here, ChangePassword { current: stored, next }).unwrap();
        let sql = "SELECT group_concat(address) FROM devices";
        let left: String = fixture.conn().query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(left, "https://push/here");
    }

    #[test]
    fn a_device_whose_session_has_expired_is_told_for_sixty_days_after_it_last_registered() {
        let mut fixture = fixture();
        let client = fixture.actor(1);
        fixture.run(client, browser("https://push/a")).unwrap();
        let day = Duration::from_secs(24 * 3600);
        for (days, left) in [(59, 1), (2, 0)] {
            fixture.pass(days * day);
            while fixture.run(Actor::System, Tidy).unwrap().reply {}
            assert_eq!(owners(&fixture).len(), left, "{days}");
        }
    }

    #[test]
    fn a_closed_account_is_reached_nowhere() {
        let mut fixture = fixture();
        let (client, admin) = (fixture.actor(1), fixture.actor(11));
        fixture.run(client, browser("https://push/a")).unwrap();
        // A session that is over by its age has left its device behind.
        fixture.conn().execute("UPDATE devices SET session_id = NULL", []).unwrap();
        let close = UpdateUser { user_id: UserId::new(1).unwrap(), is_active: Some(false), role: None, name: None };
        fixture.run(admin, close).unwrap();
        assert_eq!(owners(&fixture).len(), 0);
    }

    #[test]
    fn nobody_removes_somebody_elses_device() {
        let mut fixture = fixture();
        let (client, juriste) = (fixture.actor(1), fixture.actor(6));
        let device_id = fixture.run(client, browser("https://push/a")).unwrap().reply.device.id;
        for (actor, device_id) in [(juriste, device_id), (client, DeviceId::new(99).unwrap())] {
            let refused = fixture.run(actor, RemoveDevice { device_id }).unwrap_err();
            assert_eq!(refused.reason, Reason::NotFound);
        }
        fixture.run(client, RemoveDevice { device_id }).unwrap();
        assert_eq!(owners(&fixture).len(), 0);
    }
}
