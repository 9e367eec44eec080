//! What stands in the lock file: versions without known holes, nothing that was not decided.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

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
    for name in list_of("deny") {
        assert!(!locked.contains_key(&name), "{name} came in");
    }
}

#[test]
fn everything_comes_from_the_registry() {
    for package in read("Cargo.lock").split("[[package]]").skip(1) {
        let source = package.lines().find_map(|line| line.strip_prefix("source = "));
        let is_own = package.contains("name = \"lexchat\"\n");
        let registry = "\"registry+https://github.com/rust-lang/crates.io-index\"";
        assert!(is_own || source == Some(registry), "{package}");
    }
}

#[test]
fn every_license_lets_the_binary_be_handed_on() {
    let allowed = list_of("allow");
    let is_free = |choice: &str| allowed.iter().any(|license| license == choice.trim_matches(['(', ')', ' ']));
    for package in metadata()["packages"].as_array().expect("packages") {
        let license = package["license"].as_str().unwrap_or_default().replace('/', " OR ");
        let is_allowed = license.split(" AND ").all(|part| part.split(" OR ").any(is_free));
        assert!(is_allowed, "{}: {license:?} is not among those of deny.toml", package["name"]);
    }
}

/// The texts of a list in `deny.toml`.
fn list_of(name: &str) -> Vec<String> {
    let text = read("deny.toml");
    let list = text.split(&format!("\n{name} = [")).nth(1).expect("the list").split(']').next().expect("its end");
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What cargo knows of the packages that this platform's build takes; they have been fetched, or nothing would run.
fn metadata() -> Value {
    let rustc = Command::new("rustc").arg("-vV").output().expect("rustc, which built this");
    let version = String::from_utf8(rustc.stdout).expect("UTF-8");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a platform");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo, which built this");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn unsafe_code_is_forbidden() {
    assert!(read("Cargo.toml").contains("unsafe_code = \"forbid\""));
}
