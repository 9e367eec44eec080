//! Who may ask what over HTTP: every operation of the contract × everybody. An operation without a row fails, and so does
//! a row without an operation.

use std::collections::BTreeSet;

use lexchat::api::openapi::DOCUMENT;
use serde_json::{Value, json};

use crate::billing;
use crate::harness::server::Server;
use crate::support::http::{self, Reply};
use crate::support::people::Person;

/// What an operation answers to nobody, to a client and an administrator outside of conversation 1, and to its two
/// members: the jurist, then the client, who wrote message 1 and sent file 1.
struct Row {
    operation: &'static str,
    path: &'static str,
    body: Value,
    nobody: u16,
    stranger: u16,
    admin: u16,
    jurist: u16,
    author: u16,
}

/// The rows, in an order in which none spoils the next.
fn rows() -> Vec<Row> {
    let row = |operation, path, body, [nobody, stranger, admin, jurist, author]: [u16; 5]| Row {
        operation,
        path,
        body,
        nobody,
        stranger,
        admin,
        jurist,
        author,
    };
    let none = || Value::Null;
    let wrong_password = json!({"current": "faux", "next": "une phrase assez longue"});
    let other_address = json!({"email": "a@cabinet.fr", "password": "faux"});
    let app = json!({"kind": "fcm", "registration": "cDEFabcdefghijklmnopqr:APA91bH"});
    let (open, wrong) = ([200; 5], [400; 5]);
    let (own, members) = ([401, 200, 200, 200, 200], [401, 404, 404, 200, 200]);
    let administration = [401, 403, 200, 403, 403];
    let (seen, drafts) = ([401, 404, 200, 200, 200], [401, 404, 404, 200, 404]);
    let cent = json!({"method": "transfer", "amountCents": 1, "date": "2026-01-31"});
    let credit = json!({"reason": "geste", "lines": [{"lineId": 1, "netCents": 1}]});
    let platform = json!({"platform": "PA", "reference": "1", "date": "2026-01-31"});
    vec![
        row("health.alive", "/healthz", none(), open),
        row("health.ready", "/readyz", none(), open),
        row("metrics.show", "/metrics", none(), open),
        row("openapi.show", "/openapi.json", none(), open),
        row("page.show", "/api", none(), open),
        row("auth.sign_in", "/auth/sign-in", json!({}), wrong),
        row("auth.sign_up", "/auth/sign-up", json!({}), wrong),
        row("auth.refresh", "/auth/refresh-token", json!({}), wrong),
        row("invitations.set_up", "/auth/setup", json!({}), wrong),
        row("invitations.accept", "/auth/accept-invitation", json!({}), wrong),
        row("auth.forgot_password", "/auth/forgot-password", json!({}), wrong),
        row("auth.reset_password", "/auth/reset-password", json!({}), wrong),
        row("auth.confirm_email", "/auth/confirm-email", json!({}), wrong),
        row("invitations.load", "/invitations/abc", none(), [404; 5]),
        row("sessions.list", "/auth/sessions", none(), own),
        row("sessions.end", "/auth/sessions/99999", none(), [401, 404, 404, 404, 404]),
        row("users.me", "/users/me", none(), own),
        row("users.update_me", "/users/me", json!({}), own),
        row("users.change_password", "/users/me/password", wrong_password, [401, 400, 400, 400, 400]),
        row("users.change_email", "/users/me/email", other_address, [401, 400, 400, 400, 400]),
        row("users.confirm_own_email", "/users/me/email/confirmation", none(), [401, 409, 409, 409, 409]),
        row("users.list", "/users", none(), own),
        row("invitations.create", "/invitations", json!({"role": "client"}), [401, 403, 201, 201, 403]),
        row("invitations.list", "/invitations", none(), [401, 403, 200, 200, 403]),
        row("invitations.revoke", "/invitations/99999", none(), [401, 403, 404, 404, 403]),
        row("admin.list_users", "/admin/users", none(), administration),
        row("admin.status", "/admin/status", none(), administration),
        row("admin.update_user", "/admin/users/3", json!({}), administration),
        row("admin.end_sessions", "/admin/users/3/sessions", none(), [401, 403, 204, 403, 403]),
        row("admin.list_deliveries", "/admin/deliveries", none(), administration),
        row("admin.retry_delivery", "/admin/deliveries/99999/retry", none(), [401, 403, 404, 403, 403]),
        row("admin.test_mail", "/admin/test-mail", json!({"to": "a@cabinet.fr"}), [401, 403, 409, 403, 403]),
        row("notifications.settings", "/notifications/settings", none(), own),
        row("notifications.update_settings", "/notifications/settings", json!({}), own),
        row("notifications.list_conversations", "/notifications/conversations?tags=abc", none(), own),
        row("notifications.list_devices", "/notifications/devices", none(), own),
        row("notifications.register_device", "/notifications/devices", app, [401, 409, 409, 409, 409]),
        row("notifications.test_device", "/notifications/devices/99999/test", none(), [401, 404, 404, 404, 404]),
        row("notifications.remove_device", "/notifications/devices/99999", none(), [401, 404, 404, 404, 404]),
        row("notifications.show_unsubscribe", "/notifications/unsubscribe/abc", none(), [404; 5]),
        row("notifications.unsubscribe", "/notifications/unsubscribe/abc", none(), [404; 5]),
        row("conversations.list", "/conversations", none(), own),
        row("conversations.load", "/conversations/1", none(), members),
        row("conversations.update_settings", "/conversations/1/settings", json!({"mutedUntil": null}), members),
        row("conversations.mark_as_unread", "/conversations/1/mark-as-unread", json!({"messageId": 1}), members),
        row("conversations.mark_as_read", "/conversations/1/mark-as-read", none(), members),
        row("files.list", "/conversations/1/files", none(), members),
        row("files.download", "/conversations/1/files.zip", none(), members),
        row("export.download", "/conversations/1/export", none(), members),
        row("export.link", "/conversations/1/link", json!({"what": "files"}), members),
        row("conversations.create", "/conversations", json!({"participantId": 6}), [401, 201, 409, 409, 200]),
        row("calls.start", "/conversations/1/calls", json!({"media": "audio"}), [401, 404, 404, 201, 200]),
        row("calls.list", "/calls", none(), own),
        row("calls.load", "/calls/1", none(), members),
        row("calls.join", "/calls/1/join", none(), [401, 404, 404, 409, 409]),
        row("calls.decline", "/calls/1/decline", none(), [401, 404, 404, 403, 409]),
        row("calls.leave", "/calls/1/leave", none(), members),
        row("calls.end", "/calls/1/end", none(), members),
        row("recordings.record", "/calls/1/recording", json!({"consent": false}), members),
        row("recordings.progress", "/calls/1/recording", none(), members),
        row("recordings.store_part", "/calls/1/recording/parts/0", json!({}), [401, 404, 404, 403, 403]),
        row("recordings.finish", "/calls/1/recording/finish", none(), [401, 404, 404, 403, 403]),
        row("recordings.delete", "/calls/1/recording", none(), members),
        row("messages.list", "/messages?conversationId=1", none(), members),
        row("messages.search", "/messages/search?q=premier&conversationId=1", none(), members),
        row("messages.load", "/messages/1", none(), members),
        row("messages.list_revisions", "/messages/1/revisions", none(), members),
        row("messages.mark_as_read", "/messages/1/mark-as-read", none(), members),
        row("messages.add_reaction", "/messages/1/reactions/%F0%9F%91%8D", none(), members),
        row("messages.remove_reaction", "/messages/1/reactions/%F0%9F%91%8D", none(), members),
        row("messages.send", "/messages", json!({"conversationId": 1, "content": "x"}), [401, 404, 404, 201, 201]),
        row("messages.edit", "/messages/1", json!({"content": "y"}), [401, 404, 404, 403, 200]),
        row("attachments.upload", "/attachments?conversationId=1&name=b.txt", json!({}), [401, 404, 404, 201, 201]),
        row("attachments.progress", "/attachments/1", none(), [401, 404, 404, 404, 200]),
        row("attachments.resume", "/attachments/1?offset=0", none(), [401, 404, 404, 404, 409]),
        row("attachments.discard", "/attachments/1", none(), [401, 404, 404, 404, 404]),
        row("attachments.download", "/attachments/1/a.txt", none(), members),
        row("attachments.link", "/attachments/1/link", none(), members),
        row("practice.show", "/admin/practice", none(), administration),
        row("practice.update", "/admin/practice", json!({"name": "Cabinet"}), administration),
        row("practice.resume", "/admin/invoices/resume", none(), [401, 403, 409, 403, 403]),
        row("exports.export", "/admin/invoices/export?from=2026-01-01&to=2026-01-31", none(), administration),
        row("buyers.show", "/users/1/billing", none(), members),
        row("buyers.update", "/users/1/billing", json!({}), members),
        row("invoices.list", "/invoices", none(), own),
        row("invoices.create", "/invoices", billing::draft(1), [401, 404, 404, 201, 403]),
        row("invoices.load", "/invoices/{issued}", none(), seen),
        row("transfer.show", "/invoices/{issued}/transfer", none(), seen),
        row("invoices.link", "/invoices/{issued}/link", none(), seen),
        row("documents.pdf", "/invoices/{issued}/document.pdf", none(), seen),
        row("documents.xml", "/invoices/{issued}/factur-x.xml", none(), seen),
        row("documents.preview", "/invoices/{draft}/preview.pdf", none(), drafts),
        row("invoices.update", "/invoices/{draft}", json!({"note": "Merci"}), drafts),
        row("invoices.issue", "/invoices/{draft}/issue", none(), [401, 404, 404, 200, 403]),
        row("invoices.delete", "/invoices/{second}", none(), [401, 404, 404, 204, 404]),
        row("money.checkout", "/invoices/{issued}/checkout", none(), [401, 404, 403, 403, 409]),
        row("money.record", "/invoices/{issued}/payments", cent, [401, 404, 201, 201, 403]),
        row("money.reverse", "/payments/{payment}", json!({"reason": "erreur"}), [401, 404, 200, 409, 403]),
        row("money.refund", "/invoices/{issued}/refund", json!({"amountCents": 1}), [401, 404, 409, 409, 403]),
        row("invoices.remind", "/invoices/{issued}/remind", none(), [401, 404, 403, 200, 403]),
        row("invoices.credit", "/invoices/{issued}/credit", credit, [401, 404, 201, 201, 403]),
        row("invoices.transmitted", "/invoices/{issued}/transmitted", platform, [401, 404, 200, 200, 403]),
        row("hooks.stripe", "/hooks/stripe", json!({}), [404; 5]),
        row("call_hooks.jibri", "/hooks/jibri", json!({}), [404; 5]),
        row("call_hooks.jaas", "/hooks/jaas", json!({}), [404; 5]),
        row("messages.delete", "/messages/1", none(), [401, 404, 404, 403, 200]),
        row("auth.sign_out", "/auth/sign-out", none(), [401, 204, 204, 204, 204]),
    ]
}

