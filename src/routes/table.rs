//! Every address that the server answers: one match over method and path.

use std::pin::Pin;

use hyper::Method;

use crate::api::billing::{buyers, documents, exports, hooks, invoices, money, practice, transfer};
use crate::api::call::Call;
use crate::api::reply::Answer;
use crate::api::{
    admin, attachments, auth, call_hooks, calls, conversations, export, files, health, invitations, messages, metrics,
    notifications, openapi, page, recordings, sessions, users,
};
use crate::assets;

/// The methods that any address is answered for.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// Where a request goes.
pub(super) struct Route {
    /// `noun::verb`, as logs and metrics have it.
    pub name: &'static str,
    /// What answers it.
    pub to: To,
}

/// Makes the answer of the API, when it is called.
pub(super) type Handler = Box<dyn FnOnce(Call) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send>;

/// What answers a request.
pub(super) enum To {
    /// The API.
    Api(Handler),
    /// The protocol's endpoint.
    Sockets,
    /// The page.
    Page,
    /// A file of the page.
    File(String),
    /// A file of the official browser client.
    BrowserClient(String),
}

/// `to!(noun::verb, argument…)`: a route named after its handler. Arguments are made at once, the answer on call.
macro_rules! to {
    ($noun:ident :: $verb:ident) => {
        to!(@ $noun::$verb, |call| $noun::$verb(call))
    };
    ($noun:ident :: $verb:ident, $first:expr) => {{
        let first = $first;
        to!(@ $noun::$verb, move |call| $noun::$verb(call, first))
    }};
    ($noun:ident :: $verb:ident, $first:expr, $second:expr) => {{
        let (first, second) = ($first, $second);
        to!(@ $noun::$verb, move |call| $noun::$verb(call, first, second))
    }};
    (@ $noun:ident :: $verb:ident, $start:expr) => {
        Route {
            name: concat!(stringify!($noun), "::", stringify!($verb)),
            to: To::Api(Box::new(move |call| Box::pin($start(call)))),
        }
    };
}

