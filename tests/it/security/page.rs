//! `docs/SECURITY.md` names a test for each property, `docs/FAULTS.md` for each fault; each of them exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All functions below a folder that are marked as tests, and tests of the JavaScript kind, by name or by their file's.
fn tests_below(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            if !path.ends_with("node_modules") {
                tests_below(&path, found);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("a readable file");
            let mut marked = false;
            for line in text.lines().map(str::trim) {
                marked |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
                let name = line.trim_start_matches("pub ").trim_start_matches("async ").strip_prefix("fn ");
                if let Some(name) = name.and_then(|rest| rest.split('(').next())
                    && std::mem::take(&mut marked)
                {
                    found.insert(name.to_owned());
                }
            }
        } else {
            found.insert(path.strip_prefix(root()).expect("below it").display().to_string());
            if path.to_str().is_some_and(|path| path.ends_with(".test.js")) {
                let text = fs::read_to_string(&path).expect("a readable file");
                found.extend(text.lines().filter_map(named_by));
            }
        }
    }
}

/// What a line of a JavaScript test calls its test, be it one that only some browsers can play (`if (…) test('…`).
fn named_by(line: &str) -> Option<String> {
    let (before, rest) = line.split_once("test('")?;
    (before.is_empty() || before.ends_with(' ')).then(|| rest.split('\'').next().map(str::to_owned))?
}

/// The names in code quotes in the last cell of a row.
fn named_in(row: &str) -> Vec<String> {
    let last = row.trim().trim_matches('|').split(" | ").last().expect("cells");
    last.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// All that this tree has of tests.
fn tests() -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    tests_below(&root().join("src"), &mut tests);
    tests_below(&root().join("tests"), &mut tests);
    tests
}

/// Each row of the tables: its number and the names of its tests.
fn rows() -> Vec<(String, Vec<String>)> {
    let page = fs::read_to_string(root().join("docs/SECURITY.md")).expect("the page");
    let mut rows = Vec::new();
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let number = cells[0];
        let is_row = number.starts_with(['D', 'L', 'S']) && number[1..].chars().all(|c| c.is_ascii_digit());
        if is_row && number.len() > 1 {
            rows.push((number.to_owned(), named_in(line)));
        }
    }
    rows
}

#[test]
fn every_property_names_its_test_and_each_of_them_exists() {
    let tests = tests();
    let rows = rows();
    for (number, named) in &rows {
        assert!(!named.is_empty(), "{number} names no test");
        for name in named {
            assert!(tests.contains(name), "{number} names `{name}`, which does not exist");
        }
    }
    let have: BTreeSet<&str> = rows.iter().map(|(number, _)| number.as_str()).collect();
    let expected = (1..=10).map(|n| format!("D{n}")).chain((1..=11).map(|n| format!("L{n}")));
    for number in expected.chain((1..=19).map(|n| format!("S{n}"))) {
        assert!(have.contains(number.as_str()), "{number} has no row");
    }
}

#[test]
fn every_fault_that_was_found_names_its_test_and_each_of_them_exists() {
    let tests = tests();
    let page = fs::read_to_string(root().join("docs/FAULTS.md")).expect("the page");
    let heads = ["| what went wrong ", "|---"];
    let rows = page.lines().filter(|line| line.starts_with('|') && !heads.iter().any(|head| line.starts_with(head)));
    let mut count = 0;
    for row in rows {
        let named = named_in(row);
        assert!(!named.is_empty() && row.matches(" | ").count() == 2, "{row}");
        for name in named {
            assert!(tests.contains(&name), "`{name}` does not exist: {row}");
        }
        count += 1;
    }
    assert!(count > 40, "{count} rows");
}
