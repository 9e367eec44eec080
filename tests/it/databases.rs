//! The database as a file, under the hands of an operator: its name, its copies, and who serves it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::http;
use crate::support::people;
use crate::support::server::{self, Setup};
use crate::support::socket::Socket;

/// Runs a command on this database, which must succeed.
fn done(db: &Path, words: &[&str]) {
    let (code, text) = server::run(db, words);
    assert_eq!(code, Some(0), "{words:?}: {text}");
}

/// Runs the binary in a folder; its exit code and what it printed.
fn typed_in(folder: &Path, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lexchat"));
    command.args(words).current_dir(folder).env_clear().stdin(Stdio::null());
    let ended = command.output().expect("the binary was built");
    let said = [ended.stdout, ended.stderr].concat();
    (ended.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// The same for a command that may wait for ever: it is given ten seconds.
fn typed_in_time(folder: &Path, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lexchat"));
    command.args(words).current_dir(folder).env_clear().stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary was built");
    let began = Instant::now();
    while child.try_wait().expect("a child of ours").is_none() {
        if began.elapsed() > Duration::from_secs(10) {
            child.kill().expect("a child of ours");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let ended = child.wait_with_output().expect("a child of ours");
    (ended.status.code(), String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned())
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("a name").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn names_that_mean_something_to_sqlite_are_names_of_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    let mut server = Setup::new(at.join("lexchat.db")).start().await;
    server.kill();
    for name in ["file:bk.db", ":memory:", "file:bk2.db?mode=memory"] {
        let (code, said) = typed_in(at, &["backup", name, "--db", "lexchat.db"]);
        assert_eq!(code, Some(0), "{name}: {said}");
        let stored = std::fs::metadata(at.join(name)).expect(name);
        assert!(stored.len() > 100_000, "{name} is empty");
        assert_eq!(stored.permissions().mode() & 0o777, 0o600, "{name}");
        let (code, said) = typed_in(at, &["check", "--db", name]);
        assert_eq!(code, Some(0), "{name}: {said}");
        let (code, said) = typed_in(at, &["user", "list", "--db", name]);
        assert!(code == Some(0) && said.contains("client1@example.com"), "{name}: {said}");
    }
    let left: Vec<String> = names_in(at).into_iter().filter(|name| name.contains("part") || name == "bk.db").collect();
    assert_eq!(left, Vec::<String>::new());
    for name in [":memory:", "file:served.db"] {
        let there = ["sh", "-c", "cd \"$0\" && exec \"$@\"", at.to_str().expect("a UTF-8 path")];
        let mut served = Setup::new(name).wrapper(&there).start().await;
        let (code, said) = typed_in(at, &["user", "disable", "client1@example.com", "--db", name]);
        assert_eq!(code, Some(0), "{name}: {said}");
        let body = json!({ "email": "client1@example.com", "password": people::PASSWORD });
        http::post(served.address(), "/auth/sign-in", &body).send().await.expect(401);
        served.kill();
    }
    let (code, said) = typed_in(at, &["check", "--db", "file:none.db"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(!names_in(at).iter().any(|name| name.contains("none")), "a file is left: {:?}", names_in(at));
}

#[test]
fn what_is_no_file_is_no_database_and_each_command_says_so_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    std::fs::create_dir(at.join("folder.db")).expect("a folder");
    std::fs::write(at.join("file"), "x").expect("a file");
    std::os::unix::fs::symlink("one.db", at.join("two.db")).expect("a link");
    std::os::unix::fs::symlink("two.db", at.join("one.db")).expect("a link");
    assert!(Command::new("mkfifo").arg(at.join("pipe.db")).status().expect("a pipe").success());
    let commands: [&[&str]; 9] = [
        &["check"],
        &["check", "--json"],
        &["user", "list"],
        &["user", "disable", "a@b.fr"],
        &["rotate-keys"],
        &["setup-link"],
        &["backup", "copy.db"],
        &["backup", "--keep", "2", "copies"],
        &["serve", "--listen", "127.0.0.1:0"],
    ];
    let causes = [
        ("folder.db", "it is a folder"),
        ("pipe.db", "it is no file"),
        ("/dev/null", "it is no file"),
        ("one.db", "symbolic links"),
        ("file/x.db", "Not a directory"),
    ];
    for (name, cause) in causes {
        for words in commands {
            let (code, said) = typed_in_time(at, &[words, &["--db", name]].concat());
            assert!(code == Some(3) && said.contains(cause), "{words:?} on {name}: {code:?} {said}");
            assert_eq!(
                said.lines().filter(|line| line.starts_with("lexchat:")).count(),
                1,
                "{words:?} on {name}: {said}"
            );
        }
        let (code, said) = typed_in_time(at, &["restore", name, "--db", "restored.db"]);
        assert!(code == Some(3) && said.contains(cause), "restore of {name}: {code:?} {said}");
        let (_, said) = typed_in_time(at, &["doctor", "--listen", "127.0.0.1:9", "--db", name]);
        assert!(said.contains(cause), "doctor on {name}: {said}");
    }
    let left: Vec<String> =
        names_in(at).into_iter().filter(|name| name.contains("cop") || name.contains("re")).collect();
    assert!(left.iter().all(|name| name == "copies"), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_one_database_is_refused_in_one_line_before_it_listens() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = folder.path().join("lexchat.db");
    let mut first = Setup::new(&db).start().await;
    let mut names = vec![db.clone()];
    #[cfg(target_os = "linux")]
    {
        names.extend([folder.path().join("symbolic.db"), folder.path().join("hard.db")]);
        std::os::unix::fs::symlink(&db, &names[1]).expect("a link");
        std::fs::hard_link(&db, &names[2]).expect("a link");
    }
    for name in names {
        let words = ["serve", "--listen", "127.0.0.1:0", "--db", name.to_str().expect("a UTF-8 path")];
        let (code, said) = typed_in(folder.path(), &words);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.lines().count() == 1 && said.contains("another lexchat serves"), "{said}");
    }
    done(&db, &["user", "list"]);
    done(&db, &["check"]);
    first.kill();
    first.restart().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_database_is_another_history_and_the_numbers_given_anew_are_not_mistaken() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = folder.path().join("lexchat.db");
    let mut server = Setup::new(&db).start().await;
    let client = people::sign_in(server.address(), "client1").await;
    let jurist = people::sign_in(server.address(), "juriste1").await;
    let id = people::conversation(server.address(), &client, &jurist).await;
    let socket = Socket::connect(server.address(), &client.token).await;
    let say = |text: &str| json!({ "conversationId": id, "content": text });
    socket.done("message:send", say("gardé")).await;
    let backup = folder.path().join("backup.db");
    done(&db, &["backup", backup.to_str().expect("a UTF-8 path")]);
    let lost = socket.done("message:send", say("perdu")).await["message"].clone();
    let before = socket.done("conversation:join", json!({ "conversationId": id })).await;
    server.kill();
    for ending in ["", "-wal", "-shm"] {
        let _not_there = std::fs::remove_file(server::beside(&db, ending));
    }
    done(&db, &["restore", backup.to_str().expect("a UTF-8 path")]);
    server.restart().await;
    let socket = Socket::connect(server.address(), &client.token).await;
    let anew = socket.done("message:send", say("un autre")).await["message"].clone();
    assert_eq!((&anew["id"], &anew["rev"]), (&lost["id"], &lost["rev"]), "the numbers are given out again");
    let known = json!({ "conversationId": id, "rev": lost["rev"], "history": before["history"] });
    let refused = socket.refused("conversation:sync", known, "CONFLICT").await;
    let joined = socket.done("conversation:join", json!({ "conversationId": id })).await;
    assert_ne!(joined["history"], before["history"]);
    assert_eq!(refused["history"], joined["history"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_is_nowhere_on_disk() {
    const MARK: &str = "zqxjkvw";
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Setup::new(folder.path().join("lexchat.db")).start().await;
    let at = server.address();
    let (client, jurist) = (people::sign_in(at, "client1").await, people::sign_in(at, "juriste1").await);
    let id = people::conversation(at, &client, &jurist).await;
    let socket = Socket::connect(at, &client.token).await;
    let path = format!("/attachments?conversationId={id}&name={MARK}c.txt");
    let bytes = MARK.repeat(40_000).into_bytes();
    let file = http::ask(at, "POST", &path).token(&client.token).body(bytes).send().await.expect(201).json();
    let say = json!({ "conversationId": id, "content": format!("{MARK}a"), "files": [file["id"]] });
    let message = socket.done("message:send", say).await["message"]["id"].clone();
    let edit = json!({ "messageId": message, "content": format!("{MARK}b") });
    socket.done("message:edit", edit).await;
    let found = socket.done("message:search", json!({ "query": format!("{MARK}b") })).await;
    assert_eq!(found["results"].as_array().map(Vec::len), Some(1), "{found}");
    assert!(is_on_disk(&server, MARK), "it was there");
    socket.done("message:delete", json!({ "messageId": message })).await;
    // At the latest when nothing was written for some seconds.
    let patience = std::time::Instant::now() + crate::support::PATIENCE;
    while is_on_disk(&server, MARK) {
        assert!(std::time::Instant::now() < patience, "something of it is left");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    server.kill();
}

/// Whether the bytes stand in the database or its WAL.
fn is_on_disk(server: &server::Server, mark: &str) -> bool {
    ["", "-wal"].iter().any(|ending| {
        let bytes = std::fs::read(server::beside(&server.setup.db, ending)).unwrap_or_default();
        bytes.windows(mark.len()).any(|part| part == mark.as_bytes())
    })
}
