//! Who may do what: each route and each event, asked by each kind of person.
//!
//! The tables have one row per route and event. The names come from the router and from the list of events, so that a
//! new one without a row fails; what is foreign and what is missing must answer alike, byte for byte.

use std::collections::{BTreeMap, BTreeSet};

use lexchat::chat::contract::catalogue::ASKED;
use serde_json::{Value, json};

use crate::billing;
use crate::security::stage::Stage;
use crate::support::http::{self, Ask, Reply};
use crate::support::people::{self, Person};
use crate::support::socket::{Failure, Socket};

/// The kinds of people, in the order of the tables' columns.
const WHO: [&str; 7] = ["anonymous", "author", "peer", "outsider", "other jurist", "disabled", "admin"];
/// An id that nothing has.
const MISSING: i64 = 987_654_321;

const OPEN: [u16; 7] = [200; 7];
const SIGNED_IN: [u16; 7] = [401, 200, 200, 200, 200, 401, 200];
const MEMBERS: [u16; 7] = [401, 200, 200, 404, 404, 401, 404];
const MEMBERS_MAKE: [u16; 7] = [401, 201, 201, 404, 404, 401, 404];
const AUTHOR: [u16; 7] = [401, 200, 403, 404, 404, 401, 404];
const BILL: [u16; 7] = [401, 200, 200, 404, 404, 401, 200];
const DRAFT: [u16; 7] = [401, 404, 200, 404, 404, 401, 404];
const SENDER: [u16; 7] = [401, 200, 404, 404, 404, 401, 404];
const ADMIN: [u16; 7] = [401, 403, 403, 403, 403, 401, 200];

