use super::*;
use crate::chat::contract::command::people::{EndUserSessions, UpdateUser};
use crate::chat::contract::settings::Settings;
use crate::chat::testing::fixtures::{ChatFixture, device};
use crate::chat::writer::local_admin::{LocalAdmin, NewPerson};
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

/// What ends all that an account had open.
async fn end(fixture: &ChatFixture, admin: &SignedIn, inviter: &SignedIn, how: &str) {
    let user_id = inviter.user.id;
    let active = |is_active| UpdateUser { user_id, is_active: Some(is_active), role: None, name: None };
    match how {
        "all sessions ended" => fixture.chat.execute(fixture.actor(admin), EndUserSessions { user_id }).await.unwrap(),
        "an operator's password" => {
            let mut operator = LocalAdmin::open(&fixture.path()).unwrap();
            operator.set_password(&inviter.user.email, "une autre phrase longue").unwrap();
        }
        "one's own password" => {
            let (current, next) = ("une phrase assez longue".to_owned(), "une autre phrase longue".to_owned());
            let from = device("192.0.2.1");
            fixture.chat.change_password(fixture.actor(inviter), current, next, &from).await.unwrap();
        }
        _ => {
            for is_active in [false, true] {
                fixture.chat.execute(fixture.actor(admin), active(is_active)).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn invitations_that_hand_on_more_than_a_clients_place_end_with_the_inviters_sessions_and_all_with_the_account() {
    let fixture = ChatFixture::demo();
    let admin = fixture.sign_in("admin").await;
    for (number, how) in ["all sessions ended", "an operator's password", "one's own password", "disabled and enabled"]
        .iter()
        .enumerate()
    {
        let second = invite(&fixture, &admin, Role::Admin).await.unwrap();
        let email = format!("second{number}@example.org");
        let second = fixture.chat.accept_invitation(second.token, guest(&email)).await.unwrap();
        let mut tokens = Vec::new();
        for role in [Role::Client, Role::Juriste, Role::Admin] {
            tokens.push(invite(&fixture, &second, role).await.unwrap().token);
        }
        end(&fixture, &admin, &second, how).await;
        let mut works = Vec::new();
        for token in tokens {
            works.push(fixture.chat.find_invitation(token).await.is_ok());
        }
        let account_was_closed = *how == "disabled and enabled";
        assert_eq!(works, [!account_was_closed, false, false], "after {how}");
        let listed = fixture.chat.list_invitations(fixture.actor(&admin)).await.unwrap();
        let listed: Vec<Role> =
            listed.into_iter().filter(|one| one.inviter_id == second.user.id).map(|one| one.role).collect();
        assert_eq!(listed, if account_was_closed { vec![] } else { vec![Role::Client] }, "after {how}");
    }
}

#[tokio::test]
async fn an_invitation_of_an_account_that_was_closed_before_is_listed_and_comes_back_nowhere() {
    let fixture = ChatFixture::demo();
    let admin = fixture.sign_in("admin").await;
    let token = invite(&fixture, &fixture.sign_in("juriste1").await, Role::Client).await.unwrap().token;
    let conn = Connection::open(fixture.path()).unwrap();
    conn.execute("UPDATE users SET is_active = 0 WHERE id = 6", []).unwrap();
    assert!(fixture.chat.list_invitations(fixture.actor(&admin)).await.unwrap().is_empty(), "it can't be used");
    LocalAdmin::open(&fixture.path()).unwrap().set_active("juriste1@example.com", true).unwrap();
    assert!(fixture.chat.list_invitations(fixture.actor(&admin)).await.unwrap().is_empty());
    assert_eq!(fixture.chat.find_invitation(token).await.unwrap_err().reason, Reason::NotFound);
}

#[tokio::test]
async fn a_setup_link_says_nothing_once_there_is_an_administrator() {
    let fixture = ChatFixture::with(Settings { sign_in_rate: 0, ..Settings::default() }, Missing::CreateEmpty);
    let mut operator = LocalAdmin::open(&fixture.path()).unwrap();
    let link = operator.create_setup_link().unwrap_or_else(|refusal| panic!("{refusal}"));
    let person = NewPerson {
        name: "Anne Roux".to_owned(),
        email: "anne@example.org".to_owned(),
        role: Role::Admin,
        specialty: None,
        password: "une phrase assez longue".to_owned(),
    };
    operator.add_user(person).unwrap();
    let late = NewAccount { password: "short".to_owned(), ..guest("b@example.org") };
    assert_eq!(fixture.chat.set_up(link.token, late).await.unwrap_err().reason, Reason::NotFound);
}
