//! Arrows only point downward: which part of `src` may name which other part, and which room which other room.
//!
//! The tables are the architecture. A new edge is one more word in them, seen by whoever reads the diff; an edge that
//! nobody uses any more fails. No files name each other in a circle. No file and no function is longer than one reads at
//! once. The tables of parts in the documents have the parts that there are, on the floors that the table below allows.

#![allow(unreachable_pub, reason = "a test binary has nobody above it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

#[path = "support/source.rs"]
mod source;

use source::{Sources, code_of, functions_of, is_test, part_of, paths_named};

/// Each part and the parts whose `crate::` paths it may name.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("engineio", &[]),
    ("model", &[]),
    ("http", &[]),
    ("integrations", &[]),
    ("cli", &[]),
    ("console", &[]),
    ("service", &[]),
    ("socketio", &["engineio"]),
    ("auth", &["model"]),
    ("store", &["model"]),
    ("documents", &["model"]),
    ("assets", &["http"]),
    ("logging", &["cli"]),
    ("chat", &["model", "store", "auth", "documents"]),
    ("config", &["http", "cli", "engineio", "integrations", "model"]),
    ("gateway", &["socketio", "auth", "model", "chat", "integrations"]),
    ("api", &["auth", "chat", "documents", "http", "integrations", "model", "store"]),
    ("delivery", &["auth", "model", "store", "chat", "integrations", "documents"]),
    ("routes", &["engineio", "api", "assets", "http", "chat", "model"]),
    (
        "app",
        &[
            "engineio",
            "socketio",
            "http",
            "integrations",
            "cli",
            "config",
            "auth",
            "model",
            "store",
            "chat",
            "delivery",
            "gateway",
            "api",
            "routes",
        ],
    ),
    (
        "operator",
        &["console", "http", "integrations", "cli", "config", "documents", "model", "store", "chat", "delivery", "api"],
    ),
    ("main", &["cli", "config", "console", "logging", "service", "app", "operator", "store"]),
];

/// Each room of `chat` and `store` and the rooms of the same part that it may name. `statements` are the files of `store`
/// that stand in no room: one for each noun.
const ROOMS: &[(&str, &[&str])] = &[
    ("chat/contract", &[]),
    ("chat/access", &["chat/contract"]),
    ("chat/handle", &["chat/contract", "chat/access"]),
    ("chat/attachments", &["chat/contract", "chat/access", "chat/handle"]),
    ("chat/notices", &["chat/contract", "chat/access", "chat/handle"]),
    ("chat/conversations", &["chat/contract", "chat/access", "chat/handle", "chat/attachments", "chat/notices"]),
    ("chat/people", &["chat/contract", "chat/access", "chat/handle", "chat/notices", "chat/conversations"]),
    ("chat/billing", &["chat/contract", "chat/access", "chat/handle", "chat/attachments", "chat/conversations"]),
    (
        "chat/calls",
        &["chat/contract", "chat/access", "chat/handle", "chat/attachments", "chat/notices", "chat/conversations"],
    ),
    (
        "chat/writer",
        &[
            "chat/contract",
            "chat/access",
            "chat/handle",
            "chat/attachments",
            "chat/notices",
            "chat/conversations",
            "chat/people",
            "chat/billing",
            "chat/calls",
        ],
    ),
    ("store/statements", &[]),
    ("store/database", &["store/statements"]),
];

/// Functions that are a table, which is read row by row and grows by one row at a time.
const FUNCTIONS_THAT_ARE_TABLES: &[(&str, &str)] = &[("routes/table.rs", "find")];

const FUNCTION_LINES_MAX: usize = 60;
const FILE_LINES_MAX: usize = 450;