/// What each person gets. Author and peer are the members of the conversation, the author wrote the message.
const ROUTES: &[(&str, [u16; 7])] = &[
    ("POST /auth/sign-in", OPEN),
    ("POST /auth/sign-up", [201; 7]),
    ("POST /auth/refresh-token", [401; 7]),
    ("POST /auth/sign-out", [401, 204, 204, 204, 204, 401, 204]),
    ("POST /auth/setup", [404; 7]),
    ("POST /auth/accept-invitation", [404; 7]),
    ("POST /auth/forgot-password", [409; 7]),
    ("POST /auth/reset-password", [404; 7]),
    ("POST /auth/confirm-email", [404; 7]),
    ("POST /users/me/email", [401, 400, 400, 400, 400, 401, 400]),
    ("POST /users/me/email/confirmation", [401, 409, 409, 409, 409, 401, 409]),
    ("GET /auth/sessions", SIGNED_IN),
    ("DELETE /auth/sessions/{}", [401, 204, 404, 404, 404, 401, 404]),
    ("GET /users/me", SIGNED_IN),
    ("PATCH /users/me", SIGNED_IN),
    ("POST /users/me/password", [401, 400, 400, 400, 400, 401, 400]),
    ("GET /users", SIGNED_IN),
    ("POST /conversations", [401, 200, 409, 201, 409, 401, 409]),
    ("GET /conversations", SIGNED_IN),
    ("GET /conversations/{}", MEMBERS),
    ("GET /conversations/{}/files", MEMBERS),
    ("GET /conversations/{}/files.zip", MEMBERS),
    ("GET /conversations/{}/export", MEMBERS),
    ("POST /conversations/{}/link", MEMBERS),
    ("PATCH /conversations/{}/mark-as-read", MEMBERS),
    ("POST /conversations/{}/mark-as-unread", MEMBERS),
    ("PATCH /conversations/{}/settings", MEMBERS),
    ("POST /conversations/{}/calls", [401, 201, 200, 404, 404, 401, 404]),
    ("GET /calls", SIGNED_IN),
    ("GET /calls/{}", MEMBERS),
    ("POST /calls/{}/join", [401, 409, 409, 404, 404, 401, 404]),
    ("POST /calls/{}/decline", [401, 403, 200, 404, 404, 401, 404]),
    ("POST /calls/{}/leave", MEMBERS),
    ("POST /calls/{}/end", MEMBERS),
    ("POST /calls/{}/recording", MEMBERS),
    ("GET /calls/{}/recording", MEMBERS),
    ("DELETE /calls/{}/recording", MEMBERS),
    ("PUT /calls/{}/recording/parts/{}", [401, 403, 403, 404, 404, 401, 404]),
    ("POST /calls/{}/recording/finish", [401, 403, 403, 404, 404, 401, 404]),
    ("GET /messages", MEMBERS),
    ("GET /messages/search", SIGNED_IN),
    ("POST /messages", MEMBERS_MAKE),
    ("GET /messages/{}", MEMBERS),
    ("GET /messages/{}/revisions", MEMBERS),
    ("PATCH /messages/{}", AUTHOR),
    ("PATCH /messages/{}/mark-as-read", MEMBERS),
    ("DELETE /messages/{}", AUTHOR),
    ("PUT /messages/{}/reactions/{}", MEMBERS),
    ("DELETE /messages/{}/reactions/{}", MEMBERS),
    ("GET /notifications/settings", SIGNED_IN),
    ("PATCH /notifications/settings", SIGNED_IN),
    ("GET /notifications/conversations", SIGNED_IN),
    ("GET /notifications/devices", SIGNED_IN),
    ("POST /notifications/devices", [401, 409, 409, 409, 409, 401, 409]),
    ("POST /notifications/devices/{}/test", [401, 404, 404, 404, 404, 401, 404]),
    ("GET /notifications/unsubscribe/{}", [404; 7]),
    ("POST /notifications/unsubscribe/{}", [404; 7]),
    ("GET /admin/deliveries", ADMIN),
    ("POST /admin/deliveries/{}/retry", [401, 403, 403, 403, 403, 401, 404]),
    ("POST /admin/test-mail", [401, 403, 403, 403, 403, 401, 409]),
    ("DELETE /notifications/devices/{}", [401, 404, 404, 404, 404, 401, 404]),
    ("POST /attachments", MEMBERS_MAKE),
    ("GET /attachments/{}", SENDER),
    ("PATCH /attachments/{}", [401, 409, 404, 404, 404, 401, 404]),
    ("DELETE /attachments/{}", [401, 404, 404, 404, 404, 401, 404]),
    ("GET /attachments/{}/{}", MEMBERS),
    ("POST /attachments/{}/link", MEMBERS),
    ("POST /invitations", [401, 403, 201, 403, 201, 401, 201]),
    ("GET /invitations", [401, 403, 200, 403, 200, 401, 200]),
    ("DELETE /invitations/{}", [401, 403, 204, 403, 404, 401, 204]),
    ("GET /invitations/{}", OPEN),
    ("GET /admin/users", ADMIN),
    ("PATCH /admin/users/{}", ADMIN),
    ("DELETE /admin/users/{}/sessions", [401, 403, 403, 403, 403, 401, 204]),
    ("GET /admin/status", ADMIN),
    ("GET /admin/practice", ADMIN),
    ("PATCH /admin/practice", ADMIN),
    ("GET /admin/invoices/export", ADMIN),
    ("POST /admin/invoices/resume", [401, 403, 403, 403, 403, 401, 409]),
    ("GET /users/{}/billing", MEMBERS),
    ("PATCH /users/{}/billing", MEMBERS),
    ("GET /invoices", SIGNED_IN),
    ("POST /invoices", [401, 403, 201, 404, 404, 401, 404]),
    ("GET /invoices/{}", BILL),
    ("PATCH /invoices/{}", DRAFT),
    ("DELETE /invoices/{}", [401, 404, 204, 404, 404, 401, 404]),
    ("GET /invoices/{}/preview.pdf", DRAFT),
    ("POST /invoices/{}/issue", DRAFT),
    ("GET /invoices/{}/document.pdf", BILL),
    ("GET /invoices/{}/factur-x.xml", BILL),
    ("GET /invoices/{}/transfer", BILL),
    ("POST /invoices/{}/link", BILL),
    ("POST /invoices/{}/checkout", [401, 409, 403, 404, 404, 401, 403]),
    ("POST /invoices/{}/payments", [401, 403, 201, 404, 404, 401, 201]),
    ("DELETE /payments/{}", [401, 403, 200, 404, 404, 401, 200]),
    ("POST /invoices/{}/remind", [401, 403, 200, 404, 404, 401, 403]),
    ("POST /invoices/{}/credit", [401, 403, 201, 404, 404, 401, 201]),
    ("POST /invoices/{}/refund", [401, 403, 409, 404, 404, 401, 409]),
    ("POST /invoices/{}/transmitted", [401, 403, 200, 404, 404, 401, 200]),
    ("POST /hooks/stripe", [404; 7]),
    ("POST /hooks/jibri", [404; 7]),
    ("POST /hooks/jaas", [404; 7]),
    ("GET /healthz", OPEN),
    ("GET /readyz", OPEN),
    ("GET /metrics", OPEN),
    ("GET /openapi.json", OPEN),
    ("GET /api", OPEN),
];

