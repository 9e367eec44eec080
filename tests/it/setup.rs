//! Setting it up and keeping it running: certificates and signals, sockets that are handed over, the usual mistakes and
//! who names the flag that mends them, dated copies, and what Prometheus reads.
#![cfg(unix)]

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::https::Papers;
use crate::support::http;
use crate::support::needs;
use crate::support::people;
use crate::support::server::{self, Server, Setup};

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let holding = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, holding).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// Runs the program to its end with these words; exit code and all that it printed.
pub async fn typed(words: &[&str]) -> (Option<i32>, String) {
    typed_with(&[], words).await
}

/// The same with variables of the environment.
pub async fn typed_with(variables: &[(&str, &str)], words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lexchat"));
    command.args(words).env_clear().envs(variables.iter().copied()).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("a thread").expect("it was built");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_takes_up_a_renewed_certificate_and_keeps_the_old_one_where_the_new_is_no_good() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (first, second) = (Papers::new(), Papers::new());
    let place = |name: &str| folder.path().join(name).display().to_string();
    let install = |papers: &Papers| {
        for name in ["cert.pem", "key.pem"] {
            std::fs::copy(papers.path(name), place(name)).expect("room");
        }
    };
    install(&first);
    let setup = Setup::new(place("lexchat.db")).argument("--tls-cert").argument(&place("cert.pem"));
    let server = setup.argument("--tls-key").argument(&place("key.pem")).spawn();
    let at = server.address();
    until("a handshake", || first.is_shown_at(at)).await;

    install(&second);
    server.signal(Signal::HUP);
    until("the renewed certificate", || second.is_shown_at(at)).await;
    until("a line in the log", || server.log().contains("read again")).await;
    assert!(!first.is_shown_at(at));

    std::fs::write(place("key.pem"), "no key").expect("room");
    server.signal(Signal::HUP);
    until("a line in the log", || server.log().contains("stay as they were")).await;
    assert!(second.is_shown_at(at), "what was in use stays in use");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_cannot_be_read_to_its_end_does_not_hold_up_a_stop() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let papers = Papers::new();
    let cert = folder.path().join("cert.pem");
    std::fs::copy(papers.path("cert.pem"), &cert).expect("room");
    let setup =
        Setup::new(folder.path().join("lexchat.db")).argument("--tls-cert").argument(&cert.display().to_string());
    let mut server = setup.argument("--tls-key").argument(&papers.path("key.pem")).spawn();
    let at = server.address();
    until("a handshake", || papers.is_shown_at(at)).await;

    std::fs::remove_file(&cert).expect("it is there");
    assert!(Command::new("mkfifo").arg(&cert).status().expect("it runs").success());
    server.signal(Signal::HUP);
    // A pipe opens for writing once somebody reads from it.
    let opened = tokio::task::spawn_blocking(move || std::fs::File::options().write(true).open(cert));
    let _nothing_is_written = tokio::time::timeout(PATIENCE, opened).await.expect("it is read").expect("a thread");
    assert!(papers.is_shown_at(at), "what was in use stays in use");
    server.signal(Signal::TERM);
    assert_eq!(server.ended_within(PATIENCE).await.and_then(|status| status.code()), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_that_others_send_do_no_harm() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Setup::new(folder.path().join("lexchat.db")).start().await;
    for signal in [Signal::HUP, Signal::USR1, Signal::USR2, Signal::HUP] {
        server.signal(signal);
        http::get(server.address(), "/readyz").send().await.expect(200);
    }
    until("a line in the log", || server.log().contains("there is none")).await;
    http::get(server.address(), "/readyz").send().await.expect(200);
    server.signal(Signal::TERM);
    assert_eq!(server.ended_within(PATIENCE).await.and_then(|status| status.code()), Some(0));
}

#[test]
fn the_unit_starts_the_server_anew_however_it_ended_and_reloads_it_by_the_signal() {
    let unit = include_str!("../../docs/deploy/lexchat.service");
    // systemd counts SIGHUP and the like among the clean ends, after which `on-failure` leaves a service down.
    for line in ["Restart=always", "RestartPreventExitStatus=2 3", "ExecReload=/bin/kill -HUP $MAINPID"] {
        assert!(unit.lines().any(|have| have == line), "{line}");
    }
}

#[test]
fn the_units_are_such_as_systemd_understands() {
    let name = "the_units_are_such_as_systemd_understands";
    if !needs::met(name, &[("systemd-analyze", needs::has_program("systemd-analyze"))]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let units = ["lexchat.service", "lexchat.socket", "lexchat-backup.service", "lexchat-backup.timer"];
    let drop_in = ("https.conf", "lexchat.service.d/https.conf");
    std::fs::create_dir(folder.path().join("lexchat.service.d")).expect("room");
    for (unit, place) in units.map(|unit| (unit, unit)).into_iter().chain([drop_in]) {
        let text = std::fs::read_to_string(format!("{}/docs/deploy/{unit}", env!("CARGO_MANIFEST_DIR")));
        let text = text.expect(unit).replace("/usr/local/bin/lexchat", env!("CARGO_BIN_EXE_lexchat"));
        std::fs::write(folder.path().join(place), text).expect("room");
    }
    let mut judge = Command::new("systemd-analyze");
    judge.args(["verify", "--man=no"]).args(units.map(|unit| folder.path().join(unit)));
    let judged = judge.output().expect("it was found");
    // What it does not know it ignores, says so, and ends well.
    let said = String::from_utf8_lossy(&judged.stderr);
    let of_ours: Vec<&str> = said.lines().filter(|line| line.contains("lexchat")).collect();
    assert!(judged.status.success() && of_ours.is_empty(), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_browsers_refuse_is_complained_about_at_the_start() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let papers = Papers::new();
    let mut setup = Setup::new(folder.path().join("lexchat.db"));
    for word in ["--no-demo", "--tls-cert", &papers.path("cert.pem"), "--tls-key", &papers.path("key.pem")] {
        setup = setup.argument(word);
    }
    let server = setup.argument("--public-url").argument("https://messagerie.example").spawn();
    until("a warning", || server.log().contains("the certificate is not for messagerie.example")).await;
    assert!(server.log().contains("WARN"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_handed_over_refuses_nobody_while_the_server_restarts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let holder = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = holder.local_addr().expect("an address");
    let db = folder.path().join("lexchat.db");
    let start = || {
        use std::os::fd::AsFd;
        // The shell puts the socket where the protocol wants it and becomes the server.
        let script = "exec 3<&0 0</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_lexchat"), "serve", "--listen", "localhost:1", "--db"]);
        let socket = holder.as_fd().try_clone_to_owned().expect("a descriptor");
        command.arg(&db).stdin(Stdio::from(socket)).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("a shell")
    };
    let mut child = start();
    http::get(at, "/readyz").send().await.expect(200);
    for _ in 0..3 {
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, Signal::TERM).expect("a child of ours");
        assert!(child.wait().expect("a child of ours").success());
        let waiting = tokio::spawn(http::get(at, "/readyz").send());
        child = start();
        waiting.await.expect("no panic").expect(200);
    }
    child.kill().expect("a child of ours");
    child.wait().expect("a child of ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_that_is_shown_is_where_it_listens() {
    if std::net::TcpListener::bind("127.0.0.5:0").is_err() {
        return; // Only Linux has all of 127.0.0.0/8.
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let port = server::free_port();
    let words = format!("--listen=127.0.0.5:{port}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_lexchat"));
    command.args(["serve", "--no-demo", &words, "--db"]).arg(folder.path().join("lexchat.db"));
    let log = folder.path().join("log");
    let file = std::fs::File::create(&log).expect("room");
    let mut child = command.stdin(Stdio::null()).stdout(file).stderr(Stdio::null()).spawn().expect("it was built");
    let text = || std::fs::read_to_string(&log).unwrap_or_default();
    until("the start", || text().contains("Ctrl-C")).await;
    assert!(text().contains(&format!("http://127.0.0.5:{port}/installation/")), "{}", text());
    child.kill().expect("a child of ours");
    child.wait().expect("a child of ours");
}

/// Starts what must be refused: exit code and what it said.
async fn refused(db: &Path, words: &[&str]) -> (Option<i32>, String) {
    let mut all = vec!["serve", "--listen", "127.0.0.1:0", "--db", db.to_str().expect("a UTF-8 path")];
    all.extend(words);
    typed(&all).await
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_accounts_are_for_this_machine_alone_also_behind_a_proxy() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let seeded = folder.path().join("seeded.db");
    drop(Setup::new(&seeded).start().await);
    let proxied = [&["--trust-proxy", "127.0.0.1"][..], &["--public-url", "https://messagerie.example"]];
    for (number, words) in proxied.into_iter().enumerate() {
        let (code, text) = refused(&seeded, words).await;
        assert!(code == Some(3) && text.contains(words[0]) && text.contains("lexchat user passwd"), "{code:?} {text}");
        let mut setup = Setup::new(folder.path().join(format!("{number}.db")));
        for word in words {
            setup = setup.argument(word);
        }
        let server = setup.start().await;
        let reply = http::get(server.address(), "/healthz").send().await;
        assert_eq!(reply.header("x-demo-accounts"), None);
        until("the setup link of an empty database", || server.log().contains("/installation/")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sub_path_in_the_public_address_is_refused_and_the_root_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = folder.path().join("lexchat.db");
    let name = db.to_str().expect("a UTF-8 path");
    for url in ["https://cabinet.example/chat-app", "https://cabinet.example/chat-app/", "HTTPS://Cabinet.example//"] {
        for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["doctor"], &["setup-link"]] {
            let (code, text) = typed(&[command, &["--db", name, "--public-url", url]].concat()).await;
            assert_eq!(code, Some(2), "{command:?} {url}: {text}");
            assert!(text.contains("--public-url") && text.contains("such as https://cabinet.example\n"), "{text}");
        }
    }
    assert!(!db.exists(), "nothing was begun");
}

/// A proxy that says what it is told to say: it replaces `Host`, and adds headers.
async fn proxy(to: SocketAddr, host: &'static str, added: &'static str) -> SocketAddr {
    changing_proxy(to, added, move |name| (name == "Host" && !host.is_empty()).then(|| format!("Host: {host}"))).await
}

/// A proxy that puts other lines in the place of those headers that `change` says, none for an empty one, and adds some.
async fn changing_proxy<F>(to: SocketAddr, added: &'static str, change: F) -> SocketAddr
where
    F: Fn(&str) -> Option<String> + Copy + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut caller, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(caller.read_u8().await?);
                }
                let text = String::from_utf8_lossy(&head).into_owned();
                let lines = text.trim_end().split("\r\n").map(|line| {
                    let changed = line.split_once(": ").and_then(|(name, _)| change(name));
                    changed.unwrap_or_else(|| line.to_owned())
                });
                let lines = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>();
                let passed = lines.join("\r\n") + "\r\n" + added + "\r\n";
                let mut server = TcpStream::connect(to).await?;
                server.write_all(passed.as_bytes()).await?;
                copy_bidirectional(&mut caller, &mut server).await
            });
        }
    });
    at
}

