//! `lexchat doctor`: looks at the installation as people's browsers do, and says what is set up wrong and what mends it.
//!
//! Nothing is changed, and nobody is asked but the server, its public address, and the third parties that are set up by flags
//! or variables. A part of the product with something to be set up adds its row to `CHECKS`, a third party to `services`.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::api::diagnosis;
use crate::cli::maintenance::Doctor;
use crate::config::{origins, place};
use crate::http::certificate::Certificate;
use crate::http::listener::Listen;
use crate::http::probe;
use crate::http::visit::{self, Failure, Reply, Visit};
use crate::model::finding::{Finding, Verdict};
use crate::model::locale::Locale;
use crate::operator::services;
use crate::store::database::check;
use crate::store::database::error::OpenError;
use crate::store::database::file;

/// How far the clocks of two machines may be apart.
const CLOCKS_APART_MAX: Duration = Duration::from_secs(60);

/// What is looked at.
struct Patient {
    listen: Listen,
    public_url: Option<String>,
    database: PathBuf,
    /// What the public address answered for `/readyz`.
    outside: Option<Result<Reply, Failure>>,
}

/// A row: what it finds, or nothing where there is nothing to look at.
type Check = fn(&Patient) -> Vec<Finding>;

/// The rows, in the order in which they are printed.
const CHECKS: [Check; 9] = [server, database, disk, reachable, address, certificate, websocket, seen_from, clock];

/// All rows.
///
/// # Errors
/// What makes no sense in what was typed.
pub fn examine(typed: &Doctor) -> Result<Vec<Finding>, String> {
    let listen: Listen = typed.listen.parse().map_err(|wrong| format!("--listen: {wrong}"))?;
    let public_url = typed.public_url.as_deref().map(origins::url_origin).transpose();
    let public_url = public_url.map_err(|wrong| format!("--public-url: {wrong}"))?;
    let outside = public_url.as_deref().map(|url| visit::visit(url, &Visit { path: "/readyz", upgrade: false }));
    let database = place::database_of(&typed.database);
    let patient = Patient { listen, public_url, database, outside };
    let own = CHECKS.iter().flat_map(|check| check(&patient));
    Ok(own.chain(services::examine(typed, patient.public_url.as_deref())).collect())
}

fn server(patient: &Patient) -> Vec<Finding> {
    let listen = &patient.listen;
    vec![match probe::ask(listen, "/readyz") {
        None => Finding::fault(
            "server",
            Verdict::Bad,
            format!("nobody answers at {listen}"),
            "start `lexchat serve`, or say where it listens: --listen (LEXCHAT_LISTEN)",
        ),
        Some(answer) if answer.status == 200 => Finding::good("server", format!("it is ready at {listen}")),
        Some(answer) => Finding::fault(
            "server",
            Verdict::Bad,
            format!("it answers at {listen} and is not ready: {}", answer.body.trim()),
            "see its log; make room on the disk; restart it",
        ),
    }]
}

fn database(patient: &Patient) -> Vec<Finding> {
    let path = &patient.database;
    if let Err(refusal) = file::require(path) {
        let remedy = "say where it is: --db FILE (LEXCHAT_DB)";
        let (verdict, text) = match refusal {
            OpenError::Missing { path } => (Verdict::Warning, format!("there is no database at {}", path.display())),
            refusal => (Verdict::Bad, refusal.to_string()),
        };
        return vec![Finding::fault("database", verdict, text, remedy)];
    }
    vec![match check::check(path) {
        Ok(report) if report.faults.is_empty() => {
            Finding::good("database", format!("{} is sound: {} messages", path.display(), report.messages))
        }
        Ok(report) => Finding::fault(
            "database",
            Verdict::Bad,
            format!("{} has {} findings", path.display(), report.faults.len()),
            "`lexchat check` names them; put a backup in its place with `lexchat restore`",
        ),
        Err(refusal) => {
            Finding::fault("database", Verdict::Bad, refusal.to_string(), "--db FILE, or `lexchat restore`")
        }
    }]
}