/// What each person's socket is answered: `ok`, a code, or `-` for who gets no socket.
const NOBODY: &str = "-";
const EVENTS_OF_MEMBERS: [&str; 7] = [NOBODY, "ok", "ok", "NOT_FOUND", "NOT_FOUND", NOBODY, "NOT_FOUND"];
const EVENTS_OF_AUTHOR: [&str; 7] = [NOBODY, "ok", "FORBIDDEN", "NOT_FOUND", "NOT_FOUND", NOBODY, "NOT_FOUND"];
const EVENTS_OF_ALL: [&str; 7] = [NOBODY, "ok", "ok", "ok", "ok", NOBODY, "ok"];

const ANSWERS: &[(&str, [&str; 7])] = &[
    ("conversation:join", EVENTS_OF_MEMBERS),
    ("conversation:leave", EVENTS_OF_MEMBERS),
    ("conversation:users:online", EVENTS_OF_MEMBERS),
    ("conversation:history", EVENTS_OF_MEMBERS),
    ("conversation:sync", EVENTS_OF_MEMBERS),
    ("conversation:unread", EVENTS_OF_MEMBERS),
    ("message:send", EVENTS_OF_MEMBERS),
    ("message:edit", EVENTS_OF_AUTHOR),
    ("message:delete", EVENTS_OF_AUTHOR),
    ("message:react", EVENTS_OF_MEMBERS),
    ("message:read", EVENTS_OF_MEMBERS),
    ("message:typing", EVENTS_OF_MEMBERS),
    ("message:search", EVENTS_OF_ALL),
    ("call:start", EVENTS_OF_MEMBERS),
    ("call:join", EVENTS_OF_MEMBERS),
    ("call:signal", EVENTS_OF_MEMBERS),
    ("call:decline", [NOBODY, "FORBIDDEN", "ok", "NOT_FOUND", "NOT_FOUND", NOBODY, "NOT_FOUND"]),
    ("call:leave", EVENTS_OF_MEMBERS),
    ("call:end", EVENTS_OF_MEMBERS),
    ("call:recording", EVENTS_OF_MEMBERS),
    ("auth:refresh", EVENTS_OF_ALL),
    ("presence:attention", EVENTS_OF_ALL),
];

/// A practice with one of each kind, and a conversation between author and peer.
struct Practice {
    stage: Stage,
    people: Vec<Option<Person>>,
    conversation: i64,
}

/// What a request may point at; made anew for each.
struct Things {
    conversation: i64,
    message: i64,
    attachment: i64,
    session: i64,
    call: i64,
    invitation: i64,
    invitation_token: String,
    user: i64,
    invoice: i64,
    payment: i64,
}

impl Practice {
    async fn open() -> Practice {
        let stage = Stage::with(&["--sign-in-rate", "100000"]).await;
        let to = stage.address();
        let mut people = vec![None];
        for who in ["client1", "juriste1", "client2", "juriste2", "client5", "admin"] {
            people.push(Some(people::sign_in(to, who).await));
        }
        let person = |at: usize| people[at].clone().expect("signed in");
        let conversation = people::conversation(to, &person(1), &person(2)).await;
        people::conversation(to, &person(3), &person(4)).await;
        people::conversation(to, &person(5), &person(2)).await;
        let off = http::ask(to, "PATCH", "/admin/users/5").token(&person(6).token);
        off.json(&json!({ "isActive": false })).send().await.expect(200);
        let bills = http::ask(to, "PATCH", "/admin/practice").token(&person(6).token);
        bills.json(&billing::practice()).send().await.expect(200);
        let buyer = http::ask(to, "PATCH", "/users/1/billing").token(&person(1).token);
        buyer.json(&billing::buyer()).send().await.expect(200);
        Practice { stage, people, conversation }
    }

    fn token(&self, who: usize) -> Option<&str> {
        self.people[who].as_ref().map(|person| person.token.as_str())
    }

    fn author(&self) -> &Person {
        self.people[1].as_ref().expect("signed in")
    }

