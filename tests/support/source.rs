//! The sources of `src` as text: which file names which other one, how long its functions are.
//!
//! Reads by lines and braces and knows the habits of rustfmt; it is no parser. What stands in comments and texts does not
//! count, and what stands below the head of a file's tests only where a test asks for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The files of `src`, by their path in it.
pub struct Sources {
    text: BTreeMap<PathBuf, String>,
}

impl Sources {
    pub fn read() -> Sources {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut text = BTreeMap::new();
        for file in rust_files(&src) {
            let inside = file.strip_prefix(&src).expect("listed from src").to_owned();
            text.insert(inside, fs::read_to_string(&file).expect("a readable source file"));
        }
        Sources { text }
    }

    /// Each file and its text.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.text.iter().map(|(path, text)| (path.as_path(), text.as_str()))
    }

    /// Each file and one that it names, tests aside.
    pub fn edges(&self) -> Vec<(&Path, &Path)> {
        let mut edges = Vec::new();
        for (file, text) in self.iter().filter(|(file, _)| !is_test(file) && *file != Path::new("lib.rs")) {
            for path in paths_named(&code_of(above_tests(text)), &module_of(file)) {
                let named = (1..=path.len()).rev().find_map(|length| self.find(&path[..length]));
                edges.extend(named.filter(|named| *named != file).map(|named| (file, named)));
            }
        }
        edges
    }

    fn find(&self, module: &[String]) -> Option<&Path> {
        let base: PathBuf = module.iter().collect();
        let found = self.text.get_key_value(&base.with_extension("rs"));
        found.or_else(|| self.text.get_key_value(&base.join("mod.rs"))).map(|(path, _)| path.as_path())
    }
}

/// The part that a file of `src` belongs to.
pub fn part_of(file: &Path) -> String {
    let first = file.iter().next().expect("a path with a name");
    first.to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// Whether nothing but tests needs a file.
pub fn is_test(file: &Path) -> bool {
    file.ends_with("tests.rs") || file.iter().any(|name| name == "testing" || name == "testing.rs")
}

/// The text without comments, and without what stands in quotes on one line.
pub fn code_of(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let code = line.split("//").next().unwrap_or_default();
        code.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Each function that is written over several lines: its line, its name, how many lines it takes.
pub fn functions_of(text: &str) -> Vec<(usize, &str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let head = line.trim_start();
        let indent = &line[..line.len() - head.len()];
        let Some(name) = name_of_function(head) else { continue };
        let last = |line: &&str| {
            let rest = line.strip_prefix(indent).unwrap_or(" ");
            rest == "}" || !rest.starts_with(' ') && rest.ends_with([';', '}'])
        };
        if !head.ends_with([';', '}'])
            && let Some(length) = lines[at + 1..].iter().position(last)
        {
            found.push((at + 1, name, length + 2));
        }
    }
    found
}

fn name_of_function(head: &str) -> Option<&str> {
    let (before, after) = head.split_once("fn ")?;
    let qualifiers = ["pub", "const", "async", "unsafe", "extern"];
    let is_qualifier = |word: &str| qualifiers.contains(&word) || word.starts_with("pub(") || word.ends_with(')');
    let is_head = before.is_empty() || before.ends_with(' ') && before.split_whitespace().all(is_qualifier);
    is_head.then(|| after.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default())
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}

fn above_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default()
}

/// The path of a file's module, from the crate's root.
fn module_of(file: &Path) -> Vec<String> {
    let names = file.with_extension("");
    names.iter().map(|name| name.to_string_lossy().into_owned()).filter(|name| name != "mod").collect()
}

/// Every path that begins with `crate::`, `lexchat::` or `super::`, from the crate's root, each branch of a list in braces
/// by itself. The scope of `pub(in …)` is none.
pub fn paths_named(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let above = &module[..module.len().saturating_sub(1)];
    let roots = [("crate::", &[][..]), ("lexchat::", &[]), ("super::", above)];
    let mut paths = Vec::new();
    for (root, base) in roots {
        for (at, _) in code.match_indices(root) {
            let before = &code[..at];
            let is_whole = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            if is_whole && !before.ends_with("in ") {
                read_path(&code[at + root.len()..], base, &mut paths);
            }
        }
    }
    paths
}

/// Reads one path, or a list in braces; how many bytes it took.
fn read_path(text: &str, before: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    if text.starts_with('{') {
        let mut at = 1;
        while let Some(next) = text[at..].find(|c: char| !c.is_whitespace() && c != ',') {
            at += next;
            if text[at..].starts_with('}') {
                return at + 1;
            }
            at += read_path(&text[at..], before, paths).max(1);
        }
        return text.len();
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let path: Vec<String> = before.iter().cloned().chain([text[..end].to_owned()]).collect();
    if let Some(rest) = text[end..].strip_prefix("::")
        && rest.starts_with(|c: char| c == '{' || c == '_' || c.is_ascii_alphanumeric())
    {
        return end + 2 + read_path(rest, &path, paths);
    }
    paths.push(path);
    // A new name (`as _`) is no path.
    let renamed = text[end..].strip_prefix(" as ").map(|rest| rest.find([',', '}', ';']).unwrap_or(rest.len()) + 4);
    end + renamed.unwrap_or(0)
}