/// What the doctor says of the address behind a proxy, by check.
async fn diagnosed(server: &Server, public: SocketAddr) -> (Option<i32>, Vec<Value>) {
    let (listen, url) = (server.address().to_string(), format!("http://{public}"));
    let db = server.setup.db.to_str().expect("a UTF-8 path");
    let (code, text) = typed(&["doctor", "--json", "--listen", &listen, "--public-url", &url, "--db", db]).await;
    let end = text.rfind(']').expect("a list");
    (code, serde_json::from_str(&text[..=end]).unwrap_or_else(|error| panic!("{error}: {text}")))
}

pub fn row<'a>(findings: &'a [Value], check: &str) -> &'a Value {
    findings.iter().find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("{check} in {findings:?}"))
}

async fn behind(words: &[&str]) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut setup = Setup::new(folder.path().join("lexchat.db")).argument("--no-demo");
    for word in words {
        setup = setup.argument(word);
    }
    (folder, setup.start().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_name_that_was_not_said_is_named_by_the_log_and_the_doctor() {
    let (_folder, server) = behind(&[]).await;
    let public = proxy(server.address(), "messagerie.test", "").await;
    let (code, findings) = diagnosed(&server, public).await;
    let found = row(&findings, "reachable");
    assert!(code == Some(1) && found["verdict"] == "bad", "{findings:?}");
    assert!(found["remedy"].as_str().unwrap().contains(&format!("--public-url http://{public}")), "{found}");
    until("the log", || server.log().contains("--public-url https://messagerie.test")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_not_trusted_is_named_by_the_log_and_the_doctor() {
    let (_folder, server) = behind(&["--public-url", "http://messagerie.test"]).await;
    // A person at the proxy's own machine is no sign of trust.
    for people in ["X-Forwarded-For: 203.0.113.9\r\n", "X-Forwarded-For: 127.0.0.1\r\n"] {
        let public = proxy(server.address(), "messagerie.test", people).await;
        let (code, findings) = diagnosed(&server, public).await;
        let found = row(&findings, "proxy");
        assert!(code == Some(1) && found["verdict"] == "bad", "{findings:?}");
        assert!(found["remedy"].as_str().unwrap().contains("--trust-proxy 127.0.0.1"), "{found}");
    }
    until("the log", || server.log().contains("--trust-proxy 127.0.0.1")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_does_not_say_for_whom_it_asks_is_named_by_the_log_and_the_doctor() {
    let (_folder, server) = behind(&["--public-url", "http://messagerie.test", "--trust-proxy", "127.0.0.1"]).await;
    let public = proxy(server.address(), "messagerie.test", "X-Forwarded-Proto: http\r\n").await;
    let (code, findings) = diagnosed(&server, public).await;
    let found = row(&findings, "proxy");
    assert!(code == Some(1) && found["verdict"] == "bad", "{findings:?}");
    assert!(found["remedy"].as_str().unwrap().contains("X-Forwarded-For"), "{found}");
    until("the log", || server.log().contains("let it pass X-Forwarded-For")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_the_proxy_rewrites_is_named_by_the_log_and_the_doctor() {
    let (_folder, server) = behind(&["--trust-proxy", "127.0.0.1"]).await;
    let public = proxy(server.address(), "127.0.0.1:4500", "X-Forwarded-For: 203.0.113.9\r\n").await;
    let (code, findings) = diagnosed(&server, public).await;
    for check in ["websocket", "address"] {
        let found = row(&findings, check);
        assert!(code == Some(1) && found["verdict"] == "bad", "{findings:?}");
        assert!(found["remedy"].as_str().unwrap().contains(&format!("--public-url http://{public}")), "{found}");
    }
    until("the log", || server.log().contains("links and invitations lead to")).await;
    assert_eq!(row(&findings, "proxy")["verdict"], "good", "{findings:?}");
    until("the log", || server.log().contains(&format!("--public-url http://{public}"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_drops_the_upgrade_is_named_by_the_doctor_and_the_log() {
    let (_folder, server) = behind(&["--public-url", "http://messagerie.test", "--trust-proxy", "127.0.0.1"]).await;
    let dropped = |name: &str| ["Upgrade", "Connection"].contains(&name).then(String::new);
    let public = changing_proxy(server.address(), "", dropped).await;
    let (code, findings) = diagnosed(&server, public).await;
    let found = row(&findings, "websocket");
    assert!(code == Some(0) && found["verdict"] == "warning", "all works by polling: {findings:?}");
    let links = row(&findings, "address");
    assert!(links["verdict"] == "warning" && links["remedy"].as_str().unwrap().contains("--public-url"), "{links}");
    assert!(found["remedy"].as_str().unwrap().contains("`Upgrade`"), "{found}");
    until("the log", || server.log().contains("let it pass `Upgrade`")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_wrong_with_an_installation_that_is_right() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let public = listener.local_addr().expect("an address");
    let setup = Setup::new(folder.path().join("lexchat.db")).argument("--no-demo").argument("--trust-proxy=127.0.0.1");
    let server = setup.argument(&format!("--public-url=http://{public}")).start().await;
    let to = server.address();
    tokio::spawn(async move {
        while let Ok((mut caller, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut server = TcpStream::connect(to).await?;
                copy_bidirectional(&mut caller, &mut server).await
            });
        }
    });
    let (code, findings) = diagnosed(&server, public).await;
    assert_eq!(code, Some(0), "{findings:?}");
    for check in ["server", "database", "reachable", "address", "websocket", "proxy", "clock"] {
        assert_eq!(row(&findings, check)["verdict"], "good", "{findings:?}");
    }
    let (code, text) = typed(&["doctor", "--listen", "127.0.0.1:1", "--db", "nowhere.db"]).await;
    assert!(code == Some(1) && text.contains("nobody answers at 127.0.0.1:1"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dated_copies_are_kept_up_to_a_number_and_their_last_moment_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let copies = folder.path().join("copies");
    let copies_name = copies.to_str().expect("a UTF-8 path");
    let metric = "lexchat_last_backup_timestamp_seconds";
    let before = http::get(server.address(), "/metrics").send().await.expect(200).text();
    assert!(!before.contains(metric), "{before}");
    for _ in 0..3 {
        let (code, text) = server::run(&server.setup.db, &["backup", "--keep", "2", copies_name]);
        assert_eq!(code, Some(0), "{text}");
        assert_eq!(server::run(Path::new(text.trim()), &["check"]).0, Some(0), "each copy is whole: {text}");
    }
    assert_eq!(std::fs::read_dir(&copies).expect("a folder").count(), 2);
    assert_eq!(server::run(&server.setup.db, &["backup", "--keep", "0", copies_name]).0, Some(2));
    let after = http::get(server.address(), "/metrics").send().await.expect(200).text();
    assert!(after.contains(&format!("\n{metric} 1")), "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_never_brings_a_database_up_to_date_and_a_server_says_that_it_did() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = folder.path().join("lexchat.db");
    let old = rusqlite::Connection::open(&db).expect("a file");
    old.execute_batch(include_str!("../../src/store/database/testing/schema_1.sql")).expect("a schema");
    old.execute_batch("PRAGMA application_id = 1280852808; PRAGMA user_version = 1;").expect("a stamp");
    drop(old);
    let version = || -> i64 {
        let conn = rusqlite::Connection::open(&db).expect("a file");
        conn.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a number")
    };
    for words in [&["user", "list"][..], &["setup-link"], &["rotate-keys"]] {
        let (code, text) = server::run(&db, words);
        assert!(code == Some(3) && text.contains("start `lexchat serve` once"), "{words:?}: {code:?} {text}");
        assert_eq!(version(), 1, "{words:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "no copy beside it either");
    let server = Setup::new(&db).start().await;
    assert!(version() > 1);
    until("what was done", || server.log().contains("brought from version 1 to")).await;
    assert!(server.log().contains("lexchat.db.v1"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_finds_no_fault_with_the_metrics() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let refused =
        http::get(server.address(), "/socket.io/?EIO=4&transport=polling").header("Origin", "https://x.example");
    refused.send().await.expect(403);
    http::get(server.address(), "/nowhere").send().await.expect(404);
    let text = http::get(server.address(), "/metrics").send().await.expect(200).text();
    let version = env!("CARGO_PKG_VERSION");
    for told in [
        &format!("lexchat_build_info{{version=\"{version}\",schema=\"")[..],
        "lexchat_ready 1",
        "lexchat_endpoint_refused_total{reason=\"origin\"} 1",
        "lexchat_http_refused_total{code=\"NOT_FOUND\",reason=\"NotFound\"} 1",
        "process_start_time_seconds 1",
        "lexchat_disk_free_bytes ",
        "lexchat_wal_bytes ",
    ] {
        assert!(text.lines().any(|line| line.starts_with(told)), "{told} in {text}");
    }
    if !needs::met("prometheus_finds_no_fault_with_the_metrics", &[("promtool", needs::has_program("promtool"))]) {
        return;
    }
    use std::io::Write as _;
    let mut judge =
        Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).spawn().expect("promtool");
    judge.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    assert!(judge.wait().expect("it ends").success());
    let deploy = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/deploy");
    for words in [["check", "rules", "lexchat.rules.yml"], ["check", "config", "--syntax-only"]] {
        let mut command = Command::new("promtool");
        command.current_dir(deploy).args(words);
        if words[1] == "config" {
            command.arg("prometheus.yml");
        }
        assert!(command.status().expect("promtool").success(), "{words:?}");
    }
    let dashboard: Value = serde_json::from_str(include_str!("../../docs/deploy/grafana.json")).expect("JSON");
    for name in names_in(&dashboard.to_string()).chain(names_in(include_str!("../../docs/deploy/lexchat.rules.yml"))) {
        // These are told where there is something to tell of.
        let is_optional = name.contains("certificate") || name.contains("last_backup");
        assert!(is_optional || text.contains(&format!("# HELP {name} ")), "{name} is watched and not told");
    }
}

/// The names of our metrics that a text has.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_lowercase() || c == '_';
    text.split(move |c| !is_part(c)).filter(|word| word.starts_with("lexchat_") && word.len() > 8)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_is_told_what_to_look_after_in_their_language() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let admin = people::sign_in(server.address(), "admin").await;
    for (language, word) in [("fr", "disque"), ("en", "disk")] {
        let ask = http::get(server.address(), "/admin/status").token(&admin.token).header("Accept-Language", language);
        let status = ask.send().await.expect(200).json();
        let checks = status["checks"].as_array().expect("a list");
        let storage = checks.iter().find(|row| row["check"] == "storage").expect("a row");
        assert!(storage["verdict"] == "good" && storage["text"].as_str().unwrap().contains(word), "{storage}");
        let demo = checks.iter().find(|row| row["check"] == "demo").expect("a row");
        assert!(demo["verdict"] == "warning" && demo["remedy"].as_str().unwrap().contains("--no-demo"), "{demo}");
        assert!(status["diskFreeBytes"].is_u64() && status["walBytes"].is_u64());
    }
}