    async fn things(&self, row: &str) -> Things {
        let to = self.stage.address();
        let token = &self.author().token;
        let upload = format!("/attachments?conversationId={}&name=a.txt", self.conversation);
        let upload = http::ask(to, "POST", &upload).token(token).body(b"octets".to_vec());
        let attachment = upload.send().await.expect(201).json();
        let say = json!({ "conversationId": self.conversation, "content": "à toi", "files": [attachment["id"]] });
        let message = http::post(to, "/messages", &say).token(token).send().await.expect(201).json();
        let peer = self.token(2).expect("signed in");
        // Nobody has more than some invitations open at once.
        let invitation = if row.contains("/invitations") {
            let invite = http::post(to, "/invitations", &json!({ "role": "client" })).token(peer);
            invite.send().await.expect(201).json()
        } else {
            json!({ "id": MISSING, "url": "none" })
        };
        let call = if row.contains("calls/") || row.starts_with("call:") { self.call(row).await } else { MISSING };
        let session = if row.contains("/auth/sessions/") { self.new_session().await } else { MISSING };
        let url = invitation["url"].as_str().expect("an address");
        let is_about_bills = row.contains("/invoices/{}") || row.contains("/payments/{}");
        let (invoice, payment) = if is_about_bills { self.bill(row).await } else { (MISSING, MISSING) };
        Things {
            invoice,
            payment,
            conversation: self.conversation,
            message: message["id"].as_i64().expect("an id"),
            attachment: attachment["id"].as_i64().expect("an id"),
            session,
            call,
            invitation: invitation["id"].as_i64().expect("an id"),
            invitation_token: url.rsplit('/').next().expect("a last segment").to_owned(),
            user: 5,
        }
    }

    /// A bill of the peer to the author, issued unless the row is about drafts, and a payment of it.
    async fn bill(&self, row: &str) -> (i64, i64) {
        let to = self.stage.address();
        let peer = self.token(2).expect("signed in");
        let post = |path: String, body: Value| async move { http::post(to, &path, &body).token(peer).send().await };
        let draft = post("/invoices".to_owned(), billing::draft(self.conversation)).await.expect(201).json();
        let invoice = draft["id"].as_i64().expect("an id");
        let of_drafts =
            ["PATCH /invoices/{}", "DELETE /invoices/{}", "GET /invoices/{}/preview.pdf", "POST /invoices/{}/issue"];
        if of_drafts.contains(&row) {
            return (invoice, MISSING);
        }
        post(format!("/invoices/{invoice}/issue"), json!({})).await.expect(200);
        let cent = json!({ "method": "transfer", "amountCents": 1, "date": "2026-01-31" });
        let paid = post(format!("/invoices/{invoice}/payments"), cent).await.expect(201).json();
        (invoice, paid["payments"][0]["id"].as_i64().expect("an id"))
    }

    /// A call between author and peer: one that the author has begun and that rings, where it may be declined; otherwise one
    /// that goes on.
    async fn call(&self, row: &str) -> i64 {
        if row == "call:start" {
            return MISSING;
        }
        let to = self.stage.address();
        let start = |token: &str| {
            let path = format!("/conversations/{}/calls", self.conversation);
            http::post(to, &path, &json!({ "media": "audio" })).token(token)
        };
        let (author, peer) = (self.author().token.as_str(), self.token(2).expect("signed in"));
        let live = http::get(to, "/calls?live=true").token(author).send().await.expect(200).json();
        let (live, must_ring) = (live[0].clone(), row.contains("decline"));
        let fits = live["state"] == if must_ring { "ringing" } else { "ongoing" };
        if must_ring && !fits && !live.is_null() {
            let path = format!("/calls/{}/end", live["id"]);
            http::ask(to, "POST", &path).token(author).send().await;
        }
        let call = match (must_ring, fits) {
            (_, true) => live,
            (true, false) => start(author).send().await.expect(201).json(),
            (false, false) if live.is_null() => {
                start(peer).send().await.expect(201);
                start(author).send().await.expect(200).json()
            }
            (false, false) => start(if live["startedBy"] == 1 { peer } else { author }).send().await.expect(200).json(),
        };
        call["id"].as_i64().expect("an id")
    }

    /// Another device of the author.
    async fn new_session(&self) -> i64 {
        let session = people::sign_in(self.stage.address(), "client1").await;
        let devices = http::get(self.stage.address(), "/auth/sessions").token(&session.token);
        let devices = devices.send().await.expect(200).json();
        let current = devices.as_array().into_iter().flatten().find(|device| device["isCurrent"] == true);
        current.and_then(|device| device["id"].as_i64()).expect("the device that asks")
    }
}

