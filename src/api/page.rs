//! `/api` for people: the OpenAPI document and the socket's events on one page, in French, without a script.

use std::fmt::Write as _;
use std::sync::LazyLock;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use serde_json::Value;

use crate::api::call::Call;
use crate::api::openapi::DOCUMENT;
use crate::api::reply::Answer;
use crate::chat::contract::catalogue::{ANNOUNCED, ASKED};
use crate::http::response;

const INTRODUCTION: &str = "\
<p>Les requêtes portent <code>Authorization: Bearer &lt;accessToken&gt;</code>, sauf celles marquées <em>ouverte</em>. \
Le même contrat, pour les machines : <a href=\"/openapi.json\">openapi.json</a>.</p>
<p>Le socket : Engine.IO v4 à <code>/socket.io/</code> (ou <code>/chat/</code>), Socket.IO v5, espace de noms \
<code>/chat</code>. Le jeton se donne par <code>query</code>, par <code>auth</code> ou par l’en-tête \
<code>Authorization</code>.</p>
<pre><code>const socket = io('/chat', { auth: { token } });
socket.emit('conversation:join', { conversationId: 1 }, (réponse) => console.log(réponse));
socket.on('message:new', ({ message }) => console.log(message.senderId, message.content));</code></pre>
";

/// `GET /api`
pub async fn show(_call: Call) -> Answer {
    let mut response = response::full(StatusCode::OK, "text/html; charset=utf-8", rendered());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// The page, rendered once.
fn rendered() -> Bytes {
    static PAGE: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(render()));
    PAGE.clone()
}

fn render() -> String {
    let document: Value = serde_json::from_str(DOCUMENT).expect("the document is tested");
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"fr\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>L’API de lexchat</title>\n<link rel=\"stylesheet\" href=\"/api.css\">\n</head>\n<body>\n<main>\n\
         <h1>L’API de lexchat</h1>\n",
    );
    page.push_str(INTRODUCTION);
    page.push_str(
        "<h2>HTTP</h2>\n<table>\n<thead><tr><th>Requête</th><th>Ce qu’elle fait</th><th>Réponses</th></tr></thead>\n",
    );
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            write_operation(&mut page, method, path, operation);
        }
    }
    page.push_str("</table>\n");
    let asked = ASKED.iter().map(|event| (event.name, event.data, event.ack.join(", ")));
    write_events(&mut page, "Du client au serveur", "Accusé, avec <code>success</code>", asked);
    let announced = ANNOUNCED.iter().map(|event| (event.name, event.data, event.to.to_owned()));
    write_events(&mut page, "Du serveur au client", "À qui, quand", announced);
    write_codes(&mut page, &document);
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn write_operation(page: &mut String, method: &str, path: &str, operation: &Value) {
    let open = if operation["security"].is_array() { " <em>ouverte</em>" } else { "" };
    let text = |value: &Value| escaped(value.as_str().unwrap_or_default());
    let (summary, description) = (text(&operation["summary"]), text(&operation["description"]));
    let statuses: Vec<&str> = operation["responses"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(status, _)| status.as_str())
        .filter(|status| *status != "default")
        .collect();
    let names: Vec<String> = named_fields(operation).into_iter().map(|name| escaped(&name)).collect();
    let fields = if names.is_empty() { String::new() } else { format!("<br><code>{}</code>", names.join(", ")) };
    writeln!(
        page,
        "<tr><td><code>{} {}</code>{open}</td><td>{summary}. {description}{fields}</td><td>{}</td></tr>",
        method.to_uppercase(),
        escaped(path),
        statuses.join(", "),
    )
    .expect("a String takes every text");
}

/// The names of what a request carries; `?` behind those that it may leave out.
fn named_fields(operation: &Value) -> Vec<String> {
    let shown = |name: &str, required: bool| if required { name.to_owned() } else { format!("{name}?") };
    let parameters = operation["parameters"].as_array().into_iter().flatten().filter(|p| p["in"] == "query");
    let mut names: Vec<String> =
        parameters.map(|p| shown(p["name"].as_str().unwrap_or_default(), p["required"] == true)).collect();
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let required: Vec<&Value> = schema["required"].as_array().into_iter().flatten().collect();
    for (name, _) in schema["properties"].as_object().into_iter().flatten() {
        names.push(shown(name, required.iter().any(|known| known.as_str() == Some(name))));
    }
    names
}

fn write_events(
    page: &mut String,
    title: &str,
    then: &str,
    events: impl Iterator<Item = (&'static str, &'static str, String)>,
) {
    write!(
        page,
        "<h2>{title}</h2>\n<table>\n<thead><tr><th>Événement</th><th>Données</th><th>{then}</th></tr></thead>\n"
    )
    .expect("a String takes every text");
    for (name, data, then) in events {
        let (name, data, then) = (escaped(name), escaped(data), escaped(&then));
        writeln!(page, "<tr><td><code>{name}</code></td><td><code>{data}</code></td><td>{then}</td></tr>")
            .expect("a String takes every text");
    }
    page.push_str("</table>\n");
}

fn write_codes(page: &mut String, document: &Value) {
    page.push_str("<h2>Codes de refus</h2>\n<p>");
    let codes = document["components"]["schemas"]["Code"]["enum"].as_array().into_iter().flatten();
    for code in codes.filter_map(Value::as_str) {
        write!(page, "<code>{code}</code> ").expect("a String takes every text");
    }
    page.push_str("</p>\n");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{escaped, render};

    #[test]
    fn the_page_names_every_kind_of_thing_and_brings_nothing_of_others() {
        let page = render();
        for named in ["POST /auth/sign-in", "message:send", "notification", "RATE_LIMITED", "conversationId, before?"] {
            assert!(page.contains(named), "{named}");
        }
        for foreign in ["<script", "http://", "https://", "style="] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(escaped("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
    }
}