/// Every address that the server answers. A segment that should be an id and is none leads nowhere.
pub(super) fn find(method: &Method, path: &[&str]) -> Option<Route> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    Some(match (method.as_str(), path) {
        ("POST", ["auth", "sign-in"]) => to!(auth::sign_in),
        ("POST", ["auth", "sign-up"]) => to!(auth::sign_up),
        ("POST", ["auth", "refresh-token"]) => to!(auth::refresh),
        ("POST", ["auth", "sign-out"]) => to!(auth::sign_out),
        ("GET", ["auth", "sessions"]) => to!(sessions::list),
        ("DELETE", ["auth", "sessions", id]) => to!(sessions::end, id.parse().ok()?),

        ("POST", ["auth", "forgot-password"]) => to!(auth::forgot_password),
        ("POST", ["auth", "reset-password"]) => to!(auth::reset_password),
        ("POST", ["auth", "confirm-email"]) => to!(auth::confirm_email),
        ("POST", ["auth", "setup"]) => to!(invitations::set_up),
        ("POST", ["auth", "accept-invitation"]) => to!(invitations::accept),
        ("POST", ["invitations"]) => to!(invitations::create),
        ("GET", ["invitations"]) => to!(invitations::list),
        ("DELETE", ["invitations", id]) => to!(invitations::revoke, id.parse().ok()?),
        ("GET", ["invitations", token]) => to!(invitations::load, (*token).to_owned()),

        ("GET", ["admin", "users"]) => to!(admin::list_users),
        ("PATCH", ["admin", "users", id]) => to!(admin::update_user, id.parse().ok()?),
        ("DELETE", ["admin", "users", id, "sessions"]) => to!(admin::end_sessions, id.parse().ok()?),
        ("GET", ["admin", "deliveries"]) => to!(admin::list_deliveries),
        ("POST", ["admin", "deliveries", id, "retry"]) => to!(admin::retry_delivery, id.parse().ok()?),
        ("POST", ["admin", "test-mail"]) => to!(admin::test_mail),
        ("GET", ["admin", "status"]) => to!(admin::status),

        ("GET", ["admin", "practice"]) => to!(practice::show),
        ("PATCH", ["admin", "practice"]) => to!(practice::update),
        ("GET", ["admin", "invoices", "export"]) => to!(exports::export),
        ("POST", ["admin", "invoices", "resume"]) => to!(practice::resume),
        ("GET", ["users", id, "billing"]) => to!(buyers::show, id.parse().ok()?),
        ("PATCH", ["users", id, "billing"]) => to!(buyers::update, id.parse().ok()?),
        ("GET", ["invoices"]) => to!(invoices::list),
        ("POST", ["invoices"]) => to!(invoices::create),
        ("GET", ["invoices", id]) => to!(invoices::load, id.parse().ok()?),
        ("PATCH", ["invoices", id]) => to!(invoices::update, id.parse().ok()?),
        ("DELETE", ["invoices", id]) => to!(invoices::delete, id.parse().ok()?),
        ("GET", ["invoices", id, "preview.pdf"]) => to!(documents::preview, id.parse().ok()?),
        ("POST", ["invoices", id, "issue"]) => to!(invoices::issue, id.parse().ok()?),
        ("GET", ["invoices", id, "document.pdf"]) => to!(documents::pdf, id.parse().ok()?),
        ("GET", ["invoices", id, "factur-x.xml"]) => to!(documents::xml, id.parse().ok()?),
        ("GET", ["invoices", id, "transfer"]) => to!(transfer::show, id.parse().ok()?),
        ("POST", ["invoices", id, "link"]) => to!(invoices::link, id.parse().ok()?),
        ("POST", ["invoices", id, "checkout"]) => to!(money::checkout, id.parse().ok()?),
        ("POST", ["invoices", id, "payments"]) => to!(money::record, id.parse().ok()?),
        ("DELETE", ["payments", id]) => to!(money::reverse, id.parse().ok()?),
        ("POST", ["invoices", id, "remind"]) => to!(invoices::remind, id.parse().ok()?),
        ("POST", ["invoices", id, "credit"]) => to!(invoices::credit, id.parse().ok()?),
        ("POST", ["invoices", id, "refund"]) => to!(money::refund, id.parse().ok()?),
        ("POST", ["invoices", id, "transmitted"]) => to!(invoices::transmitted, id.parse().ok()?),
        ("POST", ["hooks", "stripe"]) => to!(hooks::stripe),

        ("GET", ["users"]) => to!(users::list),
        ("GET", ["users", "me"]) => to!(users::me),
        ("PATCH", ["users", "me"]) => to!(users::update_me),
        ("POST", ["users", "me", "email"]) => to!(users::change_email),
        ("POST", ["users", "me", "email", "confirmation"]) => to!(users::confirm_own_email),
        ("POST", ["users", "me", "password"]) => to!(users::change_password),

        ("POST", ["conversations"]) => to!(conversations::create),
        ("GET", ["conversations"]) => to!(conversations::list),
        ("GET", ["conversations", id]) => to!(conversations::load, id.parse().ok()?),
        ("GET", ["conversations", id, "files"]) => to!(files::list, id.parse().ok()?),
        ("GET", ["conversations", id, "files.zip"]) => to!(files::download, id.parse().ok()?),
        ("PATCH", ["conversations", id, "settings"]) => to!(conversations::update_settings, id.parse().ok()?),
        ("GET", ["conversations", id, "export"]) => to!(export::download, id.parse().ok()?),
        ("POST", ["conversations", id, "link"]) => to!(export::link, id.parse().ok()?),
        ("PATCH", ["conversations", id, "mark-as-read"]) => to!(conversations::mark_as_read, id.parse().ok()?),
        ("POST", ["conversations", id, "mark-as-unread"]) => to!(conversations::mark_as_unread, id.parse().ok()?),

        ("GET", ["notifications", "settings"]) => to!(notifications::settings),
        ("PATCH", ["notifications", "settings"]) => to!(notifications::update_settings),
        ("GET", ["notifications", "conversations"]) => to!(notifications::list_conversations),
        ("GET", ["notifications", "devices"]) => to!(notifications::list_devices),
        ("POST", ["notifications", "devices"]) => to!(notifications::register_device),
        ("POST", ["notifications", "devices", id, "test"]) => to!(notifications::test_device, id.parse().ok()?),
        ("GET", ["notifications", "unsubscribe", token]) => {
            to!(notifications::show_unsubscribe, (*token).to_owned())
        }
        ("POST", ["notifications", "unsubscribe", token]) => to!(notifications::unsubscribe, (*token).to_owned()),
        ("DELETE", ["notifications", "devices", id]) => to!(notifications::remove_device, id.parse().ok()?),

        ("POST", ["conversations", id, "calls"]) => to!(calls::start, id.parse().ok()?),
        ("GET", ["calls"]) => to!(calls::list),
        ("GET", ["calls", id]) => to!(calls::load, id.parse().ok()?),
        ("POST", ["calls", id, "join"]) => to!(calls::join, id.parse().ok()?),
        ("POST", ["calls", id, "decline"]) => to!(calls::decline, id.parse().ok()?),
        ("POST", ["calls", id, "leave"]) => to!(calls::leave, id.parse().ok()?),
        ("POST", ["calls", id, "end"]) => to!(calls::end, id.parse().ok()?),

        ("POST", ["hooks", "jibri"]) => to!(call_hooks::jibri),
        ("POST", ["hooks", "jaas"]) => to!(call_hooks::jaas),
        ("POST", ["calls", id, "recording"]) => to!(recordings::record, id.parse().ok()?),
        ("GET", ["calls", id, "recording"]) => to!(recordings::progress, id.parse().ok()?),
        ("DELETE", ["calls", id, "recording"]) => to!(recordings::delete, id.parse().ok()?),
        ("POST", ["calls", id, "recording", "finish"]) => to!(recordings::finish, id.parse().ok()?),
        ("PUT", ["calls", id, "recording", "parts", n]) => {
            to!(recordings::store_part, id.parse().ok()?, part_number(n)?)
        }

        ("GET", ["messages"]) => to!(messages::list),
        ("POST", ["messages"]) => to!(messages::send),
        ("GET", ["messages", "search"]) => to!(messages::search),
        ("GET", ["messages", id]) => to!(messages::load, id.parse().ok()?),
        ("PATCH", ["messages", id]) => to!(messages::edit, id.parse().ok()?),
        ("DELETE", ["messages", id]) => to!(messages::delete, id.parse().ok()?),
        ("GET", ["messages", id, "revisions"]) => to!(messages::list_revisions, id.parse().ok()?),
        ("PATCH", ["messages", id, "mark-as-read"]) => to!(messages::mark_as_read, id.parse().ok()?),
        ("PUT", ["messages", id, "reactions", emoji]) => {
            to!(messages::add_reaction, id.parse().ok()?, (*emoji).to_owned())
        }
        ("DELETE", ["messages", id, "reactions", emoji]) => {
            to!(messages::remove_reaction, id.parse().ok()?, (*emoji).to_owned())
        }

        ("POST", ["attachments"]) => to!(attachments::upload),
        ("GET", ["attachments", id]) => to!(attachments::progress, id.parse().ok()?),
        ("PATCH", ["attachments", id]) => to!(attachments::resume, id.parse().ok()?),
        ("DELETE", ["attachments", id]) => to!(attachments::discard, id.parse().ok()?),
        ("GET", ["attachments", id, name]) => to!(attachments::download, id.parse().ok()?, (*name).to_owned()),
        ("POST", ["attachments", id, "link"]) => to!(attachments::link, id.parse().ok()?),

        ("GET", ["healthz"]) => to!(health::alive),
        ("GET", ["readyz"]) => to!(health::ready),
        ("GET", ["metrics"]) => to!(metrics::show),
        ("GET", ["openapi.json"]) => to!(openapi::show),
        ("GET", ["api"]) => to!(page::show),

        (_, ["socket.io"] | ["chat"]) => Route { name: "sockets", to: To::Sockets },
        ("GET", ["socket.io", file]) if assets::is_of_browser_client(file) => {
            Route { name: "browser_client", to: To::BrowserClient((*file).to_owned()) }
        }
        ("GET", [] | ["index.html" | "test-websocket.html"])
        | ("GET", ["recherche" | "partage" | "moi" | "admin" | "inscription" | "connexion" | "mot-de-passe"])
        | ("GET", ["factures"] | ["factures", _] | ["factures", "nouvelle", _])
        | ("GET", ["invitation" | "installation" | "mot-de-passe" | "confirmation", _] | ["c", _] | ["c", _, "m", _]) => {
            Route { name: "page", to: To::Page }
        }
        ("GET", file) if assets::exists(&file.join("/")) => Route { name: "file", to: To::File(file.join("/")) },
        _ => return None,
    })
}