/// The request of a row, as it is sent. Numbers that nobody has are in `things` when the missing is asked for.
fn request(practice: &Practice, row: &str, things: &Things, who: usize) -> Ask {
    let to = practice.stage.address();
    let (method, pattern) = row.split_once(' ').expect("a method and a path");
    let fills = |ids: &[&dyn std::fmt::Display]| {
        let mut path = pattern.to_owned();
        for id in ids {
            path = path.replacen("{}", &id.to_string(), 1);
        }
        http::ask(to, method, &path)
    };
    let say = json!({ "content": "autre chose", "conversationId": things.conversation });
    match row {
        "POST /auth/sign-in" => {
            fills(&[]).json(&json!({ "email": practice.author().email, "password": people::PASSWORD }))
        }
        "POST /auth/sign-up" => {
            let email = format!("nouveau{who}@example.org");
            fills(&[]).json(&json!({ "name": "N", "email": email, "password": "une phrase assez longue" }))
        }
        "POST /auth/refresh-token" => fills(&[]).json(&json!({ "refreshToken": "x".repeat(43) })),
        "POST /auth/setup" | "POST /auth/accept-invitation" => {
            let email = format!("autre{who}@example.org");
            let token = "x".repeat(43);
            fills(&[])
                .json(&json!({ "token": token, "name": "N", "email": email, "password": "une phrase assez longue" }))
        }
        "POST /auth/forgot-password" => fills(&[]).json(&json!({ "email": practice.author().email })),
        "POST /auth/reset-password" | "POST /auth/confirm-email" => {
            fills(&[]).json(&json!({ "token": "x".repeat(43), "password": "une phrase assez longue" }))
        }
        "POST /users/me/email" => fills(&[]).json(&json!({ "email": "autre@example.org", "password": "pas celui-là" })),
        "POST /admin/test-mail" => fills(&[]).json(&json!({ "to": "autre@example.org" })),
        "PATCH /users/me" => fills(&[]).json(&json!({ "name": "Nouveau Nom" })),
        "POST /users/me/password" => {
            fills(&[]).json(&json!({ "current": "pas celui-là", "next": "une phrase assez longue" }))
        }
        "POST /conversations" => fills(&[]).json(&json!({ "participantId": 6 })),
        "GET /messages" => http::get(to, &format!("/messages?conversationId={}", things.conversation)),
        "GET /messages/search" => http::get(to, "/messages/search?q=toi"),
        "POST /messages" => fills(&[]).json(&say),
        "PATCH /messages/{}" => fills(&[&things.message]).json(&say),
        "POST /attachments" => {
            let path = format!("/attachments?conversationId={}&name=b.txt", things.conversation);
            http::ask(to, "POST", &path).body(b"octets".to_vec())
        }
        "PATCH /attachments/{}" => http::ask(to, "PATCH", &format!("/attachments/{}?offset=0", things.attachment)),
        "GET /attachments/{}/{}" => fills(&[&things.attachment, &"a.txt"]),
        "POST /conversations/{}/link" => fills(&[&things.conversation]).json(&json!({ "what": "files" })),
        "POST /conversations/{}/mark-as-unread" => {
            fills(&[&things.conversation]).json(&json!({ "messageId": things.message }))
        }
        "PATCH /conversations/{}/settings" => fills(&[&things.conversation]).json(&json!({ "mutedUntil": null })),
        "GET /notifications/conversations" => http::get(to, "/notifications/conversations?tags=abc"),
        "POST /notifications/devices" => {
            let keys = json!({ "p256dh": "x", "auth": "x" });
            fills(&[]).json(&json!({ "kind": "webpush", "endpoint": "https://push.example/x", "keys": keys }))
        }
        "POST /notifications/devices/{}/test"
        | "GET /notifications/unsubscribe/{}"
        | "POST /notifications/unsubscribe/{}"
        | "POST /admin/deliveries/{}/retry"
        | "DELETE /notifications/devices/{}" => fills(&[&MISSING]),
        "POST /conversations/{}/calls" => fills(&[&things.conversation]).json(&json!({ "media": "audio" })),
        "POST /calls/{}/recording" => fills(&[&things.call]).json(&json!({ "consent": false })),
        "PUT /calls/{}/recording/parts/{}" => fills(&[&things.call, &0]).body(b"octets".to_vec()),
        "POST /invitations" => fills(&[]).json(&json!({ "role": "client" })),
        "GET /invitations/{}" => fills(&[&things.invitation_token]),
        "PATCH /admin/users/{}" => fills(&[&things.user]).json(&json!({ "isActive": false })),
        "POST /invoices" => fills(&[]).json(&billing::draft(things.conversation)),
        "PATCH /admin/practice" | "PATCH /users/{}/billing" => fills(&[&1]).json(&json!({ "name": "Camille" })),
        "GET /users/{}/billing" => fills(&[&1]),
        "GET /admin/invoices/export" => http::get(to, "/admin/invoices/export?from=2026-01-01&to=2026-01-31"),
        "POST /invoices/{}/payments" => {
            fills(&[&things.invoice]).json(&json!({ "method": "transfer", "amountCents": 1, "date": "2026-01-31" }))
        }
        "POST /invoices/{}/credit" => fills(&[&things.invoice]).json(&json!({ "reason": "geste" })),
        "POST /invoices/{}/refund" => fills(&[&things.invoice]).json(&json!({ "amountCents": 1 })),
        "POST /invoices/{}/transmitted" => {
            fills(&[&things.invoice]).json(&json!({ "platform": "PA", "reference": "1", "date": "2026-01-31" }))
        }
        "PATCH /invoices/{}" => fills(&[&things.invoice]).json(&json!({ "note": "Merci" })),
        "DELETE /payments/{}" => fills(&[&things.payment]).json(&json!({ "reason": "erreur" })),
        _ if pattern.starts_with("/invoices/{}") => fills(&[&things.invoice]),
        _ if pattern.starts_with("/conversations/{}") => fills(&[&things.conversation]),
        _ if pattern.starts_with("/messages/{}") => fills(&[&things.message, &"%F0%9F%91%8D"]),
        _ if pattern.starts_with("/attachments/{}") => fills(&[&things.attachment]),
        _ if pattern.starts_with("/auth/sessions/{}") => fills(&[&things.session]),
        _ if pattern.starts_with("/calls/{}") => fills(&[&things.call]),
        _ if pattern.starts_with("/invitations/{}") => fills(&[&things.invitation]),
        _ if pattern.starts_with("/admin/users/{}") => fills(&[&things.user]),
        _ => fills(&[]),
    }
}