fn disk(patient: &Patient) -> Vec<Finding> {
    let database = std::fs::metadata(&patient.database).map_or(0, |file| file.len());
    let free = file::free_bytes(&patient.database);
    free.map(|free| diagnosis::disk_row(free, database, Locale::English)).into_iter().collect()
}

fn reachable(patient: &Patient) -> Vec<Finding> {
    let (Some(url), Some(outside)) = (&patient.public_url, &patient.outside) else {
        let text = "the address that people use is not known";
        return vec![Finding::fault(
            "reachable",
            Verdict::Warning,
            text,
            "--public-url https://… (LEXCHAT_PUBLIC_URL)",
        )];
    };
    let bad = |text: String, remedy: &str| Finding::fault("reachable", Verdict::Bad, text, remedy);
    vec![match outside {
        Ok(reply) if reply.status == 200 && reply.body == "ok\n" => {
            Finding::good("reachable", format!("{url} leads to this server"))
        }
        Ok(reply) if reply.status == 421 => bad(
            format!("{url} leads to this server, which does not answer to that name"),
            &format!("lexchat serve --public-url {url} (LEXCHAT_PUBLIC_URL)"),
        ),
        Ok(reply) if matches!(reply.status, 502..=504) => bad(
            format!("{url} is answered {} by a proxy that does not reach this server", reply.status),
            "compare the proxy's target with --listen; docs/deploy has a configuration for each proxy",
        ),
        Ok(reply) if reply.status == 401 => bad(
            format!("{url} asks for a password before lexchat is reached"),
            "take HTTP Basic away: it takes the place of lexchat's own tokens; use a VPN or client certificates",
        ),
        Ok(reply) => bad(
            format!("{url} answers {}, which is not lexchat", reply.status),
            "point the proxy at --listen, at `/` and without a sub-path",
        ),
        Err(Failure::NoAddress) => {
            bad(format!("the name in {url} leads nowhere"), "enter it in the DNS, or correct --public-url")
        }
        Err(Failure::NoConnection(cause)) => bad(
            format!("nobody answers at {url} ({cause})"),
            "start the proxy, open the port in the firewall, or correct --public-url",
        ),
        Err(Failure::NoTls(cause)) => bad(
            format!("{url} speaks no TLS that browsers take ({cause})"),
            "--tls-cert and --tls-key, or a proxy that speaks HTTPS (docs/deploy)",
        ),
        Err(Failure::NoAnswer) => bad(
            format!("{url} takes the connection and does not answer in HTTP"),
            "is that lexchat's or the proxy's port?",
        ),
    }]
}

/// Whether links for people lead where they come in.
fn address(patient: &Patient) -> Vec<Finding> {
    let (Some(url), Some(Ok(reply))) = (&patient.public_url, &patient.outside) else { return Vec::new() };
    if reply.header("x-seen-from").is_none() {
        return Vec::new();
    }
    let remedy = format!("lexchat serve --public-url {url} (LEXCHAT_PUBLIC_URL)");
    vec![match reply.header("x-public-url") {
        Some(said) if said == url => Finding::good("address", format!("links and invitations lead to {url}")),
        Some(said) => {
            let text = format!("links and invitations lead to {said}, not to {url}");
            Finding::fault("address", Verdict::Warning, text, remedy)
        }
        None => Finding::fault(
            "address",
            Verdict::Bad,
            format!("the server was not told that people come in at {url}: links and invitations lead to this machine"),
            remedy,
        ),
    }]
}

fn certificate(patient: &Patient) -> Vec<Finding> {
    let (Some(url), Some(Ok(reply))) = (&patient.public_url, &patient.outside) else { return Vec::new() };
    let names = [origins::host_name(url).to_owned()];
    let shown = reply.certificate.as_ref().and_then(Certificate::read);
    let mut rows = shown
        .map(|shown| diagnosis::certificate_rows(&shown, &names, SystemTime::now(), Locale::English))
        .unwrap_or_default();
    if reply.certificate.is_some() && !reply.is_trusted {
        rows.push(Finding::fault(
            "authority",
            Verdict::Warning,
            "the certificate is not from an authority that browsers know",
            "install the office's own authority on each device, or get a certificate from a public one (Let's Encrypt)",
        ));
    }
    rows
}