/// The number of a part, as one writes it.
fn part_number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number: &u32| number.to_string() == text)
}

/// The methods that an address is answered for, but `OPTIONS`, which every address is.
pub(super) fn methods_of(path: &[&str]) -> Vec<&'static str> {
    METHODS
        .iter()
        .copied()
        .filter(|name| Method::from_bytes(name.as_bytes()).is_ok_and(|m| find(&m, path).is_some()))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hyper::Method;
    use serde_json::Value;

    use super::{To, find};
    use crate::api::openapi::DOCUMENT;
    use crate::http::request::segments;

    fn name_of(method: &Method, path: &str) -> Option<&'static str> {
        let segments = segments(path).unwrap();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        find(method, &path).map(|route| route.name)
    }

    /// The names of all routes of the API, read from the match itself.
    fn names() -> BTreeSet<String> {
        let arms = include_str!("table.rs").split("to!(").skip(1);
        let named = arms.map(|arm| arm.split([')', ',']).next().unwrap_or_default());
        named
            .filter(|name| name.contains("::") && !name.contains(['@', '$']) && *name != "noun::verb")
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_document_and_the_router_know_the_same_routes() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let mut described = BTreeSet::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            let example = path
                .replace("{id}", "7")
                .replace("{invitation}", "7")
                .replace("{emoji}", "%F0%9F%91%8D")
                .replace("{name}", "a.pdf")
                .replace("{n}", "0");
            for (method, operation) in operations.as_object().unwrap() {
                let method: Method = method.to_uppercase().parse().unwrap();
                let name = operation["operationId"].as_str().unwrap().replace('.', "::");
                assert_eq!(name_of(&method, &example), Some(name.as_str()), "{method} {path}");
                assert!(described.insert(name), "{path}: one operation, one name");
            }
        }
        assert_eq!(described, names());
    }

    #[test]
    fn what_should_be_an_id_and_is_none_leads_nowhere() {
        for path in [
            "/messages/x",
            "/messages/0",
            "/messages/-1",
            "/messages/1.0",
            "/messages/9007199254740992",
            "/messages/+1",
        ] {
            assert_eq!(name_of(&Method::GET, path), None, "{path}");
        }
        assert_eq!(name_of(&Method::HEAD, "/messages/1"), Some("messages::load"));
    }

    #[test]
    fn every_address_of_the_client_opens_the_page() {
        for path in [
            "/",
            "/test-websocket.html",
            "/c/3",
            "/c/3/m/14",
            "/recherche",
            "/partage",
            "/moi",
            "/admin",
            "/factures",
            "/factures/12",
            "/factures/nouvelle/3",
            "/inscription",
            "/connexion",
            "/invitation/abc",
            "/installation/abc",
            "/mot-de-passe",
            "/mot-de-passe/abc",
            "/confirmation/abc",
        ] {
            let segments = segments(path).unwrap();
            let path: Vec<&str> = segments.iter().map(String::as_str).collect();
            assert!(matches!(find(&Method::GET, &path).unwrap().to, To::Page), "{path:?}");
        }
    }
}
