//! Arrows only point downward: which part of `src` may name which other part.
//!
//! The table is the architecture. A new edge is one more word in it, seen by whoever reads the diff.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each part and the parts whose `crate::` paths it may name.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("engineio", &[]),
    ("model", &[]),
    ("http", &[]),
    ("cli", &[]),
    ("service", &[]),
    ("socketio", &["engineio"]),
    ("auth", &["model"]),
    ("store", &["model"]),
    ("assets", &["http"]),
    ("chat", &["model", "store", "auth"]),
    ("config", &["http", "cli", "engineio", "store", "auth"]),
    ("gateway", &["socketio", "auth", "model", "chat"]),
    ("api", &["http", "auth", "model", "chat"]),
    ("routes", &["engineio", "api", "assets", "http", "chat", "model"]),
    (
        "app",
        &[
            "engineio", "socketio", "http", "cli", "config", "auth", "model", "store", "chat", "assets", "gateway",
            "api", "routes",
        ],
    ),
    ("operator", &["http", "cli", "config", "model", "store", "chat", "api"]),
    ("main", &["cli", "config", "service", "app", "operator"]),
];

#[test]
fn every_part_imports_only_what_the_table_allows() {
    let table: BTreeMap<&str, BTreeSet<&str>> =
        MAY_IMPORT.iter().map(|(part, may)| (*part, may.iter().copied().collect())).collect();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for file in rust_files(&src) {
        let inside = file.strip_prefix(&src).expect("listed from src");
        let part = part_of(inside);
        if part == "lib" {
            continue;
        }
        let Some(may) = table.get(part.as_str()) else {
            faults.push(format!("{}: the part `{part}` is not in the table", inside.display()));
            continue;
        };
        seen.insert(part.clone());
        let text = fs::read_to_string(&file).expect("a readable source file");
        for (number, named) in parts_named(&text) {
            if named != part && !may.contains(named.as_str()) {
                faults.push(format!("src/{}:{number}: `{part}` may not name `{named}`", inside.display()));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    let gone: Vec<_> = table.keys().filter(|part| !seen.contains(**part)).collect();
    assert!(gone.is_empty(), "the table names parts that do not exist: {gone:?}");
}

#[test]
fn the_table_has_no_circles() {
    let order: Vec<&str> = MAY_IMPORT.iter().map(|(part, _)| *part).collect();
    for (place, (part, may)) in MAY_IMPORT.iter().enumerate() {
        for named in *may {
            let below = order[..place].contains(named);
            assert!(below, "`{part}` names `{named}`, which does not stand above it in the table");
        }
    }
}

#[test]
fn the_reader_sees_paths_in_every_form() {
    let text = "use crate::store::db;\nuse crate::{chat::error, model};\nlexchat::app::x(); // crate::api\n/// [`crate::http`]";
    let named: Vec<String> = parts_named(text).into_iter().map(|(_, part)| part).collect();
    assert_eq!(named, ["store", "chat", "model", "app"]);
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}

fn part_of(inside_src: &Path) -> String {
    let first = inside_src.components().next().expect("a path with a name");
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The first segment of each `crate::` or `lexchat::` path, with its line number; comments do not count.
fn parts_named(text: &str) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for root in ["crate::", "lexchat::"] {
            for (at, _) in code.match_indices(root) {
                let rest = &code[at + root.len()..];
                let list = rest.strip_prefix('{').map_or(rest, |inner| inner);
                let many = rest.starts_with('{');
                for item in if many { list.split(',').collect() } else { vec![list] } {
                    let part: String =
                        item.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                    if !part.is_empty() {
                        named.push((number + 1, part));
                    }
                }
            }
        }
    }
    named
}
