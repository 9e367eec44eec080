//! Who may ask what over HTTP: every operation of the contract × everybody. An operation without a row fails, and so does
//! a row without an operation.

use std::collections::BTreeSet;

use lexchat::api::openapi::DOCUMENT;
use serde_json::{Value, json};

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
    let (open, wrong) = ([200; 5], [400; 5]);
    let (own, members) = ([401, 200, 200, 200, 200], [401, 404, 404, 200, 200]);
    let administration = [401, 403, 200, 403, 403];
    vec![
        row("health.alive", "/healthz", none(), open),
        row("health.ready", "/readyz", none(), open),
        row("metrics.show", "/metrics", none(), open),
        row("openapi.show", "/openapi.json", none(), open),
        row("openapi.page", "/api", none(), open),
        row("auth.sign_in", "/auth/sign-in", json!({}), wrong),
        row("auth.sign_up", "/auth/sign-up", json!({}), wrong),
        row("auth.refresh", "/auth/refresh-token", json!({}), wrong),
        row("invitations.set_up", "/auth/setup", json!({}), wrong),
        row("invitations.accept", "/auth/accept-invitation", json!({}), wrong),
        row("invitations.load", "/invitations/abc", none(), [404; 5]),
        row("sessions.list", "/auth/sessions", none(), own),
        row("sessions.end", "/auth/sessions/99999", none(), [401, 404, 404, 404, 404]),
        row("users.me", "/users/me", none(), own),
        row("users.update_me", "/users/me", json!({}), own),
        row("users.change_password", "/users/me/password", wrong_password, [401, 400, 400, 400, 400]),
        row("users.list", "/users", none(), own),
        row("invitations.create", "/invitations", json!({"role": "client"}), [401, 403, 201, 201, 403]),
        row("invitations.list", "/invitations", none(), [401, 403, 200, 200, 403]),
        row("invitations.revoke", "/invitations/99999", none(), [401, 403, 404, 404, 403]),
        row("admin.list_users", "/admin/users", none(), administration),
        row("admin.status", "/admin/status", none(), administration),
        row("admin.update_user", "/admin/users/3", json!({}), administration),
        row("admin.end_sessions", "/admin/users/3/sessions", none(), [401, 403, 204, 403, 403]),
        row("conversations.list", "/conversations", none(), own),
        row("conversations.load", "/conversations/1", none(), members),
        row("conversations.mark_as_read", "/conversations/1/mark-as-read", none(), members),
        row("conversations.create", "/conversations", json!({"participantId": 6}), [401, 201, 409, 409, 200]),
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
        row("attachments.download", "/attachments/1/a.txt", none(), members),
        row("attachments.link", "/attachments/1/link", none(), members),
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
    path.replace("s/1", "s/77777").replace("Id=1", "Id=77777")
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
            let reply = ask(&server, &row, row.path, person).await;
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