/// The same things, with numbers that nobody has.
fn missing(things: &Things) -> Things {
    Things {
        conversation: MISSING,
        message: MISSING,
        attachment: MISSING,
        session: MISSING,
        call: MISSING,
        invitation: MISSING,
        invitation_token: things.invitation_token.clone(),
        user: MISSING,
        invoice: MISSING,
        payment: MISSING,
    }
}

async fn send_as(practice: &Practice, ask: Ask, who: usize, row: &str) -> Reply {
    // A session that signs out is one of its own.
    if row == "POST /auth/sign-out" && !matches!(who, 0 | 5) {
        let email = practice.people[who].as_ref().expect("signed in").email.clone();
        let name = email.split('@').next().expect("a name").to_owned();
        let person = people::sign_in(practice.stage.address(), &name).await;
        return ask.token(&person.token).send().await;
    }
    match practice.token(who) {
        Some(token) => ask.token(token).send().await,
        None => ask.send().await,
    }
}

#[tokio::test]
async fn every_route_answers_each_person_as_the_table_says() {
    let practice = Practice::open().await;
    let mut wrong = Vec::new();
    for (row, expected) in ROUTES {
        for (who, status) in expected.iter().enumerate() {
            let things = practice.things(row).await;
            let reply = send_as(&practice, request(&practice, row, &things, who), who, row).await;
            if reply.status != *status {
                let text: String = reply.text().chars().take(200).collect();
                wrong.push(format!("{row} by {}: {} and not {status}: {text}", WHO[who], reply.status));
            }
            if *status == 404 && row.contains("{}") {
                let ask = request(&practice, row, &missing(&things), who);
                let none = send_as(&practice, ask, who, row).await;
                if (none.status, &none.body) != (reply.status, &reply.body) {
                    wrong.push(format!("{row} by {}: what is foreign and what is missing differ", WHO[who]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{} in all", wrong.join("\n"), wrong.len());
}

/// The data of an event that would be right for a member.
fn data(event: &str, things: &Things, token: &str) -> Value {
    let mut data = json!({
        "content": "autre chose", "emoji": "👍", "isTyping": true, "query": "toi", "rev": 0, "token": token,
        "limit": 10, "visible": true,
    });
    if event == "conversation:unread" {
        data["messageId"] = things.message.into();
    }
    let of_message = matches!(event, "message:edit" | "message:delete" | "message:react" | "message:read");
    if event.starts_with("call:") {
        data["callId"] = things.call.into();
        data["media"] = "audio".into();
        data["seat"] = "a".into();
        data["toSeat"] = "b".into();
        data["data"] = json!({});
        data["takeOver"] = true.into();
        data["consent"] = false.into();
    }
    if of_message {
        data["messageId"] = things.message.into();
    } else if event != "message:search" {
        data["conversationId"] = things.conversation.into();
    }
    data
}

fn outcome(ack: &Value) -> &str {
    if ack["success"] == true { "ok" } else { ack["code"].as_str().unwrap_or("nothing") }
}

#[tokio::test]
async fn every_event_answers_each_person_as_the_table_says() {
    let practice = Practice::open().await;
    let mut wrong = Vec::new();
    for (who, name) in WHO.iter().enumerate() {
        let token = practice.token(who).unwrap_or_default().to_owned();
        let socket = match Socket::open(practice.stage.address(), &token).await {
            Ok(socket) => Some(socket),
            Err(Failure::Refused(data)) => {
                assert_eq!(data["data"]["code"], "UNAUTHENTICATED", "{name}: {data}");
                None
            }
            Err(Failure::Transport(error)) => panic!("{name}: {error:?}"),
        };
        for (event, expected) in ANSWERS {
            let expected = expected[who];
            let Some(socket) = &socket else {
                assert_eq!(expected, NOBODY, "{name} has no socket for {event}");
                continue;
            };
            let things = practice.things(event).await;
            let ack = socket.ask(event, &data(event, &things, &token)).await;
            if outcome(&ack) != expected {
                wrong.push(format!("{event} by {name}: {ack} and not {expected}"));
            }
            if expected == "NOT_FOUND" {
                let none = socket.ask(event, &data(event, &missing(&things), &token)).await;
                if none != ack {
                    wrong.push(format!("{event} by {name}: foreign is {ack}, missing is {none}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{} in all", wrong.join("\n"), wrong.len());
}

/// Every `("METHOD", [segments]) => to!(…)` of the router, variables written as `{}`.
fn routes_of_the_router() -> BTreeSet<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes/table.rs");
    let text = std::fs::read_to_string(path).expect("the router");
    let find = &text[text.find("fn find(").expect("the match")..];
    let find = &find[..find.find("\n}\n").expect("its end")];
    let mut routes = BTreeSet::new();
    for arm in find.split("=>").collect::<Vec<_>>().windows(2) {
        let (pattern, body) = (arm[0], arm[1].trim_start().trim_start_matches(['{', ' ', '\n']));
        let Some(start) = pattern.rfind("(\"").filter(|_| body.starts_with("to!(")) else { continue };
        let (method, segments) = pattern[start + 2..].split_once("\", [").expect("a method and a path");
        let segments = segments.split(']').next().expect("closed");
        let path: Vec<String> = segments
            .split(',')
            .map(|segment| {
                segment.trim().strip_prefix('"').map_or("{}".into(), |name| name.trim_end_matches('"').into())
            })
            .collect();
        routes.insert(format!("{method} /{}", path.join("/")));
    }
    assert_eq!(routes.len(), find.matches("to!(").count(), "every arm was understood");
    routes
}

#[test]
fn no_route_or_event_is_without_a_row() {
    let rows: BTreeMap<&str, _> = ROUTES.iter().copied().collect();
    assert_eq!(rows.len(), ROUTES.len(), "no row twice");
    let routes = routes_of_the_router();
    let without: Vec<&String> = routes.iter().filter(|route| !rows.contains_key(route.as_str())).collect();
    assert!(without.is_empty(), "no row: {without:?}");
    let gone: Vec<&&str> = rows.keys().filter(|row| !routes.contains(**row)).collect();
    assert!(gone.is_empty(), "no such route: {gone:?}");
    let answered: BTreeSet<&str> = ANSWERS.iter().map(|(event, _)| *event).collect();
    assert_eq!(answered, ASKED.iter().map(|event| event.name).collect(), "events and rows");
}