/// The method of each operation, by the contract.
fn method_of(operation: &str) -> String {
    let document: Value = serde_json::from_str(DOCUMENT).expect("the contract");
    for operations in document["paths"].as_object().expect("paths").values() {
        for (method, described) in operations.as_object().expect("operations") {
            if described["operationId"] == operation {
                return method.to_uppercase();
            }
        }
    }
    panic!("{operation} is not in the contract");
}

/// The same address with an id that nothing has.
fn elsewhere(path: &str) -> String {
    let path = path.replace("s/1", "s/77777").replace("Id=1", "Id=77777");
    billing::NAMES.iter().fold(path, |path, name| path.replace(name, "77777"))
}

async fn ask(server: &Server, row: &Row, path: &str, person: Option<&Person>) -> Reply {
    let mut ask = http::ask(server.at, &method_of(row.operation), path);
    if let Some(person) = person {
        ask = ask.token(&person.token);
    }
    if row.body.is_null() { ask.send().await } else { ask.json(&row.body).send().await }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_answers_everybody_as_the_table_says() {
    let server = Server::start_with(&["--message-rate", "0", "--sign-in-rate", "1000"]).await;
    let mut pair = server.pair().await;
    pair.say("le premier").await;
    let file = http::ask(server.at, "POST", "/attachments?conversationId=1&name=a.txt").token(&pair.client.token);
    file.body(b"bonjour".to_vec()).send().await.expect(201);
    // Its message makes the file everybody's in the conversation.
    let with_file = json!({"conversationId": 1, "content": "", "files": [1]});
    server.request(&pair.client, "POST", "/messages", Some(&with_file)).await.expect(201);
    let (stranger, admin) = (server.sign_in("client2").await, server.sign_in("admin").await);
    let disabled = server.sign_in("client5").await;
    let bills = billing::bills(&server, &admin, &pair).await;
    let named = |path: &str| {
        let pairs = billing::NAMES.iter().zip(&bills);
        pairs.fold(path.to_owned(), |path, (name, id)| path.replace(name, &id.to_string()))
    };
    server.request(&admin, "PATCH", "/admin/users/5", Some(&json!({"isActive": false}))).await.expect(200);
    for row in rows() {
        let everybody = [
            ("nobody", None, row.nobody),
            ("somebody disabled", Some(&disabled), row.nobody),
            ("a stranger", Some(&stranger), row.stranger),
            ("an administrator", Some(&admin), row.admin),
            ("the jurist", Some(&pair.jurist), row.jurist),
            ("the author", Some(&pair.client), row.author),
        ];
        for (who, person, status) in everybody {
            let reply = ask(&server, &row, &named(row.path), person).await;
            assert_eq!(reply.status, status, "{} as {who}: {}", row.operation, reply.text());
            if status == 404 {
                let missing = ask(&server, &row, &elsewhere(row.path), person).await;
                assert_eq!(missing.body, reply.body, "{} as {who}: foreign and missing differ", row.operation);
            }
        }
    }
    server.stop().await;
}

#[test]
fn every_operation_has_a_row_and_every_row_an_operation() {
    let document: Value = serde_json::from_str(DOCUMENT).expect("the contract");
    let operations = document["paths"].as_object().expect("paths").values().flat_map(|path| {
        path.as_object()
            .expect("operations")
            .values()
            .map(|described| described["operationId"].as_str().expect("a name"))
    });
    let rows = rows();
    assert_eq!(operations.collect::<BTreeSet<_>>(), rows.iter().map(|row| row.operation).collect::<BTreeSet<_>>());
}
