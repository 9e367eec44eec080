//! What stands in the lock file: versions without known holes, nothing that was not decided.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("in the repository")
}

/// Name → versions, from `Cargo.lock`.
fn locked() -> BTreeMap<String, Vec<(u64, u64, u64)>> {
    let mut locked: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for package in read("Cargo.lock").split("[[package]]").skip(1) {
        let field = |name: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(&format!("{name} = \"")));
            line.expect("each package has it").trim_end_matches('"').to_owned()
        };
        let version = field("version");
        let version = version.split(['-', '+']).next().unwrap_or_default();
        let mut numbers = version.split('.').map(|number| number.parse().expect("a number"));
        let mut next = || numbers.next().unwrap_or(0);
        locked.entry(field("name")).or_default().push((next(), next(), next()));
    }
    locked
}

#[test]
fn no_dependency_is_older_than_its_last_known_hole() {
    let locked = locked();
    let least = [
        ("jsonwebtoken", (10, 3, 0)),
        ("tungstenite", (0, 20, 1)),
        ("tokio-tungstenite", (0, 20, 1)),
        ("hyper", (1, 0, 0)),
        ("rusqlite", (0, 26, 2)),
        ("tokio", (1, 38, 2)),
        ("bytes", (1, 11, 1)),
        ("time", (0, 3, 47)),
    ];
    for (name, least) in least {
        let versions = locked.get(name).unwrap_or_else(|| panic!("{name} is not used any more: take the row out"));
        assert!(versions.iter().all(|version| *version >= least), "{name} {versions:?} is older than {least:?}");
    }
    assert!(rusqlite::version_number() >= 3_051_003, "SQLite {}", rusqlite::version());
}

#[test]
fn what_must_not_come_in_is_not_there() {
    let locked = locked();
    // TLS and HTTP clients would be a way out; C libraries a way around the borrow checker; the rest is abandoned.
    for name in ["openssl", "openssl-sys", "native-tls", "reqwest", "hyper-tls", "ureq", "axum", "actix-web", "diesel"]
    {
        assert!(!locked.contains_key(name), "{name} came in");
    }
}

#[test]
fn unsafe_code_is_forbidden() {
    assert!(read("Cargo.toml").contains("unsafe_code = \"forbid\""));
}