#[test]
fn every_part_imports_only_what_the_table_allows() {
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for (file, text) in Sources::read().iter() {
        let part = part_of(file);
        if part == "lib" {
            continue;
        }
        let Some(may) = table.get(part.as_str()) else {
            faults.push(format!("{}: the part `{part}` is not in the table", file.display()));
            continue;
        };
        seen.insert(part.clone());
        // Tests may look at everything that their part may; only what runs has to stay on its own wing.
        let named: BTreeSet<String> = parts_named(text).collect();
        for named in named.iter().filter(|named| **named != part && table.contains_key(named.as_str())) {
            if !may.contains(&named.as_str()) {
                faults.push(format!("src/{}: `{part}` may not name `{named}`", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    let gone: Vec<_> = table.keys().filter(|part| !seen.contains(**part)).collect();
    assert!(gone.is_empty(), "the table names parts that do not exist: {gone:?}");
}

#[test]
fn every_room_imports_only_what_the_table_allows() {
    let table: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let sources = Sources::read();
    let mut faults = BTreeSet::new();
    for (file, _) in sources.iter() {
        let room = room_of(file);
        if let Some(room) = room.filter(|room| !is_test(file) && !table.contains_key(room.as_str())) {
            faults.insert(format!("{}: the room `{room}` is not in the table", file.display()));
        }
    }
    for (from, to) in sources.edges() {
        let (Some(from_room), Some(to_room)) = (room_of(from), room_of(to)) else { continue };
        let may = table.get(from_room.as_str()).copied().unwrap_or_default();
        if part_of(from) == part_of(to) && from_room != to_room && !may.contains(&to_room.as_str()) {
            faults.insert(format!("{}: `{from_room}` may not name `{to_room}`", from.display()));
        }
    }
    let faults: Vec<String> = faults.into_iter().collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_tables_have_no_circles() {
    for table in [MAY_IMPORT, ROOMS] {
        let order: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
        for (place, (name, may)) in table.iter().enumerate() {
            for named in *may {
                let below = order[..place].contains(named);
                assert!(below, "`{name}` names `{named}`, which does not stand above it in the table");
            }
        }
    }
}

#[test]
fn every_edge_of_the_tables_is_used() {
    let sources = Sources::read();
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    for (file, text) in sources.iter() {
        used.extend(parts_named(text).map(|named| (part_of(file), named)));
    }
    let rooms = sources.edges().into_iter().filter_map(|(from, to)| Some((room_of(from)?, room_of(to)?)));
    used.extend(rooms);
    let allowed = MAY_IMPORT.iter().chain(ROOMS).flat_map(|(from, may)| may.iter().map(move |to| (*from, *to)));
    let unused: Vec<_> = allowed.filter(|(from, to)| !used.contains(&((*from).into(), (*to).into()))).collect();
    assert!(unused.is_empty(), "the tables allow what nobody does: {unused:?}");
}

#[test]
fn no_files_name_each_other_in_a_circle() {
    let sources = Sources::read();
    let circles = circles_of(sources.edges());
    assert!(circles.is_empty(), "these files name each other in circles, or lead to such: {circles:#?}");
}

#[test]
fn a_circle_is_found_and_a_chain_is_none() {
    let path = Path::new;
    let chain = vec![(path("a"), path("b")), (path("b"), path("c")), (path("a"), path("c"))];
    assert!(circles_of(chain.clone()).is_empty());
    let with_circle = [chain, vec![(path("c"), path("b"))]].concat();
    assert_eq!(circles_of(with_circle).len(), 3, "b and c, and a, which leads to them");
}

#[test]
fn no_file_and_no_function_is_longer_than_one_reads_at_once() {
    let (mut faults, mut seen) = (Vec::new(), 0);
    for (file, text) in Sources::read().iter() {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            faults.push(format!("{} has {lines} lines", file.display()));
        }
        for (line, name, lines) in functions_of(text) {
            seen += 1;
            let is_table = FUNCTIONS_THAT_ARE_TABLES.contains(&(&*file.to_string_lossy(), name));
            if lines > FUNCTION_LINES_MAX && !is_table {
                faults.push(format!("{}:{line} `{name}` has {lines} lines", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(seen > 1_000, "{seen} functions were looked at");
}

#[test]
fn a_long_function_is_found_wherever_it_stands() {
    let body = "    x();\n".repeat(FUNCTION_LINES_MAX);
    let inner = "        x();\n".repeat(FUNCTION_LINES_MAX);
    for (source, lines) in [
        (format!("pub(super) async fn f(\n    a: A,\n) -> B {{\n{body}}}\nfn g() {{\n}}\n"), FUNCTION_LINES_MAX + 4),
        (format!("impl A {{\n    fn f(&self) {{\n{inner}    }}\n}}\n"), FUNCTION_LINES_MAX + 2),
        (format!("fn f<T>()\nwhere\n    T: A,\n{{\n{body}}}\n"), FUNCTION_LINES_MAX + 5),
    ] {
        assert_eq!(
            functions_of(&source).first().map(|(_, name, lines)| (*name, *lines)),
            Some(("f", lines)),
            "{source}"
        );
    }
    assert!(functions_of("fn f();\n/// Has a fn in it\nfn g() {}\n").is_empty());
}

/// Fields and variants may go without where their names say it all; functions and types may not.
#[test]
fn every_public_function_and_type_says_what_it_is() {
    let (mut silent, mut seen) = (Vec::new(), 0);
    for (file, text) in Sources::read().iter().filter(|(file, _)| !is_test(file)) {
        for (line, is_documented) in public_items(text) {
            seen += 1;
            if !is_documented {
                silent.push(format!("src/{}:{line}", file.display()));
            }
        }
    }
    assert!(silent.is_empty(), "these say nothing of themselves: {silent:#?}");
    assert!(seen > 800, "{seen} items were looked at");
    let sample = "/// A.\n#[derive(Debug)]\npub struct A;\n\npub const fn b() {}\n";
    assert_eq!(public_items(sample), [(3, true), (5, false)]);
}

#[test]
fn the_documents_show_the_parts_that_there_are() {
    let parts: BTreeSet<&str> = MAY_IMPORT.iter().map(|(part, _)| *part).collect();
    for name in ["docs/ARCHITECTURE.md", "src/lib.rs"] {
        let floors = floors_of(&read(name));
        let shown: BTreeSet<&str> = floors.keys().map(String::as_str).collect();
        assert_eq!(shown, parts, "{name}: the floors");
        for (part, may) in MAY_IMPORT {
            for below in *may {
                assert!(floors[*part] > floors[*below], "{name}: `{part}` names `{below}`, which is not below it");
            }
        }
    }
    let lib = read("src/lib.rs");
    let declared = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    assert_eq!(declared.chain(["main"]).collect::<BTreeSet<_>>(), parts, "src/lib.rs: the modules");
    let architecture = read("docs/ARCHITECTURE.md");
    let explained = rows_of(&architecture, "| part |");
    assert_eq!(
        explained.iter().map(String::as_str).chain(["main"]).collect::<BTreeSet<_>>(),
        parts,
        "the table of parts"
    );
    let rooms: BTreeSet<String> = ROOMS.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(rows_of(&architecture, "| room |"), rooms, "the table of rooms");
}

#[test]
fn the_reader_sees_paths_in_every_form() {
    let text = "use crate::store::db;\nuse crate::{chat::error as e, model};\nlexchat::app::x(); // crate::api\n\
                /// [`crate::http`]\nlet a = \"crate::cli\"; pub(in crate::auth) fn f() {}\nuse super::b::C;";
    let module = ["gateway", "a"].map(String::from);
    let named: Vec<String> = paths_named(&code_of(text), &module).iter().map(|path| path.join("/")).collect();
    assert_eq!(named, ["store/db", "chat/error", "model", "app/x", "gateway/b/C"]);
}

fn read(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The parts that a text names, tests included.
fn parts_named(text: &str) -> impl Iterator<Item = String> {
    let paths = paths_named(&code_of(text), &[]);
    paths.into_iter().filter_map(|path| path.into_iter().next())
}

/// The room that a file of `chat` or `store` stands in.
fn room_of(file: &Path) -> Option<String> {
    let names: Vec<String> = file.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    match names.as_slice() {
        [part, room, _, ..] if part == "chat" || part == "store" && room == "database" => {
            Some(format!("{part}/{room}"))
        }
        [part, file, ..] if part == "store" && file != "mod.rs" => Some("store/statements".to_owned()),
        _ => None,
    }
}

/// Takes away what names nobody any more, until all is gone or only circles and what leads to them are left.
fn circles_of<'a>(edges: Vec<(&'a Path, &'a Path)>) -> BTreeMap<&'a Path, BTreeSet<&'a Path>> {
    let mut named_by: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
    for (from, to) in edges {
        named_by.entry(from).or_default().insert(to);
    }
    loop {
        let left: BTreeSet<&Path> = named_by.keys().copied().collect();
        named_by.retain(|_, named| {
            named.retain(|path| left.contains(path));
            !named.is_empty()
        });
        if named_by.len() == left.len() {
            return named_by;
        }
    }
}

/// The line of each public function and type, and whether a documenting comment stands above it.
fn public_items(text: &str) -> Vec<(usize, bool)> {
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let is_item = |line: &str| {
        let item = line.trim_start_matches("const ").trim_start_matches("async ");
        ["fn ", "struct ", "enum ", "trait ", "type "].iter().any(|kind| item.starts_with(kind))
    };
    let items = lines.iter().enumerate().filter(|(_, line)| line.strip_prefix("pub ").is_some_and(is_item));
    let above = |at: usize| lines[..at].iter().rev().take_while(|line| !line.is_empty() && !line.ends_with(['{', '}']));
    items.map(|(at, _)| (at + 1, above(at).any(|line| line.starts_with("///") || line.starts_with("$(#[")))).collect()
}

/// On which floor the first drawing of a text has each part: its lines begin with the floor's number.
fn floors_of(text: &str) -> BTreeMap<String, usize> {
    let lines = text.lines().map(|line| line.trim_start_matches("//!").trim());
    let drawing = lines.skip_while(|line| *line != "```text").skip(1).take_while(|line| *line != "```");
    let drawn = drawing.filter_map(|line| {
        let mut words = line.split_whitespace();
        let floor: usize = words.next()?.parse().ok()?;
        Some(words.map(move |part| (part.to_owned(), floor)).collect::<Vec<_>>())
    });
    drawn.flatten().collect()
}

/// What stands in backticks in the first cell of each row of the table with this head.
fn rows_of(text: &str, head: &str) -> BTreeSet<String> {
    let rows = text.lines().skip_while(|line| !line.starts_with(head)).take_while(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}