fn websocket(patient: &Patient) -> Vec<Finding> {
    let (Some(url), Some(Ok(ready))) = (&patient.public_url, &patient.outside) else { return Vec::new() };
    if ready.status != 200 {
        return Vec::new();
    }
    let asked = Visit { path: "/socket.io/?EIO=4&transport=websocket", upgrade: true };
    vec![match visit::visit(url, &asked) {
        Ok(reply) if reply.status == 101 => Finding::good("websocket", "WebSockets pass"),
        Ok(reply) if reply.status == 403 => Finding::fault(
            "websocket",
            Verdict::Bad,
            format!(
                "the server refuses its own page: to it, {url} is another origin; people would see \"Reconnexion…\" for ever"
            ),
            format!(
                "lexchat serve --public-url {url} (LEXCHAT_PUBLIC_URL), and let the proxy pass Host and X-Forwarded-Proto"
            ),
        ),
        Ok(reply) if reply.status == 429 => Finding::fault(
            "websocket",
            Verdict::Bad,
            "the server has too many sockets from the address that this one seems to come from",
            "--trust-proxy ADDRESS OF THE PROXY (LEXCHAT_TRUST_PROXY)",
        ),
        _ => Finding::fault(
            "websocket",
            Verdict::Warning,
            "WebSockets do not pass the proxy; all works by polling, more slowly",
            "let the proxy pass `Upgrade` and `Connection`: docs/deploy has a configuration for each",
        ),
    }]
}

/// Whether the limits of one address are those of one person.
fn seen_from(patient: &Patient) -> Vec<Finding> {
    const SHARED: &str = "all of them share one address and its limits";
    let (Some(url), Some(Ok(reply))) = (&patient.public_url, &patient.outside) else { return Vec::new() };
    let Some((address, way)) = reply.header("x-seen-from").and_then(|seen| seen.split_once("; ")) else {
        return Vec::new();
    };
    // Who is asked in HTTPS there and in HTTP here has a proxy before it, whether that says so or not.
    let ends_tls = || {
        url.starts_with("https:") && probe::ask(&patient.listen, "/readyz").is_some_and(|here| here.scheme == "http")
    };
    let trust = format!("lexchat serve --trust-proxy {address} (LEXCHAT_TRUST_PROXY)");
    let passes =
        "let the proxy pass Host, X-Forwarded-For and X-Forwarded-Proto: docs/deploy has a configuration for each";
    let bad = |text: String, remedy: String| Finding::fault("proxy", Verdict::Bad, text, remedy);
    vec![match way {
        "untrusted-proxy" => bad(format!("a proxy at {address} speaks for people and is not trusted: {SHARED}"), trust),
        "trusted-proxy" => Finding::good("proxy", format!("the proxy is trusted; you are seen at {address}")),
        "direct" if !ends_tls() => Finding::good("proxy", format!("no proxy is seen; you are seen at {address}")),
        "direct" => {
            bad(format!("a proxy at {address} does not say for whom it asks: {SHARED}"), format!("{passes}; {trust}"))
        }
        _ => bad(format!("the proxy at {address} does not say for whom it asks: {SHARED}"), passes.to_owned()),
    }]
}

fn clock(patient: &Patient) -> Vec<Finding> {
    let Some(Ok(reply)) = &patient.outside else { return Vec::new() };
    let Some(theirs) = reply.header("date").and_then(|date| httpdate::parse_http_date(date).ok()) else {
        return Vec::new();
    };
    let ours = SystemTime::now();
    let apart = ours.duration_since(theirs).unwrap_or_else(|ahead| ahead.duration());
    vec![if apart <= CLOCKS_APART_MAX && ours > UNIX_EPOCH {
        Finding::good("clock", "the clocks agree")
    } else {
        Finding::fault(
            "clock",
            Verdict::Bad,
            format!("the clock here and that of the public address are {} s apart", apart.as_secs()),
            "let both follow NTP (timedatectl set-ntp true)",
        )
    }]
}
