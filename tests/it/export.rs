//! A conversation taken out for the file: what was said, what became of it, and only for those who took part.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::server::{Pair, Server};
use crate::support::http::{self, Reply};

/// Two people with a text that was changed, one that was deleted, an answer, and a file.
async fn dossier() -> (Server, Pair) {
    let server = Server::start().await;
    let mut pair = server.pair().await;
    let first = pair.say("Le loyer est de 850 € <b>par mois</b>").await;
    let edit = json!({"content": "Le loyer est de 900 €"});
    server.request(&pair.client, "PATCH", &format!("/messages/{}", first["id"]), Some(&edit)).await.expect(200);
    let second = pair.say("à oublier").await;
    server.request(&pair.client, "DELETE", &format!("/messages/{}", second["id"]), None).await.expect(200);
    let upload = http::ask(server.at, "POST", "/attachments?conversationId=1&name=bail.pdf").token(&pair.jurist.token);
    let file = upload.body(b"%PDF-1.7 bail".to_vec()).send().await.expect(201).json();
    let answer =
        json!({"conversationId": 1, "content": "Bien reçu 👍 مرحبا", "files": [file["id"]], "replyToId": first["id"]});
    server.request(&pair.jurist, "POST", "/messages", Some(&answer)).await.expect(201);
    (server, pair)
}

async fn export(server: &Server, pair: &Pair, query: &str) -> Reply {
    server.request(&pair.client, "GET", &format!("/conversations/1/export?{query}"), None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_tells_authors_dates_edits_deletions_and_files() {
    let (server, pair) = dossier().await;
    let page = export(&server, &pair, "format=html").await.expect(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.header("content-disposition").is_some_and(|value| value.starts_with("attachment;")));
    let text = page.text();
    for said in [
        "Le loyer est de 900 €",
        "Modifié le ",
        "Le loyer est de 850 € &lt;b&gt;par mois&lt;/b&gt;",
        "Message supprimé le ",
        "bail.pdf (13 octets, application/pdf",
        "Bien reçu 👍 مرحبا",
        "En réponse au n° ",
    ] {
        assert!(text.contains(said), "{said} is missing: {text}");
    }
    assert!(!text.contains("<b>") && !text.contains("à oublier"), "{text}");
    assert!(text.ends_with("</html>\n"));
    let english = export(&server, &pair, "format=html&locale=en").await.expect(200).text();
    assert!(english.contains("Message deleted on "), "{english}");

    let data = export(&server, &pair, "format=json").await.expect(200).json();
    let messages = data["messages"].as_array().expect("messages");
    let edited = messages.iter().find(|one| one["content"] == "Le loyer est de 900 €").expect("the edited one");
    assert_eq!(edited["revisions"][0]["content"], "Le loyer est de 850 € <b>par mois</b>");
    assert_eq!(data["conversation"]["members"].as_array().map(Vec::len), Some(2));
    assert!(data["conversation"]["members"][0].get("email").is_none());
    // Who looks sees nothing that is told to somebody else alone.
    assert!(messages.iter().all(|one| one["senderId"] == pair.client.id || one["clientMessageId"].is_null()));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_messages_are_on_numbered_pages_within_two_seconds() {
    let server = Server::start().await;
    let pair = server.pair().await;
    for number in 0..1_000 {
        let message =
            json!({"conversationId": 1, "content": format!("Message {number} : {}", "quelques mots ".repeat(12))});
        server.request(&pair.client, "POST", "/messages", Some(&message)).await.expect(201);
    }
    let started = Instant::now();
    let paper = export(&server, &pair, "format=pdf").await.expect(200);
    // A debug build sets pages some ten times slower than what is released.
    let given = Duration::from_secs(if cfg!(debug_assertions) { 30 } else { 2 });
    assert!(started.elapsed() < given, "{:?}", started.elapsed());
    assert!(paper.body.starts_with(b"%PDF-1.7") && paper.body.trim_ascii_end().ends_with(b"%%EOF"));
    let pages = paper.body.windows(11).filter(|part| part == b"/Type /Page").count();
    assert!(pages > 50, "{pages}");
    let again = export(&server, &pair, "format=pdf").await.expect(200);
    assert!(again.body == paper.body, "the same state is the same paper");
    let whole = export(&server, &pair, "format=html").await.expect(200).text();
    assert!((0..1_000).all(|number| whole.contains(&format!("Message {number} : "))));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_is_days_of_the_readers_calendar_both_included() {
    let (server, pair) = dossier().await;
    let count = async |query: &str| {
        let data: Value = export(&server, &pair, &format!("format=json&{query}")).await.expect(200).json();
        data["messages"].as_array().expect("messages").len()
    };
    let all = count("").await;
    assert!(all >= 3);
    assert_eq!(count("from=1999-01-01&to=2999-01-01").await, all);
    assert_eq!(count("to=1999-12-31").await, 0);
    assert_eq!(count("from=2999-01-01").await, 0);
    let data = export(&server, &pair, "format=json&from=2026-11-28&to=2026-11-28&timeZone=Indian%2FReunion").await;
    let data = data.expect(200).json();
    assert_eq!((&data["from"], &data["to"]), (&json!("2026-11-27T20:00:00.000Z"), &json!("2026-11-28T19:59:59.999Z")));
    let empty = export(&server, &pair, "to=1999-12-31").await.expect(200).text();
    assert!(empty.contains("Aucun message dans cette période."));
    for (wrong, field) in
        [("format=docx", "format"), ("from=hier", "from"), ("to=2026-02-30", "to"), ("timeZone=Paris", "timeZone")]
    {
        let refused = export(&server, &pair, wrong).await.expect(400).json();
        assert_eq!(refused["details"][0]["field"], field, "{wrong}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_address_opens_one_export_of_one_conversation() {
    let (server, pair) = dossier().await;
    let wanted =
        json!({"what": "export", "format": "pdf", "from": "2020-01-01", "timeZone": "Europe/Paris", "locale": "en"});
    let link = server.request(&pair.client, "POST", "/conversations/1/link", Some(&wanted)).await.expect(200).json();
    let url = link["url"].as_str().expect("an address");
    let paper = http::get(server.at, url).send().await.expect(200);
    assert_eq!(paper.header("content-type"), Some("application/pdf"));
    let grant = &url[url.find("grant=").expect("a grant")..];
    for elsewhere in ["/conversations/1/files.zip", "/conversations/2/export"] {
        http::get(server.at, &format!("{elsewhere}?{grant}")).send().await.expect(401);
    }
    let files = server.request(&pair.client, "POST", "/conversations/1/link", Some(&json!({"what": "files"}))).await;
    let files = files.expect(200).json();
    let grant = files["url"].as_str().and_then(|url| url.split_once('?')).expect("a grant").1;
    http::get(server.at, &format!("/conversations/1/export?{grant}")).send().await.expect(401);
    let stranger = server.sign_in("client2").await;
    server.request(&stranger, "GET", "/conversations/1/export", None).await.expect(404);
    server.request(&stranger, "POST", "/conversations/1/link", Some(&wanted)).await.expect(404);
    http::get(server.at, "/conversations/1/export").send().await.expect(401);
    server.stop().await;
}
