//! The command line beside a server: what an operator types, run as the built binary.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use clap::CommandFactory as _;
use serde_json::{Value, json};

use crate::harness::server::Server;
use crate::https::Papers;
use crate::setup::until;
use crate::support::http;
use crate::support::needs;
use crate::support::people;
use crate::support::server::{self, Setup};

/// How long a server may take to notice what another process wrote.
const PATIENCE: Duration = Duration::from_secs(20);

const PHRASE: &str = "une phrase assez longue";

/// Runs the binary to its end without any of our variables; no program that it could start is found.
async fn typed(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lexchat"));
    command.args(words).env_clear().stdin(Stdio::null());
    let ended = tokio::task::spawn_blocking(move || command.output());
    ended.await.expect("a thread").expect("the binary was built")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `lexchat user passwd`, with the password on standard input; the exit code and what it printed.
fn set_password(db: &Path, email: &str, password: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lexchat"))
        .args(["user", "passwd", email, "--password-stdin", "--db"])
        .arg(db)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built");
    writeln!(child.stdin.take().expect("a pipe"), "{password}").expect("somebody reads");
    let ended = child.wait_with_output().expect("it ended");
    (ended.status.code(), text(&ended.stdout) + &text(&ended.stderr))
}

fn done(db: &Path, words: &[&str]) -> String {
    let (code, text) = server::run(db, words);
    assert_eq!(code, Some(0), "{words:?}: {text}");
    text
}

async fn sign_in(at: SocketAddr, who: &str, password: &str) -> u16 {
    let body = json!({ "email": people::email(who), "password": password });
    http::post(at, "/auth/sign-in", &body).send().await.status
}

/// Whether the server says that demo accounts are active, and lets in a page opened from disk.
async fn shows_demo(at: SocketAddr) -> (bool, bool) {
    let said = http::get(at, "/healthz").send().await.header("X-Demo-Accounts").is_some();
    let handshake = http::get(at, "/socket.io/?EIO=4&transport=polling").header("Origin", "null");
    (said, handshake.send().await.status == 200)
}

async fn until_demo_is(at: SocketAddr, expected: bool) {
    let changed = async {
        while shows_demo(at).await != (expected, expected) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, changed).await.expect("the server notices");
}

async fn assert_healthy(at: SocketAddr) {
    let asked = typed(&["healthcheck", "--listen", &at.to_string()]).await;
    assert!(asked.status.success(), "{}", text(&asked.stderr));
}

/// A second double click: it says where the first one serves.
async fn assert_found(at: SocketAddr, scheme: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = folder.path().join("another.db");
    let words = ["serve", "--open", "--listen", &at.to_string(), "--db", db.to_str().expect("a UTF-8 path")];
    let second = typed(&words).await;
    assert!(second.status.success(), "{}", text(&second.stderr));
    let expected = format!("lexchat is running already: {scheme}://{at}/\n");
    assert_eq!(text(&second.stdout), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_found_healthy_and_running_with_and_without_a_certificate() {
    let papers = Papers::new();
    let (plain, secure) = (Server::start().await, papers.serve().await);
    assert_healthy(plain.at).await;
    assert_healthy(secure.at).await;
    assert_found(plain.at, "http").await;
    assert_found(secure.at, "https").await;

    let at = secure.at;
    secure.stop().await;
    let asked = typed(&["healthcheck", "--listen", &at.to_string()]).await;
    assert_eq!(asked.status.code(), Some(1));
    assert!(text(&asked.stderr).contains("nobody answers"), "{}", text(&asked.stderr));
}

/// What a double click does: no words, no terminal, a working directory that means nothing.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_keeps_its_data_beside_the_program_and_a_second_one_finds_the_first() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name);
    let (program, script, opened) = (place("lexchat"), place("script"), place("opened"));
    std::fs::write(&script, format!("#!/bin/sh\necho \"$1\" >> '{}'\n", opened.display())).expect("room");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("ours");
    server::copy_program(&script, &place("xdg-open"));
    server::copy_program(Path::new(env!("CARGO_BIN_EXE_lexchat")), &program);
    std::fs::create_dir(place("elsewhere")).expect("room");
    let port = server::free_port();
    let click = || {
        let mut command = Command::new(&program);
        command.env_clear().env("LEXCHAT_LISTEN", format!("localhost:{port}")).env("PATH", folder.path());
        command.current_dir(place("elsewhere")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let until_opened = async |times: usize| {
        let opening = async {
            while std::fs::read_to_string(&opened).unwrap_or_default().lines().count() < times {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, opening).await.expect("the browser is opened");
    };
    let mut first = click().spawn().expect("a copy of the binary");
    until_opened(1).await;
    assert!(place("lexchat.db").is_file(), "beside the program");
    assert_eq!(std::fs::read_dir(place("elsewhere")).expect("a folder").count(), 0, "and not where it was started");
    let second = tokio::task::spawn_blocking({
        let mut second = click();
        move || second.status()
    });
    assert!(second.await.expect("a thread").expect("it ended").success());
    until_opened(2).await;
    let pages = std::fs::read_to_string(&opened).expect("two lines");
    assert!(pages.lines().all(|page| page.trim_end_matches('/') == format!("http://localhost:{port}")), "{pages}");
    first.kill().expect("a child of ours");
    first.wait().expect("a child of ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_accounts_are_shown_exactly_as_long_as_one_of_their_passwords_works() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let (at, db) = (server.address(), &server.setup.db);
    assert_eq!(shows_demo(at).await, (true, true));
    for number in 1..=5 {
        done(db, &["user", "disable", &people::email(&format!("client{number}"))]);
        done(db, &["user", "disable", &people::email(&format!("juriste{number}"))]);
    }
    assert_eq!(shows_demo(at).await, (true, true), "the administrator's password still works");
    assert_eq!(set_password(db, &people::email("admin"), PHRASE).0, Some(0));
    until_demo_is(at, false).await;
    done(db, &["user", "enable", &people::email("client1")]);
    until_demo_is(at, true).await;
    assert_eq!(set_password(db, &people::email("client1"), PHRASE).0, Some(0));
    until_demo_is(at, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_set_and_an_account_closed_at_the_command_line_count_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let (at, db) = (server.address(), &server.setup.db);
    let (email, person) = (people::email("client1"), people::sign_in(at, "client1").await);

    let (code, text) = set_password(db, &email, "court");
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("password"), "it says what is wrong: {text}");
    http::get(at, "/users/me").token(&person.token).send().await.expect(200);
    assert_eq!(set_password(db, "personne@example.com", PHRASE).0, Some(1));

    assert_eq!(set_password(db, &email, PHRASE), (Some(0), String::new()));
    http::get(at, "/users/me").token(&person.token).send().await.expect(401);
    assert_eq!(sign_in(at, "client1", people::PASSWORD).await, 401);
    assert_eq!(sign_in(at, "client1", PHRASE).await, 200);

    done(db, &["user", "disable", &email]);
    assert_eq!(sign_in(at, "client1", PHRASE).await, 401);
    let listed: Value = serde_json::from_str(&done(db, &["user", "list", "--json"])).expect("JSON");
    let (first, second) = (&listed[0], &listed[1]);
    assert_eq!(
        (&first["email"], &first["isActive"], &second["isActive"]),
        (&json!(email), &json!(false), &json!(true))
    );
    done(db, &["user", "enable", &email]);
    assert_eq!(sign_in(at, "client1", PHRASE).await, 200);
    let (code, text) = server::run(db, &["user", "disable", &people::email("admin")]);
    assert_eq!(code, Some(1), "the last administrator stays: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_sign_from_then_on_and_what_the_old_ones_signed_is_worth_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let (at, db) = (server.address(), &server.setup.db);
    let before = people::sign_in(at, "client1").await;
    let key_of = |token: &str| jsonwebtoken::decode_header(token).expect("a header").kid;
    done(db, &["rotate-keys"]);
    let renewed = async {
        loop {
            let person = people::sign_in(at, "client2").await;
            if key_of(&person.token) != key_of(&before.token) {
                return person;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let after = tokio::time::timeout(PATIENCE, renewed).await.expect("the server takes the new key");
    http::get(at, "/users/me").token(&after.token).send().await.expect(200);
    http::get(at, "/users/me").token(&before.token).send().await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_serving_holds_all_and_is_restored_where_there_is_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let (at, db) = (server.address(), &server.setup.db);
    let (client, jurist) = (people::sign_in(at, "client1").await, people::sign_in(at, "juriste1").await);
    let conversation = people::conversation(at, &client, &jurist).await;
    let body = json!({ "conversationId": conversation, "content": "à garder" });
    http::post(at, "/messages", &body).token(&client.token).send().await.expect(201);

    let copy = folder.path().join("copy.db");
    let copy_name = copy.to_str().expect("a UTF-8 path");
    done(db, &["backup", copy_name]);
    let (code, text) = server::run(db, &["backup", copy_name]);
    assert_eq!(code, Some(1), "a copy is never overwritten: {text}");
    let (code, text) = server::run(db, &["restore", copy_name]);
    assert_eq!(code, Some(1), "a database is never overwritten: {text}");

    let restored = folder.path().join("restored.db");
    done(&restored, &["restore", copy_name]);
    let report: Value = serde_json::from_str(&done(&restored, &["check", "--json"])).expect("JSON");
    assert_eq!((&report["conversations"], &report["messages"], &report["faults"]), (&json!(1), &json!(7), &json!([])));
    let second = Setup::new(restored).start().await;
    let path = format!("/messages?conversationId={conversation}");
    let kept = http::get(second.address(), &path).token(&client.token).send().await.expect(200).json();
    assert_eq!(kept[6]["content"], "à garder", "and who was signed in still is");
}

/// A service with a user of its own must be able to open what the administrator of the machine has restored for it.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_root_restores_belongs_to_the_owner_of_the_folder() {
    use std::os::unix::fs::{MetadataExt, chown};
    if !needs::met("what_root_restores_belongs_to_the_owner_of_the_folder", &[("root", needs::is_root())]) {
        return;
    }
    const NOBODY: u32 = 65_534;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let copy = folder.path().join("copy.db");
    done(&server.setup.db, &["backup", copy.to_str().expect("a UTF-8 path")]);
    let place = folder.path().join("of a service");
    std::fs::create_dir(&place).expect("room");
    chown(&place, Some(NOBODY), Some(NOBODY)).expect("root may");
    let restored = place.join("lexchat.db");
    done(&restored, &["restore", copy.to_str().expect("a UTF-8 path")]);
    let file = std::fs::metadata(&restored).expect("a file");
    assert_eq!((file.uid(), file.gid(), file.mode() & 0o777), (NOBODY, NOBODY, 0o600));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_names_what_is_wrong_and_a_missing_database_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let (at, db) = (server.address(), server.setup.db.clone());
    let (client, jurist) = (people::sign_in(at, "client1").await, people::sign_in(at, "juriste1").await);
    let conversation = people::conversation(at, &client, &jurist).await;
    for content in ["un", "deux", "trois"] {
        let body = json!({ "conversationId": conversation, "content": content });
        http::post(at, "/messages", &body).token(&client.token).send().await.expect(201);
    }
    server.kill();
    assert_eq!(done(&db, &["check"]), "1 conversations, 9 messages, 1 files\n");
    rusqlite::Connection::open(&db).expect("a file").execute("DELETE FROM messages WHERE id = 8", ()).expect("a hole");
    let (code, text) = server::run(&db, &["check"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.lines().count() > 2 && text.contains("findings"), "{text}");

    let nowhere = folder.path().join("nowhere.db");
    for words in [&["check"][..], &["user", "list"], &["rotate-keys"], &["backup", "copy.db"], &["restore", "none.db"]]
    {
        let (code, text) = server::run(&nowhere, words);
        assert_eq!(code, Some(3), "{words:?}: {text}");
        assert!(!nowhere.exists(), "{words:?} made one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_goes_into_a_file_is_plain_text_or_one_object_per_line() {
    for format in ["text", "json"] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let setup = Setup::new(folder.path().join("lexchat.db"));
        let server = setup.argument(&format!("--log-format={format}")).argument("--log=debug").start().await;
        http::get(server.address(), "/healthz").send().await.expect(200);
        let is_told = |line: &&str| line.contains("request") && line.contains("health::alive");
        let logged = async {
            while !server.log().lines().any(|line| is_told(&line)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, logged).await.expect("one line per request");
        let log = server.log();
        assert!(!log.contains('\u{1b}'), "colours in a file: {log}");
        let line = log.lines().find(is_told).expect("just seen");
        assert_eq!(serde_json::from_str::<Value>(line).is_ok(), format == "json", "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_know_every_command_in_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let printed = typed(&["completions", shell]).await;
        assert!(printed.status.success(), "{shell}: {}", text(&printed.stderr));
        let script = text(&printed.stdout);
        for word in ["serve", "healthcheck", "rotate-keys", "message-rate"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(typed(&["completions", "csh"]).await.status.code(), Some(2));
}

/// Starts with these words and variables, which must be refused; the exit code and what it said.
fn refused(words: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lexchat"));
    command.arg("serve").args(words).env_clear().envs(variables.iter().copied());
    let output = command.stdin(Stdio::null()).output().expect("the binary was built");
    (output.status.code(), text(&output.stderr))
}

#[test]
fn a_filter_of_the_log_that_means_nothing_is_wrong_usage() {
    for (words, variables) in [
        (&["--log", "wran"][..], &[][..]),
        (&["--log", "lexcat=debug"], &[]),
        (&[], &[("LEXCHAT_LOG", "info,lexchat=loud")]),
    ] {
        let (code, text) = refused(words, variables);
        assert!(code == Some(2) && text.contains("--log: `"), "{words:?}: {code:?} {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_warnings_holds_warnings() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let setup = Setup::new(folder.path().join("lexchat.db")).argument("--log=Warning");
    let server = setup.start().await;
    let (at, db) = (server.address(), server.setup.db.clone());
    let person = people::sign_in(at, "client1").await;
    let held = rusqlite::Connection::open(&db).expect("a file");
    held.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let answered = http::ask(at, "PATCH", "/users/me").token(&person.token).json(&json!({ "name": "Anne Roy" }));
    answered.send().await.expect(503);
    drop(held);
    until("a warning", || server.log().contains("WARN")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_variable_is_one_that_is_not_set() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let names = lexchat::cli::Cli::command();
    let serve = names.find_subcommand("serve").expect("a command");
    let mut setup = Setup::new(folder.path().join("lexchat.db")).environment("LEXCHAT_METRICS_TOKEN", "");
    for name in serve.get_arguments().filter_map(|argument| argument.get_env()?.to_str()) {
        setup = setup.environment(name, if name.len() % 2 == 0 { "" } else { " " });
    }
    let server = setup.start().await;
    assert_eq!(shows_demo(server.address()).await, (true, true));
    let emptied = typed_with(&["user", "list"], &[("LEXCHAT_DB", "")], folder.path());
    assert!(emptied.status.success(), "{}", text(&emptied.stderr));
}

fn typed_with(words: &[&str], variables: &[(&str, &str)], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lexchat"));
    command.args(words).env_clear().envs(variables.iter().copied()).current_dir(folder).stdin(Stdio::null());
    command.output().expect("the binary was built")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_order_mark_before_a_password_is_no_part_of_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let email = people::email("client1");
    assert_eq!(set_password(&server.setup.db, &email, &format!("\u{feff}{PHRASE}\r")).0, Some(0));
    assert_eq!(sign_in(server.address(), "client1", PHRASE).await, 200);
}

/// `script` is the terminal; that nothing is shown any more is what the terminal itself says of its state.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_password_typed_at_the_prompt_is_taken_and_not_shown() {
    let name = "a_password_typed_at_the_prompt_is_taken_and_not_shown";
    if !needs::met(name, &[("script", needs::has_program("script"))]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let (program, db) = (env!("CARGO_BIN_EXE_lexchat"), server.setup.db.display());
    let typed = format!("exec '{program}' user passwd {} --db '{db}'", people::email("client1"));
    let mut terminal = Command::new("script")
        .args(["--quiet", "--return", "--command", &typed, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("just seen");
    let hidden = async {
        while !hides_what_is_typed(terminal.id()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, hidden).await.expect("a prompt");
    writeln!(terminal.stdin.take().expect("a pipe"), "{PHRASE}").expect("somebody reads");
    let mut shown = String::new();
    terminal.stdout.take().expect("a pipe").read_to_string(&mut shown).expect("a screen");
    assert!(terminal.wait().expect("it ended").success(), "{shown}");
    assert!(shown.contains("Password: ") && !shown.contains(PHRASE), "{shown}");
    assert_eq!(sign_in(server.address(), "client1", PHRASE).await, 200);
}

/// Whether the terminal of a process's first child has its echo off.
#[cfg(target_os = "linux")]
fn hides_what_is_typed(parent: u32) -> bool {
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    let Some(child) = children.split_whitespace().next() else { return false };
    let Ok(terminal) = std::fs::read_link(format!("/proc/{child}/fd/0")) else { return false };
    let state = Command::new("stty").arg("-F").arg(terminal).arg("-a").output().expect("stty, which every Linux has");
    text(&state.stdout).contains("-echo ")
}
